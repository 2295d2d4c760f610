"""Add an asker's wording to an existing entry: find candidate entries, preview, add, undo."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from faqbot.analytics.gaps import Gap
from faqbot.analytics.try_out import WeighedEntry
from faqbot.console.entries.browse import try_sentence
from faqbot.console.web.context import ConsoleContext
from faqbot.dialogue.answer_policy import judge_many
from faqbot.errors import EditError
from faqbot.knowledge import entry_search
from faqbot.knowledge.editing.entry_editor import add_wording, change_entry
from faqbot.knowledge.editing.entry_fields import entry_to_fields
from faqbot.knowledge.editing.revision import Proposal
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.model.decisions import Answered, Decision, Likely, Offered
from faqbot.model.entries import Entry

MAX_WORDING_CHARS = 200
# Wordings of a group that are tried.
_MAX_TRIED = 30
_MAX_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class WordingChoice:
    """A wording to be added to an entry."""

    entry: Entry
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One wording of a group, and the decision on it now and, in a preview, after the edit."""

    text: str
    times: int
    people: int
    now: str
    answered: bool
    then: str = ""
    then_answered: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "times": self.times,
            "people": self.people,
            "now": self.now,
            "answered": self.answered,
        }


async def candidates(context: ConsoleContext, text: str) -> Sequence[WeighedEntry]:
    """Return the entries that the bot ranks first."""
    return (await try_sentence(context, text)).candidates[:_MAX_CANDIDATES]


async def answers(
    workspace: Workspace, gap: Gap, proposal: Proposal | None = None, choice: WordingChoice | None = None
) -> Sequence[Answer]:
    """Try all wordings of a group, and the chosen one, with the live knowledge and with the proposed one."""
    wordings = {w.text: (w.times, w.people) for w in gap.cluster.wordings[:_MAX_TRIED]}
    if choice and choice.text not in wordings:
        wordings = {choice.text: (0, 0), **wordings}
    snapshot, day = workspace.snapshot, workspace.today()
    limits, texts = workspace.limits(snapshot), list(wordings)
    trial = (await workspace.trial(proposal))[0] if proposal else None

    def ask() -> list[Answer]:
        now = [d for d, _ in judge_many(texts, snapshot.index, limits=limits, today=day)]
        then: list[Decision | None] = [None] * len(texts)
        if trial is not None:
            then = [d for d, _ in judge_many(texts, trial.index, limits=limits, today=day)]
        return [_answer(t, *wordings[t], a, b) for t, a, b in zip(texts, now, then, strict=True)]

    return await asyncio.to_thread(ask)


def _answer(text: str, times: int, people: int, now: Decision, then: Decision | None) -> Answer:
    then_text = _in_words(then) if then else ""
    return Answer(text, times, people, _in_words(now), isinstance(now, Answered), then_text, isinstance(then, Answered))


def _in_words(decision: Decision) -> str:
    match decision:
        case Answered(entry):
            return f"回答「{entry.question}」"
        case Likely(entry):
            return f"给出可能的答案「{entry.question}」"
        case Offered(candidates):
            return f"列出 {len(candidates)} 条让对方选，先是「{candidates[0].entry.question}」"
        case _:
            return "答不上来"


def objection(workspace: Workspace, entry: Entry, text: str) -> str:
    """Return the reason why the wording cannot be added; empty if it can."""
    if not text:
        return "问法是空的，请写一句员工会问的话。"
    other = entry_search.one_by_question(workspace.snapshot, text)
    if other is None:
        return ""
    if other.id == entry.id:
        return "这个问法本来就写在这一条里。"
    return f"「{text}」已经写在「{other.question}」里。两条有同样的问法，机器人分不清，请先到那一条里删掉它。"


async def add(workspace: Workspace, who: str, choice: WordingChoice, seen: str) -> Entry:
    """Save the wording and return the entry as it is live then. Raises StaleEdit, EditError, FileSourceError."""
    revision = await workspace.load(choice.entry)
    revision.check_seen(seen)
    proposal = await revision.propose(add_wording, choice.text)
    if proposal.is_unchanged:
        return choice.entry
    return await workspace.save(who, proposal, "change") or choice.entry


async def take_back(workspace: Workspace, who: str, choice: WordingChoice) -> None:
    """Remove the wording again; everything else in the entry stays. Raises StaleEdit, EditError, FileSourceError."""
    revision = await workspace.load(choice.entry)
    draft = entry_to_fields(revision.entry)
    if choice.text not in draft.also:
        raise EditError("这个问法已经不在这一条里")
    without = replace(draft, also=tuple(w for w in draft.also if w != choice.text))
    await workspace.save(who, await revision.propose(change_entry, without), "change")
