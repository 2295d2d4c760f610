"""Writes a text as YAML that reads back exactly: bare where that is safe, else quoted or as a `|` block."""

from __future__ import annotations

import re
from collections.abc import Iterable

import yaml

from faqbot.yamltext import key_names
from faqbot.yamltext.line_repairs import repair_lines
from faqbot.yamltext.nodes import Mapping, ParseError, Scalar, Sequence, parse_yaml

# Signs that YAML or the line repairs take for something else at the start of a text.
_SPECIAL_START = frozenset("-?:,[]{}#&*!|>'\"%@`=~<－—–“”‘’")
_SPECIAL = re.compile(r":(\s|$)|\s#|[\t\n]")
_SPECIAL_IN_BRACKETS = re.compile(r"[,\[\]{}，、；;]|:")
_LOOKS_LIKE_KEY = re.compile(rf"(?:{'|'.join(key_names.ENTRY_KEYS)})\s*[:：]")
_NUMBER = re.compile(r"[1-9]\d{0,15}")
_ODD_NUMBER = re.compile(r"0\d+|[\d.+-]+[eE][+-]?\d+")
_YAML_WORDS = {word for word in key_names.YES | key_names.NO if word.isascii()} | {"null"}
# Characters that YAML refuses, or reads as something else, unless they are escaped.
_UNPRINTABLE = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def write_scalar(text: str, style: str = "", *, in_brackets: bool = False, number: bool = False) -> str:
    """Return the text on one line, in the given style (`'`, `"` or bare) where that is safe.

    Set `in_brackets` for a place inside [ ] or { }, `number` if a number may be written without quotes.
    """
    if not style and _is_safe_bare(text, in_brackets=in_brackets, number=number):
        return text
    single = "'" + text.replace("'", "''") + "'"
    prefers_single = style == "'" or (not style and ('"' in text or "\\" in text) and "'" not in text)
    if prefers_single and not _UNPRINTABLE.search(text) and _reads_as(single, text, in_brackets):
        return single
    return _double_quoted(text)


def write_key(text: str) -> str:
    """Return the name of a pair on one line, as it may stand both on a line of its own and inside { }.

    A bare name may hold signs that the line repairs take for the end of a key, such as the wide colon of `0：`.
    """
    bare = write_scalar(text, in_brackets=True)
    return bare if bare != text or _reads_as_key(text) else _double_quoted(text)


def write_list(texts: Iterable[str], *, number: bool = False) -> str:
    """Return a list on one line."""
    return "[" + ", ".join(write_scalar(text, in_brackets=True, number=number) for text in texts) + "]"


def block_lines(text: str, indent: int) -> list[str] | None:
    """Return the lines of a `|` block; None for a text that only quotes can hold."""
    lines = text.split("\n")
    sample = "|\n" + "\n".join("    " + line for line in lines)
    if any(_UNPRINTABLE.search(line) for line in lines) or not _reads_as(sample, text, False):
        return None
    return [" " * indent + line if line else "" for line in lines]


def _is_safe_bare(text: str, *, in_brackets: bool, number: bool) -> bool:
    if number and _NUMBER.fullmatch(text):
        return True
    if not text or text[0] in _SPECIAL_START or _SPECIAL.search(text) or _UNPRINTABLE.search(text):
        return False
    if in_brackets and _SPECIAL_IN_BRACKETS.search(text):
        return False
    if text.casefold() in _YAML_WORDS or _ODD_NUMBER.fullmatch(text) or _LOOKS_LIKE_KEY.match(text):
        return False
    # Other programs, and people who know YAML, take `9:30` and `1e3` for numbers.
    if any(pattern.match(text) for _, pattern in yaml.SafeLoader.yaml_implicit_resolvers.get(text[0], ())):
        return False
    return _reads_as(text, text, in_brackets)


def _reads_as(value: str, text: str, in_brackets: bool) -> bool:
    """Return True if a file with this value is read as this text without any repair."""
    sample = f"- 问: [{value}, 完]\n" if in_brackets else f"- 答: {value}\n"
    repaired, repairs = repair_lines(sample)
    if repairs or repaired != sample:
        return False
    try:
        root = parse_yaml(repaired)
    except ParseError:
        return False
    if not isinstance(root, Sequence) or not isinstance(root.items[0], Mapping):
        return False
    read = root.items[0].pairs[0][1]
    if in_brackets:
        read = read.items[0] if isinstance(read, Sequence) and len(read.items) == 2 else Sequence(0)
    return isinstance(read, Scalar) and read.value.strip() == text


def _reads_as_key(name: str) -> bool:
    """Return True if a question back and a case of this bare name are read as such without any repair."""
    sample = f"- 追问: {{{name}: 问}}\n  答案按:\n    {name}: 答\n    完: 答\n"
    repaired, repairs = repair_lines(sample)
    if repairs or repaired != sample:
        return False
    try:
        root = parse_yaml(repaired)
    except ParseError:
        return False
    entry = root.items[0] if isinstance(root, Sequence) else None
    if not isinstance(entry, Mapping) or len(entry.pairs) != 2:
        return False
    names = [node.pairs[0][0].value for _, node in entry.pairs if isinstance(node, Mapping) and node.pairs]
    return names == [name, name]


def _double_quoted(text: str) -> str:
    return '"' + re.sub(rf'["\\]|{_UNPRINTABLE.pattern}', _escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
