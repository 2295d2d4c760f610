"""Query rewriting: search again in other words if a message's own find too little; merge the results. Pure.

A message may hold several questions, or tell a story around one; of several, each may lean on the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from faqbot.dialogue.ellipsis import Fold, sure_answer
from faqbot.dialogue.main_question import Judged, best_judged, question_inside
from faqbot.language.follow_ups import expansions
from faqbot.language.normalize import skeleton
from faqbot.language.sentence_splitting import Question, questions_in
from faqbot.language.small_talk_words import is_unspecific
from faqbot.model.decisions import Answered, Decision, Likely, MultiAnswer, Offered, Part, Unanswered

# A question with at least this many characters says itself what it is about.
_MIN_COMPLETE_CHARS = 5
_SEARCHED = (Answered, Offered, Unanswered)


@dataclass(frozen=True, slots=True)
class QueryRewrites:
    """Other queries for one message.

    parts: the questions that it may consist of; empty for a single question.
    expansions: full questions that an elliptical part after the first may stand for.
    inside: the single question inside the message.
    """

    parts: tuple[Question, ...]
    expansions: Mapping[str, tuple[str, ...]]
    inside: Question | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts to search for."""
        questions = (*self.parts, self.inside) if self.inside else self.parts
        variants = (variant for question in questions for variant in question.variants)
        expanded = (text for texts in self.expansions.values() for text in texts)
        return tuple(dict.fromkeys((*variants, *expanded)))

    def resolve(self, text: str, decision: Decision, decisions: Mapping[str, Decision], fold: Fold) -> Decision:
        """Decide on the message `text` from the decisions on each of `texts`.

        `decision` is the one on the text as it stands; it is kept unless a rewrite is sure. `fold` maps a text to the
        form that the index compares.
        """
        if not self.parts:
            return _best_decision(self.inside, decision, decisions) if self.inside else decision
        on_parts = ((q.text, _best_decision(q, decisions[q.text], decisions)) for q in self.parts)
        first, *others = (Part(text, _without_guess(on_part)) for text, on_part in on_parts)
        parts = [first, *(self._resolved_part(part, decisions, fold) for part in others)]
        if any(not isinstance(p.decision, _SEARCHED) for p in parts):
            return decision
        answers = [p.decision for p in parts if isinstance(p.decision, Answered)]
        all_answered = len(answers) == len(parts)
        entry_ids = {answer.entry.id for answer in answers}
        if len(entry_ids) == 1 and all_answered:
            return answers[0]
        # A part before an answered one may be its circumstance rather than a question.
        is_anchored = isinstance(first.decision, Answered) or all_answered
        is_split = is_anchored and len(entry_ids) == len(answers) and _keeps_answer(parts, decision, fold)
        return MultiAnswer(tuple(parts)) if is_split else decision

    def _resolved_part(self, part: Part, decisions: Mapping[str, Decision], fold: Fold) -> Part:
        if isinstance(part.decision, Answered):
            return part
        expanded = (decisions[expansion] for expansion in self.expansions.get(part.text, ()))
        if answer := sure_answer(part.text, expanded, fold):
            return Part(part.text, answer)
        guess = self._ellipsis_guess(part.text, decisions)
        return Part(part.text, _without_guess(guess)) if guess else part

    def _ellipsis_guess(self, text: str, decisions: Mapping[str, Decision]) -> Likely | Offered | None:
        """Return what a text without a subject, such as 怎么申请, may mean after the question before."""
        if not is_unspecific(text):
            return None
        found = (decisions[expansion] for expansion in self.expansions.get(text, ()))
        return max(
            (decision for decision in found if isinstance(decision, Likely | Offered)),
            key=lambda guess: guess.score if isinstance(guess, Likely) else guess.candidates[0].score,
            default=None,
        )


def rewrite(text: str, decision: Decision, fold: Fold) -> QueryRewrites | None:
    """Rewrite a message whose own words came to `decision`; None if these settle it."""
    parts = questions_in(text)
    if len(parts) > 1:
        if isinstance(decision, Answered) and skeleton(fold(decision.question)) == skeleton(fold(text)):
            # HR wrote all of it as one question.
            return None
        return QueryRewrites(parts, {part.text: expansions(part.text, (parts[0].text,)) for part in parts[1:]})
    if isinstance(decision, Answered):
        return None
    inside = question_inside(text, decision, fold)
    return QueryRewrites((), {}, inside) if inside else None


def _best_decision(question: Question, whole: Decision, decisions: Mapping[str, Decision]) -> Decision:
    on_variants = [Judged(decisions[variant]) for variant in question.variants]
    return best_judged(question, Judged(whole), on_variants).decision


def _without_guess(decision: Decision) -> Decision:
    """Return the list instead of a likely answer: among several answers, 不是 would not say which one it refuses."""
    return decision.as_list if isinstance(decision, Likely) else decision


def _keeps_answer(parts: Sequence[Part], whole: Decision, fold: Fold) -> bool:
    """Return True if nothing is lost by answering the parts instead of the whole text.

    If the whole has an answer, one of the parts must have it too, and the others must say themselves what they are
    about or lead to a list.
    """
    if not isinstance(whole, Answered) or all(isinstance(p.decision, Answered) for p in parts):
        return True
    same = any(isinstance(p.decision, Answered) and p.decision.entry.id == whole.entry.id for p in parts)
    return same and all(
        isinstance(p.decision, Answered | Offered) or len(fold(p.text)) >= _MIN_COMPLETE_CHARS for p in parts
    )
