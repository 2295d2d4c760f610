"""Fills `{facts.名字}` in answers from facts.yaml; warns of unknown names and misspelt placeholders. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from faqbot.knowledge.source_lines import SourceLines
from faqbot.model.entries import Entry, Problem

MISSING = "（待补充）"
_FACT = re.compile(r"\{facts\.([^{}]+)\}")
# Misspelt: ｛facts.天数｝, {fact.天数}, {{facts.天数}} and, where such a fact exists, {天数}.
_LIKE_FACT = re.compile(
    r"[{｛]{1,2}\s*(?:(?P<word>facts?)\s*[.．。:：]\s*)?(?P<name>[^{}｛｝\n]{1,40}?)\s*[}｝]{1,2}", re.IGNORECASE
)


def has_facts(entry: Entry) -> bool:
    """Return True if an entry, as it is written, uses anything of facts.yaml."""
    return any("{facts." in text for text in _texts(entry))


def fill_facts(entry: Entry, facts: Mapping[str, str]) -> Entry:
    """Return the entry with its facts filled in."""
    if not has_facts(entry):
        return entry

    def value(match: re.Match[str]) -> str:
        return facts.get(match[1].strip(), MISSING)

    variants = {word: _FACT.sub(value, text) for word, text in entry.variants.items()}
    return replace(entry, answer=_FACT.sub(value, entry.answer), variants=variants)


def missing_facts(entries: Iterable[Entry], facts: Mapping[str, str], lines: SourceLines) -> Iterator[Problem]:
    """Warn of facts that are missing and of misspelt placeholders; `entries` are as they are written."""
    for entry in entries:
        reported: set[str] = set()
        for match in (m for text in _texts(entry) for m in _LIKE_FACT.finditer(text)):
            placeholder_text = match[0]
            exact = _FACT.fullmatch(placeholder_text)
            name = exact[1].strip() if exact else match["name"]
            if (exact and name in facts) or not (exact or match["word"] or name in facts):
                continue
            placeholder = f"{{facts.{name}}}"
            key = placeholder if exact else placeholder_text
            if key in reported:
                continue
            reported.add(key)
            place, quote = lines.find(entry, placeholder_text)
            if exact:
                message = f"答案里的 {placeholder} 在 facts.yaml 里没有，显示为“{MISSING}”"
                yield Problem(place, message, is_error=False, quote=quote)
            else:
                message = f"“{placeholder_text[:40]}”不会换成 facts.yaml 里的值，请写成 {placeholder}"
                yield Problem(
                    place, message, is_error=False, quote=quote, fix=quote.replace(placeholder_text, placeholder)
                )


def _texts(entry: Entry) -> tuple[str, ...]:
    return (entry.answer, *entry.variants.values())
