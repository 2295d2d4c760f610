"""Decisions: one class for each kind of reply to a message, with the properties that govern its handling."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from faqbot.model.conversation import Fact, NamedCase, Option
from faqbot.model.entries import Candidate, Entry, FollowUp, nearest_private
from faqbot.model.messages import DeliveryResult, DeliveryState
from faqbot.model.plain_replies import (
    Failure,
    Introduction,
    Menu,
    OutOfList,
    SmallTalk,
    TooLate,
    TopicList,
    UnclearQuote,
)
from faqbot.model.remembered import Remembered
from faqbot.model.response import LoggedMatch, ResponseDefaults


@dataclass(frozen=True, slots=True, kw_only=True)
class _QuestionDefaults(ResponseDefaults):
    """Defaults of the replies to a question that was searched for.

    named_cases: the cases that the question names; facts: what it states about its asker.
    """

    named_cases: tuple[NamedCase, ...] = ()
    facts: tuple[Fact, ...] = ()

    @property
    def allows_introduction(self) -> bool:
        return self.private_entry is None


@dataclass(frozen=True, slots=True)
class Answered(_QuestionDefaults):
    """An entry is the answer.

    question: HR's wording that matched.
    picked: the asker chose the entry from a list, or its case by replying to a question back.
    related: up to three entries that may be asked next.
    overdue: the review of the answer is overdue.
    case: which of `Entry.variants` is the answer; empty for all of them.
    slot_value: the asker's statement by which the case was chosen; slot_reused: made for an earlier question.
    slot_supposed: the statement holds for this question only, not for the asker.
    is_follow_up: the question was read as a continuation of the one before.
    excerpt: the sentences of the answer, as markdown, that reply to a follow-up; they are shown instead of all of it.
    answered_minutes_ago: the group was told the same, so the reply only points to that; None for a whole answer.
    repeated: an answer given before was asked for once more without its question: 上面那个, 同问.
    """

    entry: Entry
    score: float
    question: str
    picked: bool = False
    related: tuple[Entry, ...] = ()
    overdue: bool = False
    case: str = ""
    slot_value: str = ""
    slot_reused: bool = False
    slot_supposed: bool = False
    is_follow_up: bool = False
    excerpt: str = ""
    answered_minutes_ago: int | None = None
    repeated: bool = False

    @property
    def outcome(self) -> str:
        return "picked" if self.picked else "answered"

    @property
    def options(self) -> tuple[Option, ...]:
        return tuple(Option("entry", e.id) for e in self.related)

    @property
    def private_entry(self) -> Entry | None:
        return self.entry if self.entry.private else None

    @property
    def logged_match(self) -> LoggedMatch:
        return LoggedMatch(self.entry.id, self.score, self.entry.question if self.repeated else "")

    @property
    def same_for_everyone(self) -> bool:
        """True if everybody who reads the conversation would get the same answer."""
        return not self.entry.private and self.entry.ask is None and not self.excerpt


@dataclass(frozen=True, slots=True)
class AskedBack(_QuestionDefaults):
    """The answer depends on the asker, who is asked which case holds.

    unclear: they are asked once more, after a text that names none of the cases and for which nothing was found.
    picked: the asker chose the entry from a list.
    repeated: as for Answered.
    """

    entry: Entry
    score: float
    question: str
    ask: FollowUp
    unclear: bool = False
    picked: bool = False
    repeated: bool = False

    @property
    def outcome(self) -> str:
        return "asked_again" if self.unclear else "asked_back"

    @property
    def options(self) -> tuple[Option, ...]:
        return tuple(Option.of_case(self.entry.id, case) for case in self.entry.cases)

    @property
    def private_entry(self) -> Entry | None:
        return self.entry if self.entry.private else None

    @property
    def logged_match(self) -> LoggedMatch:
        if self.unclear:
            return LoggedMatch()
        return LoggedMatch(self.entry.id, self.score, self.entry.question if self.repeated else "")


@dataclass(frozen=True, slots=True)
class Offered(_QuestionDefaults):
    """Several entries may be the answer; the asker picks one from a numbered list. There is at least one candidate.

    in_english: the question is in English and the knowledge in Chinese, so the list may have little to do with it.
    """

    candidates: tuple[Candidate, ...]
    in_english: bool = False

    @property
    def outcome(self) -> str:
        return "offered"

    @property
    def options(self) -> tuple[Option, ...]:
        return (*(Option("entry", c.entry.id) for c in self.candidates), Option("none", ""))

    @property
    def private_entry(self) -> Entry | None:
        return nearest_private(self.candidates)

    @property
    def logged_match(self) -> LoggedMatch:
        return LoggedMatch(self.candidates[0].entry.id, self.candidates[0].score)


@dataclass(frozen=True, slots=True)
class Likely(_QuestionDefaults):
    """An entry is probably the answer: its text is shown under its question, as a guess that the asker may refuse.

    question: HR's wording that matched.
    others: the next candidates, which are listed after a refusal.
    overdue, answered_minutes_ago, repeated: as for Answered.
    """

    entry: Entry
    score: float
    question: str
    others: tuple[Candidate, ...] = ()
    overdue: bool = False
    answered_minutes_ago: int | None = None
    repeated: bool = False

    @property
    def outcome(self) -> str:
        return "likely"

    @property
    def logged_match(self) -> LoggedMatch:
        return LoggedMatch(self.entry.id, self.score, self.entry.question if self.repeated else "")

    @property
    def same_for_everyone(self) -> bool:
        """True: neither a private entry nor one that asks back is shown as a guess."""
        return True

    @property
    def as_list(self) -> Offered:
        """The numbered list with the same candidates, for where there is no room for a guess."""
        return Offered((Candidate(self.entry, self.score, self.question), *self.others))


@dataclass(frozen=True, slots=True)
class LikelyRefused(ResponseDefaults):
    """The asker refused the likely answer: the next candidates are listed, if there are any.

    contact: as for Unanswered; None also where there is a list.
    """

    entries: tuple[Entry, ...] = ()
    contact: str | None = None

    @property
    def outcome(self) -> str:
        return "likely_refused"

    @property
    def options(self) -> tuple[Option, ...]:
        listed = tuple(Option("entry", entry.id) for entry in self.entries)
        return (*listed, Option("none", "")) if listed else ()

    @property
    def logged_match(self) -> LoggedMatch:
        return LoggedMatch()


@dataclass(frozen=True, slots=True)
class Part:
    """One of several questions in a message, and the decision on it."""

    text: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class MultiAnswer(_QuestionDefaults):
    """Several questions in one message, at least one of them answered; or several lines picked from a list.

    picked: the asker chose the entries from a list.
    left_out: the number of lines that were picked, too, and for which there is no room.
    """

    parts: tuple[Part, ...]
    picked: bool = False
    left_out: int = 0

    @property
    def answered(self) -> tuple[Answered, ...]:
        return tuple(p.decision for p in self.parts if isinstance(p.decision, Answered))

    @property
    def missed(self) -> tuple[Part, ...]:
        return tuple(p for p in self.parts if not isinstance(p.decision, Answered))

    @property
    def outcome(self) -> str:
        if self.picked:
            return "picked"
        return "unanswered" if self.missed else "answered"

    @property
    def options(self) -> tuple[Option, ...]:
        return next((p.decision.options for p in self.parts if isinstance(p.decision, Offered)), ())

    @property
    def private_entry(self) -> Entry | None:
        return _first(p.decision.private_entry for p in self.parts)

    @property
    def logged_match(self) -> LoggedMatch:
        """The question that was not found, if any: that is the gap in the knowledge."""
        if self.missed:
            return LoggedMatch(question=self.missed[0].text)
        return self.answered[0].logged_match


@dataclass(frozen=True, slots=True)
class Unanswered(_QuestionDefaults):
    """Nothing was found.

    nearest: the best candidates, none of them likely enough.
    hidden: private entries that the question is about, or near it, but that are no answer for its asker; the question
    is not repeated in a group.
    contact: whom to turn to, once an asker was left without an answer twice in a row; empty if nobody is known by name,
    None before that.
    asked: the question in full, where the message leaves its subject to what was said before.
    in_english: as for Offered.
    """

    nearest: tuple[Candidate, ...] = ()
    hidden: tuple[Candidate, ...] = ()
    contact: str | None = None
    asked: str = ""
    in_english: bool = False

    @property
    def outcome(self) -> str:
        return "unanswered"

    @property
    def private_entry(self) -> Entry | None:
        return nearest_private(self.nearest) or _first(c.entry for c in self.hidden)

    @property
    def logged_match(self) -> LoggedMatch:
        return LoggedMatch(score=self.nearest[0].score if self.nearest else 0.0, question=self.asked)


@dataclass(frozen=True, slots=True)
class PrivateReply(ResponseDefaults):
    """The answer to a private question in a group: it is sent to the asker alone, and the group sees a neutral line.

    status: how sending it to the asker went; `external` for somebody without a userId, `barred` where DingTalk refused,
    `unsure` where it did not answer.
    code: DingTalk's code for that.
    """

    decision: Answered | Offered | MultiAnswer
    status: Literal["due", "sent", "external", "barred", "unsure"] = "due"
    code: str = "ok"

    @property
    def outcome(self) -> str:
        return self.decision.outcome

    @property
    def private_entry(self) -> Entry | None:
        return self.decision.private_entry

    @property
    def logged_match(self) -> LoggedMatch:
        return self.decision.logged_match

    @property
    def facts(self) -> tuple[Fact, ...]:
        return self.decision.facts

    @property
    def delivery_result(self) -> DeliveryResult:
        # The line in the group is not the answer.
        return DeliveryResult(DeliveryState.ANSWERED, self.code)


@dataclass(frozen=True, slots=True)
class NoneOfThese(ResponseDefaults):
    """The asker meant nothing on the list that was sent; `contact` as for Unanswered."""

    contact: str | None = None

    @property
    def outcome(self) -> str:
        return "none_of_these"

    @property
    def logged_match(self) -> LoggedMatch:
        return LoggedMatch()


Decision = (
    Answered
    | AskedBack
    | Likely
    | LikelyRefused
    | MultiAnswer
    | Offered
    | Unanswered
    | NoneOfThese
    | Remembered
    | PrivateReply
    | Menu
    | TopicList
    | Introduction
    | SmallTalk
    | OutOfList
    | UnclearQuote
    | TooLate
    | Failure
)


def _first(entries: Iterable[Entry | None]) -> Entry | None:
    return next((entry for entry in entries if entry is not None), None)
