"""Finds links that DingTalk would not open as written, and proposes corrections. Pure.

DingTalk knows `[words](https://address)`; a picture has a `!` in front.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from faqbot.markup.picture_links import is_local

# A first look: most lines hold nothing that could be a link.
_MAYBE = re.compile(r"[\]］][ \u3000]*[(（]|[)）]\[|http", re.IGNORECASE)
_LINK = re.compile(
    r"(?P<bang>!?)(?P<left>[\[［])(?P<label>[^\[\]［］]*)(?P<right>[\]］])(?P<gap>[ \u3000]*)"
    r"(?P<open>[(（])(?P<address>(?:[^()（）]|\([^()（）]*\))*)(?P<close>[)）]|$)"
)
_REVERSED = re.compile(
    r"[(（](?P<label>[^()（）\[\]]{1,40})[)）]\[(?P<address>\s*(?:https?://|www\.)[^\s\[\]]+)\]", re.I
)
_BARE = re.compile(
    r"(?P<scheme>(?<![a-z0-9])https?)\s?(?:[:：]\s?[/／\\]+|[;；]\s?//|[:：]{2}//|//)\s*(?=[a-z0-9][a-z0-9-]*[.:/])",
    re.I,
)
_SCHEME = re.compile(r"(?P<scheme>https?)\s*[:：;；]*\s*[/／\\]+\s*", re.IGNORECASE)
_SCHEME_MISSPELT = re.compile(r"(?:h?tt?ps?|hhttps?|httpp?s?s?)\s*[:：]\s*[/／\\]{2}\s*", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+(?::\d+)?(?=$|[/?#])", re.IGNORECASE)
_FILE_ENDING = re.compile(r"\.(?:docx?|xlsx?|pptx?|pdf|png|jpe?g|gif|bmp|webp|txt|zip)$", re.IGNORECASE)
_ON_A_DISK = re.compile(r"(?:[a-z]:[\\/]|\\\\|file:)", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"(?:mailto|tel|sms|dtmd|dingtalk|alipays?|weixin):.", re.IGNORECASE)
_WIDE_ENDS = "。，、；：！？”’》】 \u3000"

_BRACKETS = "链接要用英文的方括号和圆括号，中间不空格"
_CUT_SCHEME = "网址开头应是 https://（或 http://）"


@dataclass(frozen=True, slots=True)
class LinkProblem:
    """A mistake in a link that stands from `start` up to `end` in a line.

    correction: the right text; empty if that is not known.
    sure: the correction is the only one possible.
    """

    start: int
    end: int
    reason: str
    correction: str = ""
    sure: bool = False


def find_link_problems(line: str) -> list[LinkProblem]:
    """Return the broken links of one line, from left to right."""
    if not _MAYBE.search(line):
        return []
    problems = list(_problems_in_brackets(line))
    rest = line
    for match in _LINK.finditer(line):
        rest = rest[: match.start()] + " " * len(match[0]) + rest[match.end() :]
    for match in _BARE.finditer(rest):
        correction = f"{match['scheme'].lower()}://"
        if match[0].lower() != correction and not any(s.start <= match.start() < s.end for s in problems):
            problems.append(LinkProblem(match.start(), match.end(), _CUT_SCHEME, correction, sure=True))
    return sorted(problems, key=lambda s: s.start)


def correct_links(text: str, *, sure: bool = True) -> str:
    """Return the text with its links corrected; with `sure` only where one correction is possible."""
    return "\n".join(_corrected(line, sure) for line in text.split("\n"))


def _corrected(line: str, sure: bool) -> str:
    for problem in reversed(find_link_problems(line)):
        if problem.correction and (problem.sure or not sure):
            line = line[: problem.start] + problem.correction + line[problem.end :]
    return line


def _problems_in_brackets(line: str) -> Iterator[LinkProblem]:
    for match in _LINK.finditer(line):
        if problem := _problem(match):
            yield problem
    for match in _REVERSED.finditer(line):
        address = _address(match["address"], picture=False)
        correction = (
            f"[{match['label']}]({address.correction if address and address.correction else match['address'].strip()})"
        )
        yield LinkProblem(
            match.start(), match.end(), "方括号和圆括号写反了：字放在方括号里，网址放在圆括号里", correction
        )


def _problem(match: re.Match[str]) -> LinkProblem | None:
    """Return the mistake in a text that has the form of a link, or nearly; None for a right link or no link."""
    start, end = match.span()
    picture = bool(match["bang"])
    well_formed = match["left"] + match["right"] + match["gap"] + match["open"] + match["close"] == "[]()"
    if not well_formed and not _is_address(match["address"]):
        # ［注］（见第 5 条）is not meant as a link.
        return None
    address = _address(match["address"], picture)
    if address and not address.correction:
        return LinkProblem(start, end, address.reason)
    if not match["label"].strip() and not picture:
        return LinkProblem(start, end, "方括号里没有字，员工看不到这个链接，请写上，例如 [员工手册](https://…)")
    if well_formed and address is None:
        return None
    url = address.correction if address else match["address"].strip()
    correction = f"{match['bang']}[{match['label']}]({url})"
    if not match["close"]:
        return LinkProblem(start, end, "链接后面少了一个右括号", correction if re.fullmatch(r"[!-~]+", url) else "")
    reasons = [] if well_formed else [_BRACKETS]
    reasons += [address.reason] if address else []
    return LinkProblem(start, end, "；".join(reasons), correction, sure=address is None or address.sure)


def _is_address(text: str) -> bool:
    """Return True if a text begins like the address of a page."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    return bool(_SCHEME.match(plain) or plain.startswith("www.") or _HOST.match(plain) or _OTHER_SCHEME.match(plain))


