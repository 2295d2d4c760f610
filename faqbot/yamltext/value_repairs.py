"""Repairs typing mistakes in a parsed value: full-width brackets, quotes and signs, stray periods."""

from __future__ import annotations

import re

TEXT_KEYS = {"question", "answer", "topic", "owner", "source", "id"}
LIST_KEYS = {"also", "not", "related", "groups", "departments"}
NAME_KEYS = {"id", "topic", "owner"}

QUOTE_REASON = "这句话里有 YAML 的特殊符号，请给整句加上英文双引号"
_WIDE_BRACKETS = "列表要用英文的方括号和逗号"
_WIDE_QUOTES = "这里不用中文引号"
_MIXED_QUOTES = "两头的引号要一样，都用英文双引号"
_ASK = "追问应写成 {city: 您在哪个城市？}"
_PERIOD = "有效期应写成 {from: 2026-01-01, until: 2026-12-31}"

_COMMENT = re.compile(r"\s#")
_WHOLE_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
_WHOLE_QUOTED = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*(?:#.*)?$""")
_ALIAS_OR_ANCHOR = re.compile(r"^[*&][A-Za-z0-9_-]+(\s|$)")
_SPECIAL_START = "*&!%@`"
# A bracket that is closed within the sentence opens no list: `[手册](https://…) 第 5 章`, `{facts.额度} 元`.
_BRACKET_FIRST = re.compile(r"\[[^\]]*\]\s*[^\s#]|\{[^}]*\}\s*[^\s#]|\{facts\.[^}]*\}$")
_LIST_IN_WIDE_BRACKETS = re.compile(r"(?:[［【]([^［【\]］】\[#]*)[\]］】]|\[([^［【\]］】\[#]*)[］】])\s*$")
_LIST_OF_WIDE_QUOTED = re.compile(r"\[\s*[“”][^“”\[\]]*[“”](?:\s*[，、]\s*[“”][^“”\[\]]*[“”])+\s*\]\s*$")
_LIST_OF_QUOTED = re.compile(r'\[\s*"[^"\\]*"(?:\s*[,，、]\s*"[^"\\]*")+\s*\]\s*$')
# An item may itself be a comma, so whole items are skipped.
_WIDE_COMMA_BEHIND = re.compile(r'("[^"\\]*"\s*)(?:[，、]\s*|(,\s*))')
# {上海: 5 天} is not a sentence: its author wants an answer for each case.
_CASES = re.compile(r"\{\s*[^\s:{}]+\s*:\s+[^{}]*\}$")
_LOOSE_ASK = re.compile(r"[{｛]\s*([^\s:：{}｛｝]+)\s*[:：]\s*([^{}｛｝:：]+?)\s*[}｝]\s*$")
_MIXED_QUOTED = re.compile(r'"[^"“”\\]+[“”]|[“”][^"“”\\]+"')
_WIDE_QUOTED = re.compile(r"[“”]([^“”]*)[“”]")
_DATE = r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?"
_FROM_TO = re.compile(rf"({_DATE})\s*(?:至|到|~|～|[-=]+>|→|-+|—+|–)\s*({_DATE})\s*$")
_SINCE = re.compile(rf"(?:自|从)?\s*({_DATE})\s*(?:起|开始|以后|至今|起生效|开始生效)\s*$")
_UP_TO = re.compile(rf"(?:至|到|截至|截止到?)\s*({_DATE})\s*(?:止|为止)?\s*$")
_LOOSE_PERIOD = re.compile(
    rf"[{{｛]\s*(?:(from|从)\s*[:：]\s*({_DATE}))?\s*[,，、]?\s*(?:(until|到)\s*[:：]\s*({_DATE}))?\s*[}}｝]\s*$"
)
_TIDY_PERIOD = re.compile(r"\{\s*\w+: [^:,]*(?:,\s*\w+: [^:,]*)?\}\s*$")


def repair_value(key: str, value: str) -> tuple[str, str]:
    """Return the repaired value, on one line, and the reason, which is empty if nothing is wrong."""
    if key in NAME_KEYS and (match := _WIDE_QUOTED.fullmatch(value.strip())) and match[1].strip():
        return quote_if_needed(match[1].strip()), _WIDE_QUOTES
    if key in TEXT_KEYS:
        return _repair_text(value)
    if key in LIST_KEYS:
        return _repair_list(value)
    if key == "valid":
        return _repair_period(value)
    if key == "ask" and (match := _LOOSE_ASK.match(value)):
        repaired = f"{{{match[1]}: {match[2]}}}"
        return (
            (repaired, _ASK)
            if repaired != value.strip() and ("：" in value or "｛" in value or "｝" in value)
            else (value, "")
        )
    return value, ""


def _repair_text(value: str) -> tuple[str, str]:
    body = value.strip()
    if _MIXED_QUOTED.fullmatch(body):
        return f'"{body[1:-1]}"', _MIXED_QUOTES
    quoted = quote_if_needed(value)
    return quoted, QUOTE_REASON if quoted != value else ""


def _repair_list(value: str) -> tuple[str, str]:
    reason = ""
    if match := _LIST_IN_WIDE_BRACKETS.match(value):
        value, reason = f"[{match[1] if match[1] is not None else match[2]}]", _WIDE_BRACKETS
    if _LIST_OF_QUOTED.match(value):
        repaired = _WIDE_COMMA_BEHIND.sub(lambda match: match[0] if match[2] else f"{match[1].rstrip()}, ", value)
        value, reason = repaired, _WIDE_BRACKETS if repaired != value else reason
    if _LIST_OF_WIDE_QUOTED.match(value):
        items = (item.replace("\\", "\\\\").replace('"', '\\"') for item in _WIDE_QUOTED.findall(value))
        value, reason = "[" + ", ".join(f'"{item}"' for item in items) + "]", _WIDE_BRACKETS
    return value, reason


def _repair_period(value: str) -> tuple[str, str]:
    if match := _FROM_TO.match(value):
        return f"{{from: {match[1]}, until: {match[2]}}}", _PERIOD
    if match := _SINCE.match(value):
        return f"{{from: {match[1]}}}", _PERIOD
    if match := _UP_TO.match(value):
        return f"{{until: {match[1]}}}", _PERIOD
    match = _LOOSE_PERIOD.match(value)
    if match is None or _TIDY_PERIOD.match(value) or not (match[2] or match[4]):
        return value, ""
    ends = [f"{match[word]}: {match[word + 1]}" for word in (1, 3) if match[word]]
    return "{" + ", ".join(ends) + "}", _PERIOD


def quote_if_needed(value: str) -> str:
    """Quote a one-line text that YAML would misread, such as `**5 天**` or `报销: 怎么办`."""
    if _WHOLE_QUOTED.fullmatch(value):
        return value
    comment = _COMMENT.search(value)
    body, rest = (value[: comment.start()], value[comment.start() :]) if comment else (value, "")
    body = body.rstrip()
    if not body or _WHOLE_BLOCK.fullmatch(body) or _WHOLE_QUOTED.fullmatch(body) or _ALIAS_OR_ANCHOR.match(body):
        return value
    if _CASES.match(body) and not body.startswith("{facts."):
        return value
    broken_quote = body[0] in "\"'" and body.count(body[0]) > 1
    special = body[0] in _SPECIAL_START or re.match(r"(?:[|>]|[?-] )", body) or _BRACKET_FIRST.match(body)
    inner_colon = body[0] not in "\"'" and re.search(r":(\s|$)", body) is not None
    if not (special or inner_colon or broken_quote):
        return value
    return '"' + body.replace("\\", "\\\\").replace('"', '\\"') + '"' + rest
