"""Answer policy: decide from the ranking whether to answer, offer a list or admit there is no answer. Pure.

Knows neither the asker nor the dialogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from faqbot.access.visibility import Allowed, open_to
from faqbot.dialogue.main_question import Judged, best_judged, question_inside
from faqbot.dialogue.small_talk import small_talk
from faqbot.dialogue.topic_menu import build_menu, list_topic
from faqbot.language.follow_ups import asks_the_same
from faqbot.language.normalize import is_mostly_chinese, normalise
from faqbot.language.pinyin import syllables
from faqbot.language.sentence_splitting import asks, questions_in
from faqbot.language.small_talk_words import is_unspecific
from faqbot.model.commands import Interpretation
from faqbot.model.decisions import Answered, AskedBack, Decision, Likely, Offered, PrivateReply, Unanswered
from faqbot.model.entries import NO_TOPIC, Candidate, Entry
from faqbot.model.plain_replies import Menu, TopicList
from faqbot.search.arrays import Floats
from faqbot.search.index import Explanation, Index, SearchQuery
from faqbot.search.thresholds import Thresholds

MAX_OFFERED, MAX_RELATED = 5, 3
# Entries from this share of the first one's score on join a list.
_JOIN_SHARE = 0.03
# A list without differences has at least so many lines.
_MIN_LINES = 3
# Beside the score, at least this share of the question must occur in the entry, or mean the same.
COVERED_TO_ANSWER = 0.15
# From this score on the question has the very words of the entry.
_VERY_WORDS_SCORE = 0.98
# A message of so few characters that asks nothing is the name of a thing.
_MAX_WORD_CHARS = 4
# A likely answer stands alone: every other candidate that could be meant has less than this share of its score.
_ALONE_SHARE = 0.5
# From this score on, the owner of the nearest entry may know the answer; below, they have nothing to do with it.
NEAR_SCORE = 0.06


def judge(
    text: str, index: Index, *, limits: Thresholds, today: date, embedding: Floats | None = None
) -> tuple[Decision, Sequence[Candidate]]:
    """Decide on one question without asker or dialogue state, for `ask` and `evaluate`; return the ranking, too."""
    return judge_many([text], index, limits=limits, today=today, embeddings=[embedding])[0]


def judge_allowed(text: str, index: Index, allowed: Allowed, limits: Thresholds) -> Judged:
    """Judge one question by the entries that are allowed, without dialogue state, and return the ranking, too."""
    ranking = index.search(text, allowed=allowed)
    judged = [Judged(decide_on_ranking(text, ranking, index, allowed, limits), ranking)]
    _judge_questions_inside([text], judged, index, allowed, limits)
    return judged[0]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The decision on a question and the ranking that it was made of; `embedding` is None where words alone ranked."""

    decision: Decision
    ranking: Sequence[Candidate]
    embedding: Floats | None


def judge_by_words_first(
    text: str,
    index: Index,
    *,
    limits: Thresholds,
    limits_by_meaning: Thresholds | None,
    today: date,
    embedding: Floats | None,
) -> Judgement:
    """Judge a question by words, and once more with its embedding if words are not sure, as the running bot does."""
    decision, ranking = judge(text, index, limits=limits, today=today)
    if embedding is None or limits_by_meaning is None or is_settled(decision):
        return Judgement(decision, ranking, None)
    decision, ranking = judge_many(
        [text], index, limits=limits_by_meaning, today=today, embeddings=[embedding], limits_inside=limits
    )[0]
    return Judgement(decision, ranking, embedding)


def judge_many(
    texts: Sequence[str],
    index: Index,
    *,
    limits: Thresholds,
    today: date,
    embeddings: Sequence[Floats | None] | None = None,
    limits_inside: Thresholds | None = None,
) -> list[tuple[Decision, Sequence[Candidate]]]:
    """Decide on many questions as judge() does, searching for all of them together.

    `limits_inside` hold for questions inside longer texts, which are searched for by words alone; `limits` by default.
    """

    def allowed(entry: Entry) -> bool:
        return open_to(entry, today, None)

    vectors = embeddings if embeddings is not None else [None] * len(texts)
    rankings = index.search_batch([SearchQuery(t, allowed, v) for t, v in zip(texts, vectors, strict=True)])
    return decide_many(texts, rankings, index, limits=limits, today=today, limits_inside=limits_inside)


