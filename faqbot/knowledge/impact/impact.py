"""Compute the impact of an edit: past questions answered differently, wordings that miss their entry. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from faqbot.access.visibility import open_to
from faqbot.dialogue.answer_policy import decide_many
from faqbot.dialogue.small_talk import small_talk
from faqbot.knowledge.regression_questions import SavedQuestion
from faqbot.language.normalize import is_han, normalise, strip_fillers
from faqbot.model.decisions import Answered, Decision, Likely, Offered
from faqbot.model.entries import Candidate, Entry
from faqbot.search.index import Index, SearchQuery
from faqbot.search.terms import terms_of
from faqbot.search.thresholds import Thresholds

# The candidates an index found for each text on one day; passed in again, so that no text is searched for twice.
Rankings = dict[str, Sequence[Candidate]]
Judged = tuple[Decision, Sequence[Candidate]]

# An entry that covers less of a question than this is never offered, so its edit cannot matter to the question.
_SHARE_THAT_MATTERS = 0.1
# A typo shares no characters with the word that was meant, but sounds: this share of the pairs of syllables.
_SOUNDS_THAT_MATTER = 0.3
# An edit makes words rarer or commoner everywhere, which moves every score by less than this, in log-odds.
_CLOSE = 0.3
# Up to this number of questions, or of entries, all questions are searched for again: that takes a second or two. In a
# small base one edit also shifts the rarity of words so much that a guess at what it touches would miss some.
_FEW, _SMALL = 2000, 500


@dataclass(frozen=True, slots=True)
class OutcomeChange:
    """A question people asked, how often, and the decision on it before and after an edit."""

    question: str
    times: int
    before: Decision
    after: Decision


@dataclass(frozen=True, slots=True)
class Miss:
    """A wording of an entry that does not lead to this entry, and the decision on it."""

    entry: Entry
    wording: str
    decision: Decision


class Grade(IntEnum):
    """The outcome for a question whose right entry is known, the worst first."""

    WRONG = 0
    LIKELY_WRONG = 1
    LOST = 2
    LISTED = 3
    LIKELY_RIGHT = 4
    RIGHT = 5


class QuestionReplay:
    """The questions people asked, how often, and today's decisions, to compare an edit with.

    Built once for a state of the knowledge; that searches for every question.
    """

    def __init__(
        self,
        questions: Mapping[str, int],
        index: Index,
        *,
        limits: Thresholds,
        today: date,
        rankings: Rankings | None = None,
    ) -> None:
        self._times = dict(questions)
        self._index = index
        self._limits = limits
        self._today = today
        judged = judge(list(questions), index, limits, today, rankings)
        self._decisions = {q: decision for q, (decision, _) in zip(questions, judged, strict=True)}
        self._close = {q for q, (_, ranking) in zip(questions, judged, strict=True) if self._is_close(ranking)}

    def replay(self, after: Index, rankings: Rankings | None = None) -> list[OutcomeChange]:
        """Return the questions with another decision after the edit, most asked first.

        Only those that the edit can touch are searched for again.
        """
        edited = edited_entries(self._index.entries, after.entries)
        ids = {e.id for e in edited}
        touched = self._touched(edited, after)
        judged = judge(touched, after, self._limits, self._today, rankings)
        turns = [
            OutcomeChange(question, self._times[question], self._decisions[question], now)
            for question, (now, _) in zip(touched, judged, strict=True)
            if _gist(self._decisions[question], ids) != _gist(now, ids)
        ]
        return sorted(turns, key=lambda t: -t.times)

    def _is_close(self, ranking: Sequence[Candidate]) -> bool:
        """Return True if the best score is so near a threshold that rarer or commoner words alone may move it over."""
        if not ranking:
            return False
        limits, score = self._limits, ranking[0].score
        bars = (limits.answer_at, limits.likely_at, limits.offer_at)
        return any(abs(_odds(score) - _odds(bar)) < _CLOSE for bar in bars)

    def _touched(self, edited: Sequence[Entry], after: Index) -> list[str]:
        if not edited:
            return []
        if len(self._times) <= _FEW or len(after.entries) <= _SMALL:
            return list(self._times)
        folded = [after.fold(w) for entry in edited for w in (*entry.wordings, *entry.not_)]
        edited_terms = frozenset(f for text in folded for f in terms_of(text))
        edited_sounds = frozenset(pair for text in folded for pair in _pairs(after.sound_of(text)))

        def matters(question: str) -> bool:
            if question in self._close:
                return True
            text = after.fold(question)
            terms = terms_of(text)
            if not edited_terms.isdisjoint(terms):
                share = max(index.weight_share(terms, edited_terms) for index in (self._index, after))
                if share >= _SHARE_THAT_MATTERS:
                    return True
            pairs = _pairs(after.sound_of(text))
            return bool(pairs) and sum(p in edited_sounds for p in pairs) >= _SOUNDS_THAT_MATTER * len(pairs)

        return [q for q in self._times if matters(q)]


def judge(
    texts: Sequence[str], index: Index, limits: Thresholds, today: date, rankings: Rankings | None = None
) -> list[Judged]:
    """Decide on texts, searching only for those that `rankings` does not hold; their rankings are added there."""
    known = rankings if rankings is not None else {}
    new = [text for text in dict.fromkeys(texts) if text not in known]
    ranked = index.search_batch([SearchQuery(text, lambda e: open_to(e, today, None)) for text in new])
    known |= zip(new, ranked, strict=True)
    return decide_many(texts, [known[text] for text in texts], index, limits=limits, today=today)


def self_test(
    index: Index,
    *,
    limits: Thresholds,
    today: date,
    only: Iterable[str] | None = None,
    rankings: Rankings | None = None,
) -> list[Miss]:
    """Return the wordings that do not lead to their entry, of all entries that can be answered now or of those `only`.

    A likely answer, or a list with the entry on it, leads there. A wording that two entries share leads to either.
    """
    entry_ids = set(only) if only is not None else None
    wordings = [
        (entry, wording)
        for entry in index.entries
        if (entry_ids is None or entry.id in entry_ids) and open_to(entry, today, None)
        for wording in dict.fromkeys(entry.wordings)
    ]
    certain = _certain_wordings(index, today)
    wordings = [(entry, wording) for entry, wording in wordings if (entry.id, wording) not in certain]
    judged = judge([wording for _, wording in wordings], index, limits, today, rankings)
    return [
        Miss(entry, wording, decision)
        for (entry, wording), (decision, ranking) in zip(wordings, judged, strict=True)
        if not _leads_to(entry, decision, ranking)
    ]


def _certain_wordings(index: Index, today: date) -> set[tuple[str, str]]:
    """Return entry and text of the wordings that lead to their entry for certain, so that they need no search.

    The index is certain of the only entry that holds the very words of a question. That is known without a search where
    no other entry holds them, where nothing can be read as typed pinyin, and where the words are no small talk.
    """
    holders: dict[str, set[str]] = {}
    folded_texts: dict[tuple[str, str], str] = {}
    for entry in index.entries:
        for wording in dict.fromkeys(entry.wordings):
            words = strip_fillers(normalise(wording))
            holders.setdefault(words, set()).add(entry.id)
            folded_texts[entry.id, wording] = words
    return {
        key
        for key, words in folded_texts.items()
        if len(words) > 1
        and all(map(is_han, words))
        and len(holders[words]) == 1
        and small_talk(key[1], index, lambda e: open_to(e, today, None)) is None
    }


def saved_results(
    saved: Sequence[SavedQuestion],
    index: Index,
    *,
    limits: Thresholds,
    today: date,
    rankings: Rankings | None = None,
) -> list[tuple[Grade, Decision]]:
    """Return grade and decision of each saved question, in order."""
    judged = judge([s.question for s in saved], index, limits, today, rankings)
    return [(_grade(s.entry_ids, decision), decision) for s, (decision, _) in zip(saved, judged, strict=True)]


def _grade(right_ids: Collection[str], decision: Decision) -> Grade:
    match decision:
        case Answered(entry):
            return Grade.RIGHT if entry.id in right_ids else Grade.WRONG
        case Likely(entry):
            return Grade.LIKELY_RIGHT if entry.id in right_ids else Grade.LIKELY_WRONG
        case Offered(candidates) if any(c.entry.id in right_ids for c in candidates):
            return Grade.LISTED
        case _:
            return Grade.LOST if right_ids else Grade.RIGHT


def edited_entries(before: Sequence[Entry], after: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return both versions of each entry with a difference that can change answers."""
    old, new = {e.id: e for e in before}, {e.id: e for e in after}
    edited: list[Entry] = []
    for key in old.keys() | new.keys():
        was, now = old.get(key), new.get(key)
        if was is None or now is None or _matter(was) != _matter(now):
            edited += [e for e in (was, now) if e is not None]
    return tuple(edited)


