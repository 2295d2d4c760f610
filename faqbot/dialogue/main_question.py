"""Main question: decides on a message by the one question inside it where the whole text is not sure. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from faqbot.differences.finder import differences_between
from faqbot.language.sentence_splitting import Question, questions_in
from faqbot.model.decisions import Answered, Decision, Likely, Offered, Unanswered
from faqbot.model.differences import Difference
from faqbot.model.entries import Candidate

# A candidate with less than this share of the score of the first is no rival to it.
_CLOSE_SHARE = 0.4

Fold = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Judged:
    """The decision on a text, with the ranking that it was made of where it is wanted."""

    decision: Decision
    ranking: Sequence[Candidate] = ()


def question_inside(text: str, decision: Decision, fold: Fold) -> Question | None:
    """Return the question to search for beside the whole message; None where `decision`, that on the whole, settles it,
    or where the message has several questions or is nothing but its question."""
    if not isinstance(decision, Likely | Offered | Unanswered):
        return None
    questions = questions_in(text)
    if len(questions) != 1:
        return None
    whole = fold(text)
    return questions[0] if any(fold(variant) != whole for variant in questions[0].variants) else None


def best_judged(question: Question, whole: Judged, on_variants: Sequence[Judged]) -> Judged:
    """Choose between the decision on a whole message and those on the variants of its question.

    What was told around a question says nothing, so the stronger decision counts. Its circumstances may say what it is
    about, so an answer without them counts only if they point to the same entry or to none; else it is one to choose.
    Nothing that was said may speak against an answer.
    """
    by_variant = dict(zip(question.variants, (_unless_opposed(question.said, one) for one in on_variants), strict=True))
    with_circumstances = by_variant[question.text]
    # Of equally strong decisions the first stays.
    best = max(whole, with_circumstances, key=lambda judged: _strength(judged.decision))
    alone = by_variant.get(question.alone, with_circumstances)
    told = by_variant.get(question.told)
    points_elsewhere = told is not None and _strength(told.decision)[0] > 0 and _is_about_other(told, alone)
    if isinstance(alone.decision, Answered | Likely) and (
        points_elsewhere or not _points_to(alone.decision.entry.id, best.decision)
    ):
        alone = _as_list(alone.decision, alone.ranking)
    is_same = _first_entry_id(alone.decision) in {_first_entry_id(one.decision) for one in (whole, with_circumstances)}
    return alone if is_same and _strength(alone.decision)[0] > _strength(best.decision)[0] else best


def _unless_opposed(said: str, judged: Judged) -> Judged:
    decision = judged.decision
    if not isinstance(decision, Answered | Likely):
        return judged
    differs = differences_between(said, decision.question, decision.entry)
    return _as_list(decision, judged.ranking, differs) if differs else judged


def _as_list(answer: Answered | Likely, ranking: Sequence[Candidate], differs: tuple[Difference, ...] = ()) -> Judged:
    first = Candidate(answer.entry, answer.score, answer.question, differs=differs)
    return Judged(Offered((first, *(answer.others if isinstance(answer, Likely) else ()))), ranking)


def _is_about_other(one: Judged, other: Judged) -> bool:
    return _first_entry_id(one.decision) != _first_entry_id(other.decision)


def _points_to(entry_id: str, decision: Decision) -> bool:
    """Return True if the entry is a guess, or first in a list without another that is nearly as probable."""
    if isinstance(decision, Likely):
        return decision.entry.id == entry_id
    if not isinstance(decision, Offered):
        return False
    first, *others = decision.candidates
    return first.entry.id == entry_id and all(other.score < first.score * _CLOSE_SHARE for other in others)


def _strength(decision: Decision) -> tuple[int, float]:
    """Return the kind of a decision, the surest highest, and its score."""
    match decision:
        case Answered():
            return 3, decision.score
        case Likely():
            return 2, decision.score
        case Offered(candidates):
            return 1, candidates[0].score
        case Unanswered(nearest):
            return 0, nearest[0].score if nearest else 0.0
        case _:
            return 4, 0.0


def _first_entry_id(decision: Decision) -> str:
    match decision:
        case Answered() | Likely():
            return decision.entry.id
        case Offered(candidates) | Unanswered(candidates) if candidates:
            return candidates[0].entry.id
        case _:
            return ""
