"""What else a message may mean whose own words do not settle it: several questions, or one that leans on the one
before it. Says which texts to search for, and what their results come to. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from faqbot.language.follow_ups import expansions, own_words, without_asking
from faqbot.language.sentence_splitting import parts_of
from faqbot.model.conversation import ConversationState
from faqbot.model.decisions import Answered, Decision, MultiAnswer, Offered, Part, Unanswered
from faqbot.model.entries import Entry
from faqbot.search.contradictions import opposed

Fold = Callable[[str], str]

# From this score on a text is answered as a whole, whatever it could be cut into.
_SETTLED = 0.98
# So long is a question at least that says itself what it is about.
_OF_ITS_OWN = 5
_ANSWERS = (Answered, Offered, Unanswered)


@dataclass(frozen=True, slots=True)
class Readings:
    """`parts` are the questions a message may consist of. `longer` is, for each text that may lean on a question before
    it, what it may mean: for the parts after the first, or for the message itself."""

    parts: tuple[str, ...]
    longer: Mapping[str, tuple[str, ...]]

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts to search for."""
        return tuple(dict.fromkeys((*self.parts, *(text for texts in self.longer.values() for text in texts))))


def readings(
    text: str, decision: Decision, context: ConversationState, entries: Mapping[str, Entry]
) -> Readings | None:
    """How else `text` may be read that came to `decision`; None where its own words settle it."""
    if parts := parts_of(text):
        if isinstance(decision, Answered) and decision.score >= _SETTLED:
            return None
        return Readings(parts, {part: expansions(part, parts[:1]) for part in parts[1:]})
    if isinstance(decision, Answered) or context.last is None:
        return None
    last = entries.get(context.last.entry_id)
    longer = expansions(text, (context.last.question, last.question) if last else (context.last.question,))
    return Readings((), {text: longer}) if longer else None


def settle(text: str, decision: Decision, read: Readings, judged: Mapping[str, Decision], fold: Fold) -> Decision:
    """What the readings come to: `judged` holds the decision on each of their texts, `decision` that on the text as it
    stands, which is kept unless a reading is sure."""
    if not read.parts:
        return _followed(text, read, judged, fold) or decision
    parts = [Part(p, judged[p]) for p in read.parts]
    first = parts[0]
    resolved = [first, *(_resolved(part, read, judged, fold) for part in parts[1:])]
    answered = [p.decision for p in resolved if isinstance(p.decision, Answered)]
    if any(not isinstance(p.decision, _ANSWERS) for p in resolved):
        return decision
    if len({a.entry.id for a in answered}) == 1 and len(answered) == len(resolved):
        return answered[0]
    # What comes before an answered part may be its circumstance rather than a question.
    anchored = isinstance(first.decision, Answered) or len(answered) == len(resolved)
    distinct = len({a.entry.id for a in answered}) == len(answered)
    return MultiAnswer(tuple(resolved)) if anchored and distinct and _explains(resolved, decision, fold) else decision


def _explains(parts: Sequence[Part], whole: Decision, fold: Fold) -> bool:
    """Whether nothing is lost by answering the parts instead of the whole: where the whole has an answer, one of the
    parts has it too, and the others say themselves what they are about."""
    if not isinstance(whole, Answered) or all(isinstance(p.decision, Answered) for p in parts):
        return True
    same = any(isinstance(p.decision, Answered) and p.decision.entry.id == whole.entry.id for p in parts)
    return same and all(isinstance(p.decision, Answered) or len(fold(p.text)) >= _OF_ITS_OWN for p in parts)


def _resolved(part: Part, read: Readings, judged: Mapping[str, Decision], fold: Fold) -> Part:
    if isinstance(part.decision, Answered):
        return part
    followed = _followed(part.text, read, judged, fold)
    return Part(part.text, followed) if followed else part


def _followed(text: str, read: Readings, judged: Mapping[str, Decision], fold: Fold) -> Answered | None:
    """The one answer that the longer readings of a text are sure of."""
    own = fold(own_words(text))
    sure: dict[str, Answered] = {}
    for longer in read.longer.get(text, ()):
        found = judged[longer]
        if not isinstance(found, Answered) or opposed(text, found.question, found.entry):
            continue
        if _speaks_of(own, found, fold):
            best = sure.get(found.entry.id)
            if best is None or found.score > best.score:
                sure[found.entry.id] = found
    if len(sure) != 1:
        return None
    (answer,) = sure.values()
    return Answered(answer.entry, answer.score, answer.question, followed=True)


def _speaks_of(own: str, found: Answered, fold: Fold) -> bool:
    """Whether the wording that matched holds some of the text's own words, not those of the question before only."""
    wording = fold(found.question)
    # That both ask how is not enough: 怎么赔 is not 怎么用.
    return _holds(wording, [own]) and _holds(wording, without_asking(own))


def _holds(wording: str, words: Sequence[str]) -> bool:
    """Whether half of the words' pairs of characters stand in the wording."""
    pairs = [pair for word in words for pair in ([word[n : n + 2] for n in range(len(word) - 1)] or [word])]
    return sum(pair in wording for pair in pairs) * 2 >= len(pairs)
