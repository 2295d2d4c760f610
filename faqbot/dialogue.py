"""What to do with a text: pick, command, small talk, answer, offer or admit. Values in, one Decision out."""

from __future__ import annotations

from collections.abc import Hashable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from faqbot.courtesy import courtesy
from faqbot.features import Floats
from faqbot.feedback import read_rating
from faqbot.knowledge.groups import NO_GROUPS, Groups
from faqbot.matching import Asked, Explanation, Index
from faqbot.memory import fresh
from faqbot.menus import topic_list
from faqbot.model import (
    NO_TOPIC,
    Answered,
    Aside,
    Candidate,
    Context,
    Decision,
    Entry,
    Message,
    MessageKind,
    NoneOfThese,
    Offered,
    Small,
    Smalltalk,
    Unanswered,
)
from faqbot.orders import read_order
from faqbot.permitted import Allowed, answerable, listable, open_to
from faqbot.picks import pick
from faqbot.polarity import opposed
from faqbot.privacy import near_private, private_entry
from faqbot.text import normalise

OFFERED_AT_MOST, RELATED_AT_MOST = 5, 3
# An entry joins a list that is sent anyway from this share of the bar.
_CLOSE = 0.3


@dataclass(frozen=True, slots=True)
class Limits:
    """Probabilities from which an entry is answered outright, and from which it is offered in a list."""

    answer_at: float
    offer_at: float


# The fitted bars; each knowledge base moves them by what its own wordings show (see calibration).
LIMITS = {
    "strict": Limits(answer_at=0.91, offer_at=0.25),
    "balanced": Limits(answer_at=0.86, offer_at=0.18),
    "lenient": Limits(answer_at=0.70, offer_at=0.12),
}
# The second sign beside the score: so much of the question must occur in the entry's wordings at all.
COVERED_TO_ANSWER, COVERED_TO_OFFER = 0.3, 0.1


@dataclass(frozen=True, slots=True)
class Case:
    """A message to decide on, with what its asker was offered last and, if there is one, the vector of its text.

    `departments` are those of the asker with all that they belong to, where an entry asks for them.
    """

    message: Message
    context: Context | None = None
    meaning: Floats | None = None
    departments: frozenset[str] = frozenset()


def decide(case: Case, index: Index, *, limits: Limits, now: float, today: date) -> Decision:
    """Choose the one thing to reply. `now` is in epoch seconds and says whether the context still holds."""
    return decide_many([case], index, limits=limits, now=now, today=today)[0]


def decide_many(
    cases: Sequence[Case],
    index: Index,
    *,
    limits: Limits,
    now: float,
    today: date,
    known: MutableMapping[Hashable, Sequence[Candidate]] | None = None,
    groups: Groups = NO_GROUPS,
) -> list[Decision]:
    """Decide on several messages; those that are questions are searched for together.

    `known` holds what was found for questions before, with the same index; what is found now is added.
    """
    seen = [_seen(case, groups, today) for case in cases]
    decisions = [_without_search(case, index, now, view) for case, view in zip(cases, seen, strict=True)]
    open_cases = [n for n, decision in enumerate(decisions) if decision is None]
    found: MutableMapping[Hashable, Sequence[Candidate]] = {} if known is None else known
    keys = {n: _same_for(cases[n], index, groups, today) for n in open_cases}
    new = [n for n in open_cases if keys[n] not in found]
    asked = [Asked(cases[n].message.text, seen[n].answerable, cases[n].meaning) for n in new]
    found.update(zip((keys[n] for n in new), index.search_batch(asked), strict=True))
    for number in open_cases:
        message, ranking = cases[number].message, found[keys[number]]
        decisions[number] = _match(message.text, ranking, index, seen[number].listable, limits)
    return [
        _completed(_discreet(decision, case.message, index, view), case, index, groups, now, view)
        for case, view, decision in zip(cases, seen, decisions, strict=True)
        if decision is not None
    ]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the asker may get an answer to, and what may be named where it was asked."""

    answerable: Allowed
    listable: Allowed
    day: date


def _seen(case: Case, groups: Groups, today: date) -> _Seen:
    whose = case.message, today, case.departments, groups
    return _Seen(answerable(*whose), listable(*whose), today)


def _completed(decision: Decision, case: Case, index: Index, groups: Groups, now: float, seen: _Seen) -> Decision:
    """The decision with what may be asked next, or whom to turn to."""
    match decision:
        case Answered():
            return _rounded(decision, index, seen.listable, seen.day)
        case Aside(Answered() as inner):
            return replace(decision, decision=_rounded(inner, index, seen.answerable, seen.day))
        case _:
            return _with_contact(decision, case, index, groups, now, seen)


def _rounded(decision: Answered, index: Index, allowed: Allowed, day: date) -> Answered:
    """The answer with what may be asked next, and whether somebody should have looked at it again."""
    related = (index.by_id.get(key) for key in decision.entry.related)
    shown = tuple(e for e in related if e is not None and allowed(e))[:RELATED_AT_MOST]
    review = decision.entry.review
    return replace(decision, related=shown, overdue=review is not None and review < day)


def _with_contact(decision: Decision, case: Case, index: Index, groups: Groups, now: float, seen: _Seen) -> Decision:
    """Name a person to whoever was left without an answer before: the group's contact, else who keeps what is near."""
    if not isinstance(decision, Unanswered | NoneOfThese):
        return decision
    context = fresh(case.context, now)
    if not context.misses:
        return decision
    near = [c.entry for c in decision.nearest] if isinstance(decision, Unanswered) else []
    near += [e for option in context.options if option.kind == "entry" and (e := index.by_id.get(option.key))]
    owners = (e.owner.strip() for e in near if e.owner.strip() and seen.listable(e))
    contact = groups.of(case.message.conversation_id).contact.strip() or next(owners, "")
    return replace(decision, contact=contact)


