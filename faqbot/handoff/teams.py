"""Teams: the owners whom a question may be handed to, by the entries that it is like. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faqbot.access.visibility import Allowed
from faqbot.dialogue.answer_policy import judge_allowed, lacks_subject
from faqbot.knowledge.snapshot import Snapshot
from faqbot.model.decisions import Answered
from faqbot.model.entries import NO_TOPIC, Candidate, Entry
from faqbot.model.plain_replies import TopicList
from faqbot.search.thresholds import Thresholds

# A team is sure from this sum of the probabilities of its entries on, if each other team has at most this share of it.
# The less probable it is, the farther behind the others must be. Measured on questions with known entries, also with
# the right entry left out, as those that people ask a person often have none.
_SURE = ((0.4, 0.35), (0.25, 0.2))
# A question is near a topic from this share of the probability on at which a list of entries would be offered.
_NEAR_SHARE = 0.5
# Teams with less than this share of the first one's sum are not listed.
_LISTED_SHARE = 0.1
_MAX_LISTED = 3
_MAX_TOPICS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Team:
    """An owner, the probability that they own what is asked, and the entry of theirs that is likest to it."""

    owner: str
    probability: float
    entry: Entry


@dataclass(frozen=True, slots=True)
class Route:
    """The entry whose owner is to be asked, or else the owners to pick from; neither if nothing is near."""

    entry: Entry | None = None
    owners: tuple[str, ...] = ()


def route(text: str, snapshot: Snapshot, allowed: Allowed, listed: Allowed, limits: Thresholds) -> Route:
    """Find out whose topic a question is about, with the care of an answer.

    allowed: entries that count; listed: entries whose topic may be shown to the asker where they wrote.
    """
    index = snapshot.index
    judged = judge_allowed(text, index, allowed, limits)
    if isinstance(judged.decision, Answered):
        return Route(judged.decision.entry)
    if isinstance(judged.decision, TopicList):
        topic = judged.decision.topic
        entries = [e for e in index.entries if (e.topic or NO_TOPIC) == topic and allowed(e)]
        teams = _teams([Candidate(entry, 1.0, entry.question) for entry in entries], snapshot)
    elif lacks_subject(text, index):
        return Route()
    else:
        teams = _teams(judged.ranking, snapshot)
    if teams and _is_sure(teams):
        return Route(teams[0].entry)
    return Route(owners=_to_list(teams, snapshot, listed)) if _is_near(judged.ranking, limits) else Route()


def entry_of_owner(text: str, owner: str, snapshot: Snapshot, allowed: Allowed) -> Entry | None:
    """Return the entry of an owner that is likest to a question; None if they have none that is allowed."""

    def theirs(entry: Entry) -> bool:
        return entry.owner.strip() == owner and allowed(entry)

    ranking = snapshot.index.search(text, allowed=theirs)
    return ranking[0].entry if ranking else next(filter(theirs, snapshot.index.entries), None)


def topics_of(owner: str, snapshot: Snapshot, listed: Allowed) -> str:
    """Name the topics that an owner keeps, as far as they may be shown; 等 stands for more."""
    entries = (entry for entry in snapshot.index.entries if entry.owner.strip() == owner and listed(entry))
    topics = list(dict.fromkeys(entry.topic for entry in entries if entry.topic))
    return "、".join(topics[:_MAX_TOPICS_NAMED]) + ("等" if len(topics) > _MAX_TOPICS_NAMED else "")


def _teams(ranking: Sequence[Candidate], snapshot: Snapshot) -> list[Team]:
    """Sum the scores up by the people who would be asked, the most probable first."""
    teams: dict[object, Team] = {}
    for candidate in ranking:
        owner = candidate.entry.owner.strip()
        # Two names for the same people are one team.
        people = snapshot.groups.owner_userids(owner) or owner
        first = teams.get(people, Team(owner, 0.0, candidate.entry))
        teams[people] = Team(first.owner, first.probability + candidate.score, first.entry)
    return sorted(teams.values(), key=lambda team: -team.probability)


def _is_sure(teams: Sequence[Team]) -> bool:
    first = teams[0].probability
    second = teams[1].probability if len(teams) > 1 else 0.0
    return any(first >= least and second <= share * first for least, share in _SURE)


def _is_near(ranking: Sequence[Candidate], limits: Thresholds) -> bool:
    return bool(ranking) and max(ranking[0].score, ranking[0].listed) >= limits.offer_at * _NEAR_SHARE


def _to_list(teams: Sequence[Team], snapshot: Snapshot, listed: Allowed) -> tuple[str, ...]:
    """Return the owners to pick from: those who can be asked, and own anything that may be shown."""
    probable = (t for t in teams if t.owner and t.probability >= teams[0].probability * _LISTED_SHARE)
    shown = {entry.owner.strip() for entry in snapshot.index.entries if listed(entry)}
    return tuple(t.owner for t in probable if t.owner in shown and snapshot.groups.owner_userids(t.owner))[:_MAX_LISTED]