def _address(url: str, picture: bool) -> LinkProblem | None:
    """Return the mistake in the address of a link; its `start` and `end` are not set."""
    text = url.strip()
    if not text:
        return LinkProblem(0, 0, "图片的括号里没有网址" if picture else "链接的括号里没有网址")
    if text.startswith("{"):
        # A fact of facts.yaml, which is filled in later.
        return None
    if _ON_A_DISK.match(text):
        return LinkProblem(0, 0, "这是电脑里的文件，别人打不开；请传到钉盘或内网，再写它的网址")
    if picture and is_local(text):
        return LinkProblem(0, 0, "图片的文件名里不能有空格，请改名") if re.search(r"\s", text) else None
    if _OTHER_SCHEME.match(text) and not picture:
        return None if text == url else LinkProblem(0, 0, "网址前后不能有空格", text, sure=True)
    correction, reason, sure = _with_scheme(text)
    if not correction:
        words = "图片要写网上的地址（https://…）" if picture else "链接的括号里要写网址（https://…）"
        return LinkProblem(0, 0, f"“{text[:30]}”不是网址，{words}")
    if tidy := _tidied(correction):
        correction, reason, sure = tidy, reason or "网址里有空格或全角的符号", False
    if not _has_host(correction):
        return LinkProblem(0, 0, f"网址“{text[:30]}”没有写完整")
    if correction == url:
        return None
    return LinkProblem(0, 0, reason or "网址前后不能有空格", correction, sure)


def _with_scheme(text: str) -> tuple[str, str, bool]:
    """Return the address with a valid scheme, the mistake in it, and True if the correction is certain.

    The address is empty if the text is none.
    """
    if match := _SCHEME.match(text):
        scheme = f"{match['scheme'].lower()}://"
        right = match[0].lower() == scheme
        return (text if right else scheme + text[match.end() :]), "" if right else _CUT_SCHEME, True
    if match := _SCHEME_MISSPELT.match(text):
        return "https://" + text[match.end() :], _CUT_SCHEME, False
    plain = text.removeprefix("//")
    if plain.lower().startswith("www."):
        return f"https://{plain}", "网址开头少了 https://", True
    if _HOST.match(plain) and not _FILE_ENDING.search(_HOST.match(plain)[0]):  # type: ignore[index]
        return f"https://{plain}", "网址开头少了 https://", False
    return "", "", False


def _tidied(address: str) -> str:
    """Return the address without blanks and full-width signs; an empty text if it has none."""
    bare = address.rstrip(_WIDE_ENDS)
    tidy = "".join(unicodedata.normalize("NFKC", c) if "\uff01" <= c <= "\uff5e" else c for c in bare)
    tidy = re.sub(r"\s+", "", re.sub(r"(?<=[a-z0-9])。(?=[a-z0-9])", ".", tidy, flags=re.IGNORECASE))
    return tidy if tidy != address else ""


def _has_host(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return bool(host) and (host.isascii() or "." in host)