def _same_for(case: Case, index: Index, groups: Groups, today: date) -> Hashable:
    """Two messages with the same key find the same; a vector tells a text apart as well as the text does."""
    conversation = case.message.conversation_id
    place = conversation if index.limited or groups.of(conversation).topics else ""
    departments = case.departments if index.by_department else None
    return case.message.text, place, departments, today, case.meaning is None


def _without_search(case: Case, index: Index, now: float, seen: _Seen) -> Decision | None:
    """The decision on what is no question: pictures, commands, picks from a list."""
    message = case.message
    if message.kind not in (MessageKind.TEXT, MessageKind.VOICE):
        return Smalltalk(Small.NOT_HEARD if message.kind is MessageKind.AUDIO else Small.NOT_TEXT)
    context = fresh(case.context, now)
    order = read_order(message) or read_rating(message.text, context.last)
    if order and not index.has_wording(message.text):
        return order
    return courtesy(message.text, index, seen.listable) or pick(message.text, context, index, seen.listable)


def _discreet(decision: Decision, message: Message, index: Index, seen: _Seen) -> Decision:
    """What is or may be about a private matter is not said in front of colleagues."""
    if isinstance(decision, Unanswered):
        return replace(decision, hidden=_hidden(message, index, seen.answerable))
    if not message.is_group or not isinstance(decision, (Answered, Offered)):
        return decision
    if private_entry(decision):
        return Aside(decision)
    if isinstance(decision, Offered):
        # Far behind what was probably meant, a private question is left out of the list.
        return Offered(tuple(c for c in decision.candidates if not c.entry.private))
    return decision


def _hidden(message: Message, index: Index, allowed: Allowed) -> tuple[Candidate, ...]:
    """A private entry the question is probably about, where this asker may not see it."""
    if all(map(allowed, index.private)):
        return ()
    near = index.search(message.text, allowed=lambda entry: entry.private or allowed(entry))
    found = near_private(near)
    return tuple(c for c in near if c.entry is found)


def judge(
    text: str, index: Index, *, limits: Limits, today: date, meaning: Floats | None = None
) -> tuple[Decision, Sequence[Candidate]]:
    """Decide on one bare question without asker or context, with the ranking beside it (`ask`, `evaluate`)."""
    return judge_many([text], index, limits=limits, today=today, meanings=[meaning])[0]


def judge_many(
    texts: Sequence[str],
    index: Index,
    *,
    limits: Limits,
    today: date,
    meanings: Sequence[Floats | None] | None = None,
) -> list[tuple[Decision, Sequence[Candidate]]]:
    """judge() for many, searched together."""

    def allowed(entry: Entry) -> bool:
        return open_to(entry, today, None)

    vectors = meanings if meanings is not None else [None] * len(texts)
    rankings = index.search_batch([Asked(t, allowed, v) for t, v in zip(texts, vectors, strict=True)])
    decisions = (
        courtesy(text, index, allowed) or _match(text, ranking, index, allowed, limits)
        for text, ranking in zip(texts, rankings, strict=True)
    )
    return [
        (_rounded(decision, index, allowed, today) if isinstance(decision, Answered) else decision, ranking)
        for decision, ranking in zip(decisions, rankings, strict=True)
    ]


def explain(text: str, index: Index, *, today: date, meaning: Floats | None = None) -> Sequence[Explanation]:
    """Why the candidates of `judge` came where they did, in the same order."""
    return index.explain(text, allowed=lambda e: open_to(e, today, None), meaning=meaning)


def _match(text: str, ranking: Sequence[Candidate], index: Index, allowed: Allowed, limits: Limits) -> Decision:
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


def choose(ranking: Sequence[Candidate], limits: Limits) -> Answered | Offered | Unanswered:
    """Answer outright, offer a numbered list, or admit there is no answer."""
    offers = tuple(c for c in ranking if c.score >= limits.offer_at and c.covered >= COVERED_TO_OFFER)
    if not offers:
        return Unanswered(nearest=tuple(ranking[:3]))
    best = offers[0]
    if best.score >= limits.answer_at and best.covered >= COVERED_TO_ANSWER:
        return Answered(best.entry, best.score, best.question)
    return _offer(ranking, limits)


def _offer(ranking: Sequence[Candidate], limits: Limits) -> Offered:
    """The list for what is doubtful; those that follow closely belong on it too."""
    likely = (c.score >= limits.offer_at and c.covered >= COVERED_TO_OFFER for c in ranking)
    close = (c for c, good in zip(ranking, likely, strict=True) if good or c.score >= limits.offer_at * _CLOSE)
    return Offered(tuple(close)[:OFFERED_AT_MOST])
