"""One bare question: answer outright, offer a list or admit there is no answer. Knows no asker. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from faqbot.access.visibility import Allowed, open_to
from faqbot.dialogue.small_talk import courtesy
from faqbot.dialogue.topic_menu import topic_list
from faqbot.language.normalize import normalise
from faqbot.model.decisions import Answered, Decision, Offered, Unanswered
from faqbot.model.entries import NO_TOPIC, Candidate, Entry
from faqbot.search.arrays import Floats
from faqbot.search.contradictions import opposed
from faqbot.search.index import Explanation, Index, SearchQuery
from faqbot.search.thresholds import Thresholds

OFFERED_AT_MOST, RELATED_AT_MOST = 5, 3
# An entry joins a list that is sent anyway from this share of the bar.
_CLOSE = 0.3


# The second sign beside the score: so much of the question must occur in the entry's wordings at all.
COVERED_TO_ANSWER, COVERED_TO_OFFER = 0.3, 0.1
# From here on the nearest entry says at least who may know; below, its owner has nothing to do with the question.
NEAR = 0.06


def judge(
    text: str, index: Index, *, limits: Thresholds, today: date, meaning: Floats | None = None
) -> tuple[Decision, Sequence[Candidate]]:
    """Decide on one bare question without asker or context, with the ranking beside it (`ask`, `evaluate`)."""
    return judge_many([text], index, limits=limits, today=today, meanings=[meaning])[0]


def judge_many(
    texts: Sequence[str],
    index: Index,
    *,
    limits: Thresholds,
    today: date,
    meanings: Sequence[Floats | None] | None = None,
) -> list[tuple[Decision, Sequence[Candidate]]]:
    """judge() for many, searched together."""

    def allowed(entry: Entry) -> bool:
        return open_to(entry, today, None)

    vectors = meanings if meanings is not None else [None] * len(texts)
    rankings = index.search_batch([SearchQuery(t, allowed, v) for t, v in zip(texts, vectors, strict=True)])
    decisions = (
        courtesy(text, index, allowed) or match_text(text, ranking, index, allowed, limits)
        for text, ranking in zip(texts, rankings, strict=True)
    )
    return [
        (rounded(decision, index, allowed, today) if isinstance(decision, Answered) else decision, ranking)
        for decision, ranking in zip(decisions, rankings, strict=True)
    ]


def explain(text: str, index: Index, *, today: date, meaning: Floats | None = None) -> Sequence[Explanation]:
    """Why the candidates of `judge` came where they did, in the same order."""
    return index.explain(text, allowed=lambda e: open_to(e, today, None), meaning=meaning)


def match_text(text: str, ranking: Sequence[Candidate], index: Index, allowed: Allowed, limits: Thresholds) -> Decision:
    """The name of a topic opens the topic, unless HR wrote these very words as a question."""
    said = normalise(text)
    topic = index.topics.get(said) or (NO_TOPIC if said == NO_TOPIC else None)
    if topic is not None and not (ranking and ranking[0].score >= 1.0):
        listed = topic_list(topic, index, allowed)
        if listed.entries:
            return listed
    decision = choose(ranking, limits)
    if isinstance(decision, Answered) and opposed(text, decision.question, decision.entry):
        return _offer(ranking, limits)
    return decision


def choose(ranking: Sequence[Candidate], limits: Thresholds) -> Answered | Offered | Unanswered:
    """Answer outright, offer a numbered list, or admit there is no answer."""
    offers = tuple(c for c in ranking if c.score >= limits.offer_at and c.covered >= COVERED_TO_OFFER)
    if not offers:
        return Unanswered(nearest=tuple(ranking[:3]))
    best = offers[0]
    if best.score >= limits.answer_at and best.covered >= COVERED_TO_ANSWER:
        return Answered(best.entry, best.score, best.question)
    return _offer(ranking, limits)


def _offer(ranking: Sequence[Candidate], limits: Thresholds) -> Offered:
    """The list for what is doubtful; those that follow closely belong on it too."""
    likely = (c.score >= limits.offer_at and c.covered >= COVERED_TO_OFFER for c in ranking)
    close = (c for c, good in zip(ranking, likely, strict=True) if good or c.score >= limits.offer_at * _CLOSE)
    return Offered(tuple(close)[:OFFERED_AT_MOST])


def rounded(decision: Answered, index: Index, allowed: Allowed, day: date) -> Answered:
    """The answer with what may be asked next, and whether somebody should have looked at it again."""
    related = (index.by_id.get(key) for key in decision.entry.related)
    shown = tuple(e for e in related if e is not None and allowed(e))[:RELATED_AT_MOST]
    review = decision.entry.review
    return replace(decision, related=shown, overdue=review is not None and review < day)
