"""Query rewriting: search again in other words if a message's own find too little; merge the results. Pure.

A message may hold several questions, or be an elliptical one that leans on the question before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from faqbot.dialogue.main_question import Judged, best_judged, question_inside
from faqbot.differences.finder import opposed
from faqbot.language.follow_ups import expansions, own_words, without_asking
from faqbot.language.normalize import skeleton
from faqbot.language.sentence_splitting import Question, questions_in
from faqbot.language.small_talk_words import is_unspecific
from faqbot.model.conversation import ConversationState
from faqbot.model.decisions import Answered, Decision, Likely, MultiAnswer, Offered, Part, Unanswered
from faqbot.model.entries import Entry

Fold = Callable[[str], str]

# A question with at least this many characters says itself what it is about.
_MIN_COMPLETE_CHARS = 5
_SEARCHED = (Answered, Offered, Unanswered)


@dataclass(frozen=True, slots=True)
class QueryRewrites:
    """Other queries for one message.

    parts: the questions that it may consist of; empty for a single question.
    expansions: full questions that an elliptical text may mean, for the parts after the first or the message itself.
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
            if self.inside:
                decision = _best_decision(self.inside, decision, decisions)
            if isinstance(decision, Answered):
                return decision
            return self._ellipsis_answer(text, decisions, fold) or self._ellipsis_guess(text, decisions) or decision
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
        if answer := self._ellipsis_answer(part.text, decisions, fold):
            return Part(part.text, answer)
        guess = self._ellipsis_guess(part.text, decisions)
        return Part(part.text, _without_guess(guess)) if guess else part

    def _ellipsis_answer(self, text: str, decisions: Mapping[str, Decision], fold: Fold) -> Answered | None:
        """Return the one answer that the expansions of a text are sure of; None if there are several or none."""
        own = fold(own_words(text))
        best_by_entry: dict[str, Answered] = {}
        for expansion in self.expansions.get(text, ()):
            answer = decisions[expansion]
            if not isinstance(answer, Answered) or opposed(text, answer.question, answer.entry):
                continue
            if _mentions_own_words(own, answer, fold):
                best = best_by_entry.get(answer.entry.id)
                if best is None or answer.score > best.score:
                    best_by_entry[answer.entry.id] = answer
        if len(best_by_entry) != 1:
            return None
        (answer,) = best_by_entry.values()
        return Answered(answer.entry, answer.score, answer.question, is_follow_up=True)

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


def rewrite(
    text: str, decision: Decision, state: ConversationState, entries: Mapping[str, Entry], fold: Fold
) -> QueryRewrites | None:
    """Rewrite a message whose own words came to `decision`; None if these settle it. `entries` are those by id."""
    parts = questions_in(text)
    if len(parts) > 1:
        if isinstance(decision, Answered) and skeleton(fold(decision.question)) == skeleton(fold(text)):
            # HR wrote all of it as one question.
            return None
        return QueryRewrites(parts, {part.text: expansions(part.text, (parts[0].text,)) for part in parts[1:]})
    if isinstance(decision, Answered):
        return None
    inside = question_inside(text, decision, fold)
    expanded: tuple[str, ...] = ()
    if (last_answer := state.last_answer) is not None:
        entry = entries.get(last_answer.entry_id)
        expanded = expansions(text, (last_answer.question, entry.question) if entry else (last_answer.question,))
    return QueryRewrites((), {text: expanded}, inside) if inside or expanded else None


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


def _mentions_own_words(own: str, answer: Answered, fold: Fold) -> bool:
    """Return True if the wording that matched has own words of the text, not only those of the question before."""
    wording = fold(answer.question)
    # It is not enough that both ask how: 怎么赔 is not 怎么用.
    return _holds_half(wording, [own]) and _holds_half(wording, without_asking(own))


def _holds_half(wording: str, words: Sequence[str]) -> bool:
    """Return True if half of the words' pairs of characters occur in the wording."""
    pairs = [pair for word in words for pair in ([word[n : n + 2] for n in range(len(word) - 1)] or [word])]
    return sum(pair in wording for pair in pairs) * 2 >= len(pairs)
