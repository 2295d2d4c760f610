"""`{facts.名字}` in answers: what is shown instead, which names are unknown, what was nearly written so. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from faqbot.knowledge.source_lines import SourceLines
from faqbot.model.entries import Entry, Problem

MISSING = "（待补充）"
_FACT = re.compile(r"\{facts\.([^{}]+)\}")
# ｛facts.天数｝, {fact.天数}, {{facts.天数}} and, where such a fact exists, {天数}.
_NEARLY = re.compile(
    r"[{｛]{1,2}\s*(?:(?P<word>facts?)\s*[.．。:：]\s*)?(?P<name>[^{}｛｝\n]{1,40}?)\s*[}｝]{1,2}", re.IGNORECASE
)


def has_facts(entry: Entry) -> bool:
    """Whether an entry, as it is written, takes anything from facts.yaml."""
    return any("{facts." in text for text in _texts(entry))


def with_facts(entry: Entry, facts: Mapping[str, str]) -> Entry:
    """The entry with its facts filled in."""
    if not has_facts(entry):
        return entry

    def value(match: re.Match[str]) -> str:
        return facts.get(match[1].strip(), MISSING)

    variants = {word: _FACT.sub(value, text) for word, text in entry.variants.items()}
    return replace(entry, answer=_FACT.sub(value, entry.answer), variants=variants)


def unfilled(entries: Iterable[Entry], facts: Mapping[str, str], lines: SourceLines) -> Iterator[Problem]:
    """Warn of facts that nobody wrote down, and of what was meant as one; entries as they are written."""
    for entry in entries:
        told: set[str] = set()
        for match in (m for text in _texts(entry) for m in _NEARLY.finditer(text)):
            written = match[0]
            exact = _FACT.fullmatch(written)
            name = exact[1].strip() if exact else match["name"]
            if (exact and name in facts) or not (exact or match["word"] or name in facts):
                continue
            meant = f"{{facts.{name}}}"
            if (said := meant if exact else written) in told:
                continue
            told.add(said)
            place, quote = lines.find(entry, written)
            if exact:
                message = f"答案里的 {meant} 在 facts.yaml 里没有，显示为“{MISSING}”"
                yield Problem(place, message, is_error=False, quote=quote)
            else:
                message = f"“{written[:40]}”不会换成 facts.yaml 里的值，请写成 {meant}"
                yield Problem(place, message, is_error=False, quote=quote, fix=quote.replace(written, meant))


def _texts(entry: Entry) -> tuple[str, ...]:
    return (entry.answer, *entry.variants.values())
