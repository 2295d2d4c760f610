"""Dialogue state of one asker in one conversation: the list that was sent, the last answer, slots, recent replies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a numbered list that was sent: an entry to answer, a topic to open, one of the cases of an answer
    (`ask`), a team to answer a ticket, or "none of these"."""

    kind: Literal["entry", "topic", "case", "team", "none"]
    key: str

    @classmethod
    def of_case(cls, entry_id: str, case: str) -> Option:
        """Build the option that stands for one case of an entry's answer."""
        return cls("case", f"{entry_id}\n{case}")

    @classmethod
    def of_team(cls, ticket: int, owner: str) -> Option:
        """Build the option that hands a ticket to the team of this name; to none of those listed without one."""
        return cls("team", f"{ticket}\n{owner}")


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """The answer an asker got last in a conversation. 为什么, 没用 and elliptical questions refer to it.

    `question` is HR's wording that matched; `slot_value` is the asker's statement by which the case was chosen, if any.
    `asked_at` is when its question was asked, where it was found again by a quote; 0 where it was just answered.
    """

    message_id: str
    entry_id: str
    question: str
    score: float
    expires_at: float
    slot_value: str = ""
    asked_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Fact:
    """A statement of askers about themselves: the value of a slot, such as 上海 for `city`; empty if they deny it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class NamedCase:
    """A case that a question names, such as 北京. The question itself may be private and is not kept.

    is_usable: it is neither ruled out nor somebody else's.
    """

    word: str
    is_usable: bool = True


@dataclass(frozen=True, slots=True)
class CaseAnswer:
    """The last answer, if its entry asks back; a statement such as 我在北京 corrects it.

    value: the statement by which its case was chosen; empty if all cases were shown.
    """

    entry_id: str
    value: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class LikelyAnswer:
    """The likely answer that the last reply showed; 不是 refuses it.

    message_id: the message with the question.
    other_ids: the entries that are listed after a refusal.
    named_cases: the cases that the question names.
    """

    message_id: str
    other_ids: tuple[str, ...]
    expires_at: float
    named_cases: tuple[NamedCase, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupAnswer:
    """The entries that a group was answered with last; `is_guess` where the answer was only a likely one."""

    entry_ids: tuple[str, ...]
    is_guess: bool = False


@dataclass(frozen=True, slots=True)
class OptionList:
    """A numbered list that was sent before the last one, the message that it replied to, and the cases named there."""

    options: tuple[Option, ...]
    expires_at: float
    message_id: str
    named_cases: tuple[NamedCase, ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing an asker said about themselves when asked back, such as 上海 for `city`.

    `value` is empty while the question is not answered yet; `entry_id` is the entry that asked it.
    """

    name: str
    value: str
    entry_id: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class ConversationState:
    """Dialogue state of one asker in one conversation. All times are epoch seconds; each part expires by itself.

    options, options_expire_at: the numbered list that was sent last.
    options_message_id: the message that the list replied to.
    last_answer: the last answer.
    miss_expiries: when each of the last questions that went unanswered in a row stops to count.
    slots: facts that the asker stated about themselves, and facts that they were asked for.
    reply_expiries: when each of the last replies stops to count as a recent one.
    likely_answer: the likely answer that may still be refused.
    earlier_list: the list before `options`, where these are only related questions below an answer picked from it.
    options_cases: the cases that the question names for which the list was sent; a line that is picked is answered for
    them.
    case_answer: the last answer, if it depends on its asker.
    handoff_expires_at: until then the next message is the question for the person who was asked for; 0 otherwise.
    """

    options: tuple[Option, ...] = ()
    options_expire_at: float = 0.0
    last_answer: LastAnswer | None = None
    miss_expiries: tuple[float, ...] = ()
    slots: tuple[Slot, ...] = ()
    options_message_id: str = ""
    reply_expiries: tuple[float, ...] = ()
    likely_answer: LikelyAnswer | None = None
    earlier_list: OptionList | None = None
    options_cases: tuple[NamedCase, ...] = ()
    case_answer: CaseAnswer | None = None
    handoff_expires_at: float = 0.0

    @property
    def pending_entry_id(self) -> str:
        """The entry whose question back is not answered yet, if any."""
        return next((slot.entry_id for slot in reversed(self.slots) if not slot.value), "")

    @property
    def answered_since_asked_back(self) -> bool:
        """True if something was answered after an entry asked back last."""
        asked_back = max((slot.expires_at for slot in self.slots if not slot.value), default=0.0)
        return self.last_answer is not None and self.last_answer.expires_at > asked_back

    @property
    def has_list_last(self) -> bool:
        """True if a numbered list was sent after the last answer."""
        return bool(self.options) and (self.last_answer is None or self.options_expire_at > self.last_answer.expires_at)

    def slot(self, name: str) -> Slot | None:
        return next((slot for slot in self.slots if slot.name == name), None)

    @property
    def first_expiry(self) -> float:
        """When the first part expires; infinity for an empty state."""
        return min(self._expiries(), default=math.inf)

    @property
    def last_expiry(self) -> float:
        """When the last part expires; 0 for an empty state."""
        return max(self._expiries(), default=0.0)

    def _expiries(self) -> list[float]:
        expiries = [*self.miss_expiries, *self.reply_expiries]
        if self.options_expire_at or self.options or self.options_message_id:
            expiries.append(self.options_expire_at)
        if self.last_answer is not None:
            expiries.append(self.last_answer.expires_at)
        if self.likely_answer is not None:
            expiries.append(self.likely_answer.expires_at)
        if self.earlier_list is not None:
            expiries.append(self.earlier_list.expires_at)
        if self.case_answer is not None:
            expiries.append(self.case_answer.expires_at)
        if self.handoff_expires_at:
            expiries.append(self.handoff_expires_at)
        if self.slots:
            expiries += [slot.expires_at for slot in self.slots]
        return expiries


_EMPTY = ConversationState()


def drop_expired(state: ConversationState | None, now: float) -> ConversationState:
    """Return the parts of a state that still hold at `now`."""
    if state is None:
        return _EMPTY
    if now < state.first_expiry:
        # Nearly always, and this runs several times for each message.
        return state
    list_holds = now < state.options_expire_at
    return ConversationState(
        options=state.options if list_holds else (),
        options_expire_at=state.options_expire_at if list_holds else 0.0,
        options_message_id=state.options_message_id if list_holds else "",
        last_answer=state.last_answer if state.last_answer and now < state.last_answer.expires_at else None,
        miss_expiries=tuple(expiry for expiry in state.miss_expiries if now < expiry),
        slots=tuple(slot for slot in state.slots if now < slot.expires_at),
        reply_expiries=tuple(expiry for expiry in state.reply_expiries if now < expiry),
        likely_answer=state.likely_answer if state.likely_answer and now < state.likely_answer.expires_at else None,
        earlier_list=state.earlier_list if state.earlier_list and now < state.earlier_list.expires_at else None,
        options_cases=state.options_cases if list_holds else (),
        case_answer=state.case_answer if state.case_answer and now < state.case_answer.expires_at else None,
        handoff_expires_at=state.handoff_expires_at if now < state.handoff_expires_at else 0.0,
    )
