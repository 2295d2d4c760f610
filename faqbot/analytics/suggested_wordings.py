"""Suggests adding a wording to an entry once several people who asked it picked or confirmed that entry."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from faqbot.analytics.stats import AskedQuestion, QuestionOutcome, pair_picks
from faqbot.dialogue.answer_policy import judge_many
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.entry_parser import LONG_WORDING_CHARS
from faqbot.model.decisions import Answered
from faqbot.model.entries import Entry
from faqbot.model.question_log import DELIVERED, QuestionRecord

# One person may have picked by mistake, and a wording on which people disagree teaches nothing.
MIN_PEOPLE = 2
_MIN_SHARE = 2 / 3  # of all who picked anything for this question
_MIN_CHARACTERS = 2


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question that could become a wording of an entry.

    `people` picked the entry from a list or confirmed it as the likely answer, last at `last` (epoch seconds).
    """

    key: str
    text: str
    entry: Entry
    people: int
    last: float


def suggestions(
    questions: Iterable[AskedQuestion], entries: Mapping[str, Entry], fold: Callable[[str], str]
) -> list[Suggestion]:
    """Return the suggestions, most people first. `fold` (Index.fold) maps a text to the form that is compared."""
    picked: dict[str, list[AskedQuestion]] = {}
    for one in questions:
        folded = fold(one.record.text)
        if _choice(one) and _MIN_CHARACTERS <= len(folded) <= LONG_WORDING_CHARS:
            picked.setdefault(folded, []).append(one)
    existing = {fold(w) for e in entries.values() for w in (*e.wordings, *e.not_)}
    candidates = [_suggestion(folded, same, entries) for folded, same in picked.items() if folded not in existing]
    return sorted((s for s in candidates if s), key=lambda s: (-s.people, -s.last, s.key))


def _suggestion(folded: str, same: list[AskedQuestion], entries: Mapping[str, Entry]) -> Suggestion | None:
    # Each person counts once, by their last pick.
    choices = {one.record.asker: one for one in sorted(same, key=lambda a: a.record.asked_at)}
    counts = Counter(_choice(one) for one in choices.values())
    entry_id, people = counts.most_common(1)[0]
    entry = entries.get(entry_id)
    if people < MIN_PEOPLE or people < _MIN_SHARE * len(choices) or entry is None or entry.draft or entry.private:
        return None
    mine = [one for one in choices.values() if _choice(one) == entry_id]
    text = Counter(" ".join(one.record.text.split()) for one in mine).most_common(1)[0][0]
    key = hashlib.sha256(f"{folded}\n{entry_id}".encode("utf-8", "replace")).hexdigest()[:12]
    return Suggestion(key, text, entry, people, max(one.record.asked_at for one in mine))


def _choice(question: AskedQuestion) -> str:
    """Return the id of the entry that the asker meant: the last one picked, or a likely answer that they confirmed."""
    if question.record.outcome not in ("offered", "likely"):
        return ""
    if not question.picks and question.outcome is QuestionOutcome.LIKELY and question.helpful:
        return question.record.entry_id
    return next((p.entry_id for p in reversed(question.picks) if p.delivery == DELIVERED and p.entry_id), "")


MARKS = "no-wordings"
_PERIOD_SECONDS = 90 * 86400.0


async def open_suggestions(workspace: Workspace) -> list[Suggestion]:
    """Return the suggestions that are neither answered by now nor declined. Raises StoreError."""
    records = await workspace.store.questions(workspace.clock() - _PERIOD_SECONDS)
    marks = await workspace.store.marks(MARKS)
    return await asyncio.to_thread(_undecided, workspace, records, marks)


def _undecided(workspace: Workspace, records: Sequence[QuestionRecord], marks: Mapping[str, str]) -> list[Suggestion]:
    snapshot, day = workspace.snapshot, workspace.today()
    all_suggestions = suggestions(pair_picks(records), {e.id: e for e in snapshot.entries}, snapshot.index.fold)
    open_ = [s for s in all_suggestions if s.key not in marks]
    judged = judge_many([s.text for s in open_], snapshot.index, limits=workspace.limits(snapshot), today=day)
    return [s for s, (decision, _) in zip(open_, judged, strict=True) if not isinstance(decision, Answered)]
