"""What to reply to a message: to a pick, an order, small talk, one question or several. Values in, one Decision out."""

from __future__ import annotations

from collections.abc import Hashable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from faqbot.access.privacy import near_private, private_entry
from faqbot.access.visibility import Allowed, answerable, listable
from faqbot.dialogue.answer_policy import NEAR, match_text, rounded
from faqbot.dialogue.choices import pick
from faqbot.dialogue.clarification import (
    ELSE,
    ELSE_NAME,
    case_name,
    case_of,
    case_within,
    cases_of,
    denies,
    may_reply,
    spoken_of,
)
from faqbot.dialogue.command_parser import read_order
from faqbot.dialogue.context import fresh
from faqbot.dialogue.query_rewriting import Readings, readings, settle
from faqbot.dialogue.ratings import read_rating
from faqbot.dialogue.small_talk import courtesy
from faqbot.language.normalize import normalise
from faqbot.model.conversation import ConversationState
from faqbot.model.decisions import (
    Answered,
    AskedBack,
    Decision,
    MultiAnswer,
    NoneOfThese,
    Offered,
    Part,
    PrivateReply,
    SmallTalk,
    SmallTalkKind,
    Unanswered,
)
from faqbot.model.entries import Candidate, Entry
from faqbot.model.group_settings import NO_GROUPS, Groups
from faqbot.model.messages import Message, MessageKind
from faqbot.search.arrays import Floats
from faqbot.search.index import Index, SearchQuery
from faqbot.search.thresholds import Thresholds

Found = MutableMapping[Hashable, Sequence[Candidate]]


@dataclass(frozen=True, slots=True)
class Case:
    """A message to decide on, with what its asker was offered last and, if there is one, the vector of its text.

    `departments` are those of the asker with all that they belong to, where an entry asks for them.
    """

    message: Message
    context: ConversationState | None = None
    meaning: Floats | None = None
    departments: frozenset[str] = frozenset()


def decide(case: Case, index: Index, *, limits: Thresholds, now: float, today: date) -> Decision:
    """Choose the one thing to reply. `now` is in epoch seconds and says whether the context still holds."""
    return decide_many([case], index, limits=limits, now=now, today=today)[0]


def decide_many(
    cases: Sequence[Case],
    index: Index,
    *,
    limits: Thresholds,
    now: float,
    today: date,
    known: Found | None = None,
    groups: Groups = NO_GROUPS,
) -> list[Decision]:
    """Decide on several messages; those that are questions are searched for together.

    `known` holds what was found for questions before, with the same index; what is found now is added.
    """
    found: Found = {} if known is None else known
    talks = [_talk(case, index, limits, now, today, groups) for case in cases]
    decisions = [talk.without_search() for talk in talks]
    open_ = [n for n, decision in enumerate(decisions) if decision is None]
    _find([(talks[n], talks[n].message.text, talks[n].meaning) for n in open_], found, index)
    asked = {n: talks[n].otherwise(talks[n].judged(talks[n].message.text, found, talks[n].meaning)) for n in open_}
    read = {n: again for n, decision in asked.items() if (again := talks[n].readings(decision))}
    _find([(talks[n], text, None) for n, again in read.items() for text in again.texts], found, index)
    for n, again in read.items():
        asked[n] = talks[n].settled(asked[n], again, found)
    return [
        talk.completed(asked[n] if decision is None else decision)
        for n, (talk, decision) in enumerate(zip(talks, decisions, strict=True))
    ]


def _talk(case: Case, index: Index, limits: Thresholds, now: float, today: date, groups: Groups) -> _Talk:
    message, conversation = case.message, case.message.conversation_id
    return _Talk(
        message=message,
        context=fresh(case.context, now),
        meaning=case.meaning,
        index=index,
        limits=limits,
        groups=groups,
        allowed=answerable(message, today, case.departments, groups),
        listed=listable(message, today, case.departments, groups),
        place=conversation if index.limited or groups.of(conversation).topics else "",
        departments=case.departments if index.by_department else None,
        today=today,
    )


def _find(wanted: Sequence[tuple[_Talk, str, Floats | None]], found: Found, index: Index) -> None:
    """Search for what is not found yet, all at once."""
    new = {
        key: SearchQuery(text, talk.allowed, meaning)
        for talk, text, meaning in wanted
        if (key := talk.key(text, meaning)) not in found
    }
    found.update(zip(new, index.search_batch(list(new.values())), strict=True))