def decide_many(
    texts: Sequence[str],
    rankings: Sequence[Sequence[Candidate]],
    index: Index,
    *,
    limits: Thresholds,
    today: date,
    limits_inside: Thresholds | None = None,
) -> list[tuple[Decision, Sequence[Candidate]]]:
    """Decide on questions whose rankings by this index on this day are known; return these beside the decisions.

    Where a question inside a longer text decides, its ranking is returned.
    """

    def allowed(entry: Entry) -> bool:
        return open_to(entry, today, None)

    judged = [
        Judged(
            small_talk(text, index, allowed) or decide_on_ranking(text, ranking, index, allowed, limits),
            ranking,
        )
        for text, ranking in zip(texts, rankings, strict=True)
    ]
    _judge_questions_inside(texts, judged, index, allowed, limits_inside or limits)
    decisions = (
        (ask_for_subject(text, index, allowed) if isinstance(one.decision, Unanswered) else None) or one.decision
        for text, one in zip(texts, judged, strict=True)
    )
    return [
        (with_remarks(decision, index, allowed, today), _ranking_as_decided(one.ranking, decision))
        for decision, one in zip(decisions, judged, strict=True)
    ]


def _ranking_as_decided(ranking: Sequence[Candidate], decision: Decision) -> Sequence[Candidate]:
    """Return the ranking with the differences that kept its entries from being answered with."""
    listed = decision.candidates if isinstance(decision, Offered) else ()
    found = {c.entry.id: c.differs for c in listed if c.differs}
    return tuple(replace(c, differs=found.get(c.entry.id, c.differs)) for c in ranking) if found else ranking


def _judge_questions_inside(
    texts: Sequence[str], judged: list[Judged], index: Index, allowed: Allowed, limits: Thresholds
) -> None:
    """Replace the decision on each text that the one question inside it decides better."""
    inside = {n: question_inside(text, judged[n].decision, index.fold) for n, text in enumerate(texts)}
    questions = {n: question for n, question in inside.items() if question is not None}
    variants = list(dict.fromkeys(variant for question in questions.values() for variant in question.variants))
    rankings = index.search_batch([SearchQuery(variant, allowed) for variant in variants])
    by_variant = {
        variant: Judged(decide_on_ranking(variant, ranking, index, allowed, limits), ranking)
        for variant, ranking in zip(variants, rankings, strict=True)
    }
    for n, question in questions.items():
        judged[n] = best_judged(question, judged[n], [by_variant[v] for v in question.variants])


def is_settled(interpretation: Interpretation) -> bool:
    """Return True if an embedding of the message cannot improve what was decided without one."""
    match interpretation:
        case PrivateReply(decision):
            return is_settled(decision)
        case Likely() | Offered() | Unanswered() | AskedBack(unclear=True):
            return False
        case _:
            return True


def explain(
    text: str, ranking: Sequence[Candidate], index: Index, *, today: date, embedding: Floats | None = None
) -> Sequence[Explanation]:
    """Explain the rank of each candidate of a `ranking` that judge() returned for `text`, in the same order.

    It may be the ranking of a question inside the text.
    """

    def allowed(entry: Entry) -> bool:
        return open_to(entry, today, None)

    ranked = [(candidate.entry.id, candidate.score) for candidate in ranking]
    inside = [(variant, None) for question in questions_in(text) for variant in question.variants]
    for searched, vector in ((text, embedding), *inside):
        found = index.search(searched, allowed=allowed, embedding=vector)
        if [(candidate.entry.id, candidate.score) for candidate in found] == ranked:
            return index.explain(searched, allowed=allowed, embedding=vector)
    return ()


def decide_on_ranking(
    text: str, ranking: Sequence[Candidate], index: Index, allowed: Allowed, limits: Thresholds
) -> Answered | Likely | Offered | Unanswered | TopicList:
    """Decide on a question from its ranking. The name of a topic opens the topic, unless it is also a wording.

    A question that does not say what it is about has no answer, however well a common word fits; nor has a text in
    another script that shares hardly a word with the nearest entry, such as an error message that was pasted.
    Whether the same holds for somebody else, 也一样吗, is never answered: what holds was said before.
    """
    topic = _topic_named(text, index)
    if topic is not None and not (ranking and ranking[0].score >= 1.0):
        topic_list = list_topic(topic, index, allowed)
        if topic_list.entries:
            return topic_list
    if lacks_subject(text, index) and not (ranking and is_unspecific(ranking[0].question)):
        return Unanswered()
    if ranking and _is_in_other_script(text, index) and ranking[0].covered < COVERED_TO_ANSWER:
        return Unanswered(nearest=tuple(ranking[:3]))
    decision = apply_thresholds(ranking, limits)
    if isinstance(decision, Answered | Likely) and (sharing := _sharing_the_word(text, ranking, index)):
        return Offered(sharing)
    if isinstance(decision, Answered | Likely) and asks_the_same(text) and not index.has_wording(text):
        return _offer(ranking)
    return decision


def _sharing_the_word(text: str, ranking: Sequence[Candidate], index: Index) -> tuple[Candidate, ...]:
    """Return the candidates that a single word names if it stands in the questions of several: 合同 asks nothing."""
    word = index.fold(text)
    if len(word) > _MAX_WORD_CHARS or asks(text) or index.has_wording(text):
        return ()
    sharing = tuple(c for c in ranking if word in index.fold(c.entry.question))[:MAX_OFFERED]
    return sharing if len(sharing) > 1 else ()