def _matter(entry: Entry) -> tuple[object, ...]:
    """Return the fields of an entry that decide which questions lead to it and how these are answered."""
    return (
        entry.wordings, entry.not_, entry.answer, entry.variants, entry.valid, entry.draft, entry.held,
        entry.groups, entry.departments, entry.private,
    )  # fmt: skip


def _odds(probability: float) -> float:
    """Return the log-odds of a probability, in which differences near 0 and 1 count too."""
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))


def _pairs(sounds: str) -> list[str]:
    return [sounds[i : i + 2] for i in range(len(sounds) - 1)]


def _gist(decision: Decision, edited: Collection[str]) -> tuple[object, ...]:
    """Return the part of a decision that the asker would notice: the content, not the score.

    Of a list that is the first entry and the edited ones; its tail changes with every edit.
    """
    match decision:
        case Answered(entry):
            return ("answered", entry.id, entry.answer, tuple(entry.variants.items()))
        case Likely(entry):
            return ("likely", entry.id, entry.answer)
        case Offered(candidates):
            related = [c for c in candidates if c.entry.id in edited and c.covered >= _SHARE_THAT_MATTERS]
            on_list = [c.entry.question for c in related]
            return ("offered", candidates[0].entry.question, *on_list)
        case _:
            return (type(decision).__name__,)


def _leads_to(entry: Entry, decision: Decision, ranking: Sequence[Candidate]) -> bool:
    match decision:
        case Answered(other) | Likely(other):
            return other.id == entry.id or other.question == entry.question
        case Offered(candidates):
            return any(c.entry.id == entry.id for c in candidates)
        case _:
            # A wording such as 帮助 is also a call for help; it is enough that it finds its entry first.
            return bool(ranking) and ranking[0].entry.id == entry.id and ranking[0].score >= 1.0