@dataclass(frozen=True, slots=True)
class _Talk:
    """One message, what holds of its asker's context, and the knowledge of the moment.

    `allowed` says what the asker may get an answer to, `listed` what may be named where the message was written,
    `place` and `departments` what makes a difference to both.
    """

    message: Message
    context: ConversationState
    meaning: Floats | None
    index: Index
    limits: Thresholds
    groups: Groups
    allowed: Allowed
    listed: Allowed
    place: str
    departments: frozenset[str] | None
    today: date

    def key(self, text: str, meaning: Floats | None) -> Hashable:
        """Two texts with the same key find the same; a vector tells a text apart as well as the text does."""
        return text, self.place, self.departments, self.today, meaning is None

    def without_search(self) -> Decision | None:
        """The decision on what is no question: pictures, orders, small talk, picks from a list."""
        message = self.message
        if message.kind not in (MessageKind.TEXT, MessageKind.VOICE):
            return SmallTalk(SmallTalkKind.NOT_HEARD if message.kind is MessageKind.AUDIO else SmallTalkKind.NOT_TEXT)
        if self._names_case() and (reply := self.replied()):
            return reply
        order = read_order(message) or read_rating(message.text, self.context.last)
        if order and not self.index.has_wording(message.text):
            return order
        return (
            courtesy(message.text, self.index, self.listed)
            or pick(message.text, self.context, self.index, self.listed)
            or self.replied()
        )

    def _names_case(self) -> bool:
        """Whether the text is a case of what was asked back, to the letter: 过期 may be one and a rating elsewhere."""
        entry = self.index.by_id.get(self.context.pending)
        if entry is None or self.context.moved_on:
            return False
        return normalise(self.message.text) in (normalise(case_name(case)) for case in cases_of(entry))

    def replied(self) -> Answered | None:
        """The answer that a reply to what was asked back chooses, or one that corrects an earlier reply."""
        last = self.context.last.entry_id if self.context.last else ""
        for entry_id in filter(None, (self.context.pending, last)):
            entry = self.index.by_id.get(entry_id)
            if (
                entry is None
                or entry.ask is None
                or not self.listed(entry)
                or self.index.has_wording(self.message.text)
            ):
                continue
            if case := case_of(entry, self.message.text, self._sound):
                # A number holds for other ranges too, what it was one of does not.
                said = self.message.text.strip() if _has_number(self.message.text) else case_name(case)
                return Answered(entry, 1.0, entry.question, picked=True, case=case, said=said)
        return None

    def otherwise(self, decision: Decision) -> Decision:
        """What a reply in other words chooses, where nothing else is found for it and nothing was answered since."""
        entry = self.index.by_id.get(self.context.pending)
        if entry is None or not isinstance(decision, Unanswered) or self.context.moved_on or not self.listed(entry):
            return decision
        case = case_within(entry, self.message.text)
        if case is None:
            return self._unclear(entry, decision)
        # With none, all cases are shown.
        said = self.message.text.strip() if case == ELSE else case
        return Answered(entry, 1.0, entry.question, picked=True, case=case, said=said)

    def _unclear(self, entry: Entry, decision: Unanswered) -> Decision:
        """What may be a reply that nobody can tell, or no reply at all: nothing was found, and the cases once more."""
        text = self.message.text
        if entry.ask is None or not may_reply(text) or private_entry(self._discreet(decision, text)):
            return decision
        return AskedBack(entry, 0.0, entry.question, entry.ask, unclear=True)

    def _sound(self, text: str) -> str:
        return self.index.sound_of(self.index.fold(text))

    def judged(self, text: str, found: Found, meaning: Floats | None = None) -> Decision:
        return match_text(text, found[self.key(text, meaning)], self.index, self.listed, self.limits)

    def readings(self, decision: Decision) -> Readings | None:
        return readings(self.message.text, decision, self.context, self.index.by_id)

    def settled(self, decision: Decision, read: Readings, found: Found) -> Decision:
        judged = {text: self.judged(text, found) for text in read.texts}
        return settle(self.message.text, decision, read, judged, self.index.fold)

    def completed(self, decision: Decision) -> Decision:
        """The decision as it may be said here, with what may be asked next or whom to turn to."""
        decision = self._discreet(decision, self.message.text)
        match decision:
            case Answered():
                chosen = self._cased(decision)
                return rounded(chosen, self.index, self.listed, self.today) if isinstance(chosen, Answered) else chosen
            case PrivateReply(Answered() as inner):
                return replace(decision, decision=rounded(inner, self.index, self.allowed, self.today))
            case MultiAnswer():
                return self._with_ages(decision)
            case PrivateReply(MultiAnswer() as several):
                return replace(decision, decision=self._with_ages(several))
            case Unanswered(nearest):
                return replace(decision, contact=self._contact([c.entry for c in nearest if c.score >= NEAR]))
            case NoneOfThese():
                return replace(decision, contact=self._contact([]))
            case SmallTalk(SmallTalkKind.GREETING):
                return replace(decision, greeting=self.groups.of(self.message.conversation_id).greeting.strip())
            case _:
                return decision

    def _cased(self, decision: Answered) -> Answered | AskedBack:
        """The case that the question names, or that holds for the asker by what they said before; else they are asked,
        once."""
        entry = decision.entry
        if entry.ask is None or decision.case:
            return decision
        if words := spoken_of(entry, self.message.text):
            case = self._case_of_the_only(words, entry)
            if case is None:
                return AskedBack(entry, decision.score, decision.question, entry.ask)
            return replace(decision, case=case, said=words[0])
        fact = self.context.fact(entry.ask.name)
        if fact is None:
            return AskedBack(entry, decision.score, decision.question, entry.ask)
        if not fact.said:
            return decision
        case = case_of(entry, fact.said, self._sound)
        # 其他 is another set of cases there, and a range says nothing about ranges cut otherwise.
        if fact.entry_id != entry.id and (fact.said == ELSE_NAME or (case is None and _has_number(fact.said))):
            return AskedBack(entry, decision.score, decision.question, entry.ask)
        case = case or (ELSE if ELSE in entry.variants else "")
        if not case:
            return decision
        return replace(decision, case=case, said=fact.said, assumed=True)

    def _case_of_the_only(self, words: Sequence[str], entry: Entry) -> str | None:
        if len(words) > 1 or denies(normalise(self.message.text), words[0]):
            return None
        return case_of(entry, words[0], self._sound) or (ELSE if ELSE in entry.variants else None)

    def _with_ages(self, several: MultiAnswer) -> MultiAnswer:
        return MultiAnswer(tuple(replace(p, decision=self._with_age(p.decision)) for p in several.parts))

    def _with_age(self, decision: Decision) -> Decision:
        """A part of several with whether its answer is due for review; beside others there is no room for more."""
        if not isinstance(decision, Answered):
            return decision
        chosen = self._cased(decision)
        decision = chosen if isinstance(chosen, Answered) else decision
        return replace(rounded(decision, self.index, self.listed, self.today), related=())

    def _contact(self, near: Sequence[Entry]) -> str | None:
        """Whom an asker left alone twice may turn to: the group's contact, else who keeps what is near.

        Who keeps something else has nothing to do with it, and is not named.
        """
        if not self.context.misses:
            return None
        shown = (self.index.by_id.get(option.key) for option in self.context.options if option.kind == "entry")
        owners = (e.owner.strip() for e in (*near, *shown) if e is not None and e.owner.strip() and self.listed(e))
        return self.groups.of(self.message.conversation_id).contact.strip() or next(owners, "")

    def _discreet(self, decision: Decision, text: str) -> Decision:
        """What is or may be about a private matter is not said in front of colleagues."""
        if isinstance(decision, Unanswered):
            return replace(decision, hidden=self._hidden(text))
        if not self.message.is_group:
            return decision
        match decision:
            case MultiAnswer(parts):
                discreet = [Part(p.text, self._discreet(p.decision, p.text)) for p in parts]
                # Where one of them is private, none of the others may go without an answer.
                return (
                    PrivateReply(decision)
                    if any(isinstance(p.decision, PrivateReply) for p in discreet)
                    else MultiAnswer(tuple(discreet))
                )
            case Answered() | Offered() if private_entry(decision):
                return PrivateReply(decision)
            case Offered(candidates):
                # Far behind what was probably meant, a private question is left out of the list.
                return Offered(tuple(c for c in candidates if not c.entry.private))
            case _:
                return decision

    def _hidden(self, text: str) -> tuple[Candidate, ...]:
        """A private entry the question is probably about, where this asker may not see it, or whose topic it names."""
        if named := [e for e in self.index.private if e.topic and normalise(e.topic) == normalise(text)]:
            return (Candidate(named[0], 0.0, named[0].question),)
        if all(map(self.allowed, self.index.private)):
            return ()
        near = self.index.search(text, allowed=lambda entry: entry.private or self.allowed(entry))
        found = near_private(near)
        return tuple(c for c in near if c.entry is found)


def _has_number(text: str) -> bool:
    return any(character.isdigit() for character in normalise(text))
