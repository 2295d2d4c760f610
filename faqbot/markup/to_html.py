"""Renders DingTalk's markdown as HTML, for the chat previews of the console. Pure.

Only documented markup of DingTalk is rendered: everything else stays text, and the host of a link is shown beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from markupsafe import Markup, escape

from faqbot.markup.picture_links import is_local

# A CommonMark parser does not serve here. By its rules `**注意：**请` is not bold, because no blank follows the mark as
# in English, though people write so and expect it; and `_a_` is emphasis, `+` and `1)` are bullets and lists nest, none
# of which DingTalk documents.
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_QUOTE = re.compile(r" {0,3}> ?(.*)")
_BULLET = re.compile(r" {0,3}[-*][ \t]+(.*)")
_ORDERED = re.compile(r" {0,3}(\d{1,9})\.[ \t]+(.*)")
_ADDRESS = r"\(((?:[^()\s]|\([^()\s]*\))+)\)"
_LABEL = r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]"
_INLINE = re.compile(
    rf"!{_LABEL}{_ADDRESS}|{_LABEL}{_ADDRESS}|\*\*(?=\S)((?:[^*]|\*(?!\*))+)(?<=\S)\*\*(?!\*)|\*(?=[^\s*])([^*]*[^\s*])\*"
)
_BREAK = re.compile(r"( *)\n[ \t]*")
# Nobody writes deeper quotes and emphasis; the limit bounds the recursion.
_MAX_DEPTH = 8


@dataclass(slots=True)
class _Block:
    kind: str
    text: str
    number: str = ""
    closed: bool = False


def markdown_to_html(markdown: str, depth: int = 0) -> Markup:
    """Return the HTML inside a chat bubble; everything of the text is escaped."""
    html: list[Markup] = []
    blocks = list(_blocks(markdown))
    for at, block in enumerate(blocks):
        if block.kind == "quote" and depth < _MAX_DEPTH:
            html.append(Markup("<blockquote>{}</blockquote>").format(markdown_to_html(block.text, depth + 1)))
            continue
        listed = block.kind in ("ul", "ol")
        inner = _inline(_join(block.text))
        if not listed:
            tag = Markup("p" if block.kind == "quote" else block.kind)
            html.append(Markup("<{0}>{1}</{0}>").format(tag, inner))
            continue
        tag = Markup(block.kind)
        if at == 0 or blocks[at - 1].kind != block.kind:
            html.append(Markup("<{}>").format(tag))
        number = Markup(' value="{}"').format(block.number) if block.number else ""
        html.append(Markup("<li{}>{}</li>").format(number, inner))
        if at + 1 == len(blocks) or blocks[at + 1].kind != block.kind:
            html.append(Markup("</{}>").format(tag))
    return Markup("").join(html)


def _blocks(source: str) -> Iterable[_Block]:
    """Split into blocks; a bare next line continues the open one."""
    blocks: list[_Block] = []
    current: _Block | None = None
    for line in re.sub("\r\n?", "\n", source).split("\n"):
        if not line.strip():
            current = None
        elif hit := _HEADING.fullmatch(line):
            blocks.append(_Block(f"h{len(hit[1])}", hit[2]))
            current = None
        elif hit := _QUOTE.fullmatch(line):
            if current is not None and current.kind == "quote":
                current.text += "\n" + hit[1]
            else:
                current = _Block("quote", hit[1])
                blocks.append(current)
            # A bare line continues only running text.
            current.closed = not hit[1].strip() or _HEADING.fullmatch(hit[1]) is not None
        elif hit := _BULLET.fullmatch(line):
            current = _Block("ul", hit[1])
            blocks.append(current)
        # Within running text only "1." begins a list, so that a wrapped "2025. " does not.
        elif (hit := _ORDERED.fullmatch(line)) and (current is None or current.kind != "p" or hit[1] == "1"):
            current = _Block("ol", hit[2], hit[1])
            blocks.append(current)
        elif current is not None and not current.closed:
            current.text += "\n" + line
        else:
            current = _Block("p", line)
            blocks.append(current)
    return blocks


def _join(text: str) -> str:
    """Keep a newline after two blanks as a line break; any other newline becomes a space."""
    return _BREAK.sub(lambda m: "\n" if len(m[1]) >= 2 else " ", text.strip())


def _inline(text: str, depth: int = 0) -> Markup:
    html: list[Markup] = []
    at = 0
    while depth < _MAX_DEPTH and (hit := _INLINE.search(text, at)):
        alt, picture, label, address, bold, italic = hit.groups()
        html.append(_lines(text[at : hit.start()]))
        at = hit.end()
        if picture is not None:
            html.append(_picture(alt, picture) or _lines(hit[0]))
        elif address is not None:
            html.append(_link(label, address, depth) or _lines(hit[0]))
        else:
            tag = Markup("strong" if bold else "em")
            html.append(Markup("<{0}>{1}</{0}>").format(tag, _inline(bold or italic, depth + 1)))
    return Markup("").join([*html, _lines(text[at:])])


def _lines(text: str) -> Markup:
    return Markup("<br>").join(map(escape, text.split("\n")))


def _link(label: str, address: str, depth: int) -> Markup | None:
    """Return a link followed by its host; None for an address that DingTalk would not open."""
    if re.match(r"(?i)(dtmd|dingtalk)://", address):
        # Only DingTalk opens these; here they would lead nowhere.
        return Markup('<span class="tap">{}</span>').format(_inline(label, depth + 1))
    host = _host(address)
    if not host:
        return None
    link = Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a><span class="host">{}</span>')
    return link.format(address, _inline(label, depth + 1), host)


def _picture(alt: str, address: str) -> Markup | None:
    """Return a local picture, or a link for one on the web, as the console loads nothing from elsewhere."""
    if is_local(address):
        image = Markup('<img class="shown" src="/pictures/{}" alt="图片：{}" loading="lazy">')
        return image.format(quote(address), alt or address)
    host = _host(address)
    if not host:
        return None
    link = Markup('<a class="picture" href="{}" target="_blank" rel="noopener noreferrer">图片{}</a>')
    return link.format(address, f"：{alt}" if alt else "") + Markup('<span class="host">{}</span>').format(host)


def _host(address: str) -> str:
    try:
        parts = urlsplit(address)
        return (parts.hostname or "") if parts.scheme.lower() in ("http", "https") else ""
    except ValueError:
        return ""
