"""Query rewriting: search again in other words if a message's own find too little; merge the results. Pure.

A message may hold several questions, or be an elliptical one that leans on the question before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from faqbot.differences.finder import opposed
from faqbot.language.follow_ups import expansions, own_words, without_asking
from faqbot.language.sentence_splitting import parts_of
from faqbot.language.small_talk_words import is_unspecific
from faqbot.model.conversation import ConversationState
from faqbot.model.decisions import Answered, Decision, Likely, MultiAnswer, Offered, Part, Unanswered
from faqbot.model.entries import Entry

Fold = Callable[[str], str]

# From this score on a text is answered as a whole, even if it could be split.
_SCORE_NOT_TO_SPLIT = 0.98
# A question with at least this many characters says itself what it is about.
_MIN_COMPLETE_CHARS = 5
_SEARCHED = (Answered, Offered, Unanswered)


@dataclass(frozen=True, slots=True)
class QueryRewrites:
    """Other queries for one message.

    parts: the questions that it may consist of; empty for a single question.
    expansions: full questions that an elliptical text may mean, for the parts after the first or the message itself.
    """

    parts: tuple[str, ...]
    expansions: Mapping[str, tuple[str, ...]]

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts to search for."""
        return tuple(dict.fromkeys((*self.parts, *(text for texts in self.expansions.values() for text in texts))))

    def resolve(self, text: str, decision: Decision, decisions: Mapping[str, Decision], fold: Fold) -> Decision:
        """Decide on the message `text` from the decisions on each of `texts`.

        `decision` is the one on the text as it stands; it is kept unless a rewrite is sure. `fold` maps a text to the
        form that the index compares.
        """
        if not self.parts:
            return self._ellipsis_answer(text, decisions, fold) or self._ellipsis_guess(text, decisions) or decision
        first, *others = (Part(text, _without_guess(decisions[text])) for text in self.parts)
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
        answer = self._ellipsis_answer(part.text, decisions, fold)
        return Part(part.text, answer) if answer else part

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
    text: str, decision: Decision, state: ConversationState, entries: Mapping[str, Entry]
) -> QueryRewrites | None:
    """Rewrite a message whose own words came to `decision`; None if these settle it. `entries` are those by id."""
    if parts := parts_of(text):
        if isinstance(decision, Answered) and decision.score >= _SCORE_NOT_TO_SPLIT:
            return None
        return QueryRewrites(parts, {part: expansions(part, parts[:1]) for part in parts[1:]})
    last_answer = state.last_answer
    if isinstance(decision, Answered) or last_answer is None:
        return None
    entry = entries.get(last_answer.entry_id)
    previous = (last_answer.question, entry.question) if entry else (last_answer.question,)
    expanded = expansions(text, previous)
    return QueryRewrites((), {text: expanded}) if expanded else None


def _without_guess(decision: Decision) -> Decision:
    """Return the list instead of a likely answer: among several answers, 不是 would not say which one it refuses."""
    return decision.as_list if isinstance(decision, Likely) else decision


def _keeps_answer(parts: Sequence[Part], whole: Decision, fold: Fold) -> bool:
    """Return True if nothing is lost by answering the parts instead of the whole text.

    If the whole has an answer, one of the parts must have it too, and the others must say themselves what they are
    about.
    """
    if not isinstance(whole, Answered) or all(isinstance(p.decision, Answered) for p in parts):
        return True
    same = any(isinstance(p.decision, Answered) and p.decision.entry.id == whole.entry.id for p in parts)
    return same and all(isinstance(p.decision, Answered) or len(fold(p.text)) >= _MIN_COMPLETE_CHARS for p in parts)


def _mentions_own_words(own: str, answer: Answered, fold: Fold) -> bool:
    """Return True if the wording that matched has own words of the text, not only those of the question before."""
    wording = fold(answer.question)
    # It is not enough that both ask how: 怎么赔 is not 怎么用.
    return _holds_half(wording, [own]) and _holds_half(wording, without_asking(own))


def _holds_half(wording: str, words: Sequence[str]) -> bool:
    """Return True if half of the words' pairs of characters occur in the wording."""
    pairs = [pair for word in words for pair in ([word[n : n + 2] for n in range(len(word) - 1)] or [word])]
    return sum(pair in wording for pair in pairs) * 2 >= len(pairs)
