"""Assemble the preview of an edit before it is saved: new problems, and its impact."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from faqbot.knowledge.editing.revision import Proposal
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.impact.impact import Grade, Miss, OutcomeChange, edited_entries, saved_results, self_test
from faqbot.knowledge.impact.past_questions import JudgedQuestions, PastQuestions, key_of
from faqbot.knowledge.snapshot import Snapshot
from faqbot.model.decisions import Answered, Decision, Likely, Offered, Unanswered
from faqbot.model.entries import Problem


@dataclass(frozen=True, slots=True)
class WordingTest:
    """One wording, put to the bot: True if it leads to its entry, else the decision in words."""

    wording: str
    right: bool
    said: str


@dataclass(frozen=True, slots=True)
class QuestionChange:
    """A question people asked, how often, and the decisions on it before and after, in words."""

    question: str
    times: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class WorseAnswer:
    """A saved question with a worse decision after the change: wanted, before and after, in words."""

    question: str
    wanted: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RegressionResults:
    """The number of saved questions that were tried, and those with a worse decision after the change."""

    asked: int
    worse: tuple[WorseAnswer, ...]


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """The result of a check. A part that was not checked is None."""

    problems: tuple[Problem, ...] = ()
    self_test: tuple[WordingTest, ...] | None = None
    changes: tuple[QuestionChange, ...] | None = None
    saved: RegressionResults | None = None

    @property
    def ok(self) -> bool:
        """True if the change may be saved; warnings do not prevent that."""
        return not any(p.is_error for p in self.problems)


async def find_problems(workspace: Workspace, proposal: Proposal) -> ChangePreview:
    """Build the knowledge with the changed file and return its new problems; the check before a save."""
    _, new = await workspace.trial(proposal)
    return ChangePreview(problems=new)


async def preview_effects(workspace: Workspace, past_questions: PastQuestions, proposal: Proposal) -> ChangePreview:
    """Return the new problems, and the changed answers if there is no error among them."""
    trial, new = await workspace.trial(proposal)
    if any(p.is_error for p in new):
        return ChangePreview(problems=new)
    return await _with_trials(workspace, past_questions, proposal, trial, new)


async def _with_trials(
    workspace: Workspace, past_questions: PastQuestions, proposal: Proposal, trial: Snapshot, new: tuple[Problem, ...]
) -> ChangePreview:
    """Try every wording, every saved question and every past question with the knowledge after the edit."""
    known = await past_questions.known()
    limits, today = workspace.limits(known.snapshot), workspace.today()

    def run() -> tuple[list[Miss], list[OutcomeChange], RegressionResults]:
        rankings = past_questions.rankings(trial.index, today)
        misses = self_test(trial.index, limits=limits, today=today, rankings=rankings)
        results = saved_results(trial.saved, trial.index, limits=limits, today=today, rankings=rankings)
        return misses, known.past.replay(trial.index, rankings), _saved(trial, known, results)

    misses, turns, saved = await asyncio.to_thread(run)
    edited = {e.id for e in edited_entries(known.snapshot.index.entries, trial.index.entries)}
    failed = {key_of(m): m for m in misses}
    own = [
        WordingTest(w, (e.id, w) not in failed, _in_words(failed[e.id, w].decision) if (e.id, w) in failed else "")
        for e in trial.index.entries
        if e.id in edited
        for w in dict.fromkeys(e.wordings)
    ]
    # Wordings of other entries that lead to their entry now and would not any more.
    others = [
        WordingTest(m.wording, False, f"（{m.entry.question}）{_in_words(m.decision)}")
        for key, m in failed.items()
        if m.entry.id not in edited and key not in known.misses
    ]
    changes = [QuestionChange(t.question, t.times, _in_words(t.before), _words_after(t)) for t in turns]
    return ChangePreview(new, (*own, *others), tuple(changes), saved)


def _saved(trial: Snapshot, known: JudgedQuestions, results: Sequence[tuple[Grade, Decision]]) -> RegressionResults:
    worse: list[WorseAnswer] = []
    for saved, (grade, decision) in zip(trial.saved, results, strict=True):
        before = known.saved.get(saved.question)
        if before is not None and grade < before[0]:
            best = saved.entry_ids[0] if saved.entry_ids else ""
            entry = known.snapshot.entry(best) or trial.entry(best)
            expected = f"回答「{entry.question}」" if entry else "、".join(saved.entry_ids) or "没有找到"
            worse.append(WorseAnswer(saved.question, expected, _in_words(before[1]), _in_words(decision)))
    return RegressionResults(len(results), tuple(worse))


def _words_after(turn: OutcomeChange) -> str:
    """Return the decision after the change in words, with the difference where both read the same."""
    after = _in_words(turn.after)
    if after != _in_words(turn.before):
        return after
    return f"{after}（内容改了）" if isinstance(turn.after, Answered | Likely) else f"{after}（后面的变了）"


def _in_words(decision: Decision) -> str:
    match decision:
        case Answered(entry):
            return f"回答「{entry.question}」"
        case Likely(entry):
            return f"给出可能的答案「{entry.question}」"
        case Offered(candidates):
            return f"列出候选，第一条是「{candidates[0].entry.question}」"
        case Unanswered():
            return "没有找到"
        case _:
            return "当作命令"