def _is_in_other_script(text: str, index: Index) -> bool:
    """Return True for a text that Chinese knowledge is like by chance only, unless they share words; not for pinyin."""
    if index.script != "han" or is_mostly_chinese(text):
        return False
    words = normalise(text).split()
    return 2 * sum(syllables(word) is not None for word in words) < len(words)


def ask_for_subject(text: str, index: Index, allowed: Allowed) -> Menu | None:
    """Ask back for the topic of a question that does not say what it is about; None for any other."""
    return build_menu(filter(allowed, index.entries), unspecific=True) if lacks_subject(text, index) else None


def lacks_subject(text: str, index: Index) -> bool:
    """Return True if a text does not say what it is about, unless HR wrote it for an entry or named a topic so."""
    return is_unspecific(text) and _topic_named(text, index) is None and not index.has_wording(text)


def _topic_named(text: str, index: Index) -> str | None:
    words = normalise(text)
    return index.topics.get(words) or (NO_TOPIC if words == NO_TOPIC else None)


def apply_thresholds(ranking: Sequence[Candidate], limits: Thresholds) -> Answered | Likely | Offered | Unanswered:
    """Answer, show the likely answer, offer a numbered list, or admit there is no answer."""
    best = ranking[0] if ranking else None
    if best is None or max(best.score, best.listed) < limits.offer_at:
        return Unanswered(nearest=tuple(ranking[:3]))
    if best.covered < COVERED_TO_ANSWER or best.differs or _is_doubtful(best, limits):
        return _offer(ranking)
    if best.score >= limits.answer_at:
        return Answered(best.entry, best.score, best.question)
    if best.score >= limits.likely_at and _can_be_guessed(best) and _stands_alone(best, ranking, limits):
        return Likely(best.entry, best.score, best.question, _others(best, ranking))
    return _offer(ranking)


def _is_doubtful(best: Candidate, limits: Thresholds) -> bool:
    """Return True if an entry scores well where no list would be offered, so that the two probabilities disagree."""
    return 0 < best.listed < limits.offer_at and best.score < _VERY_WORDS_SCORE


def as_guess(candidates: Sequence[Candidate]) -> Likely | Offered:
    """Return a list, or the candidate that stands alone as a likely answer: a list of one is no choice."""
    first, *others = candidates
    is_rivalled = any(other.score >= first.score * _ALONE_SHARE for other in others)
    if is_rivalled or first.differs or not _can_be_guessed(first):
        return Offered(tuple(candidates))
    return Likely(first.entry, first.score, first.question, tuple(others))


def _can_be_guessed(candidate: Candidate) -> bool:
    """Return True if the text of the entry may be shown to somebody who perhaps did not ask for it."""
    return not candidate.entry.private and candidate.entry.ask is None


def _stands_alone(best: Candidate, ranking: Sequence[Candidate], limits: Thresholds) -> bool:
    close = min(limits.likely_at, best.score * _ALONE_SHARE)
    # An entry that differs decisively is not meant, however alike the words are.
    return all(c is best or c.differs or c.score < close for c in ranking)


def _others(best: Candidate, ranking: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return the candidates to list if `best` is refused: those that are probable enough once it is ruled out."""
    least = _JOIN_SHARE * (1 - best.score)
    listed = (c for c in ranking if c is not best and c.score >= least)
    return tuple(listed)[:MAX_OFFERED]


def _offer(ranking: Sequence[Candidate]) -> Offered:
    """Build the list of the first candidates, without those that are hardly probable beside the best.

    One line is no choice, unless it is shown for what differs: the next candidates join it.
    """
    listed = tuple(c for c in ranking[:MAX_OFFERED] if c.score >= ranking[0].score * _JOIN_SHARE)
    is_choice = len(listed) > 1 or listed[0].differs
    return Offered(listed if is_choice else tuple(ranking[:_MIN_LINES]))


def with_remarks(decision: Decision, index: Index, allowed: Allowed, day: date) -> Decision:
    """Return the decision with what a reply says beside the answer: entries to ask next, an overdue review."""
    match decision:
        case Answered():
            return with_related(decision, index, allowed, day)
        case Likely():
            return replace(decision, overdue=is_overdue(decision.entry, day))
        case _:
            return decision


def with_related(decision: Answered, index: Index, allowed: Allowed, day: date) -> Answered:
    """Return the answer with the entries that may be asked next, and with `overdue` set by its review date."""
    related = (index.by_id.get(key) for key in decision.entry.related)
    listed = tuple(e for e in related if e is not None and allowed(e))[:MAX_RELATED]
    return replace(decision, related=listed, overdue=is_overdue(decision.entry, day))


def is_overdue(entry: Entry, day: date) -> bool:
    """Return True if the review of the entry was due before `day`."""
    return entry.review is not None and entry.review < day
