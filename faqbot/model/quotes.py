"""Quotes: what a message quotes, as far as it was recognised."""

from __future__ import annotations

from dataclasses import dataclass

from faqbot.model.conversation import CaseAnswer, LastAnswer, Option, Slot


@dataclass(frozen=True, slots=True)
class QuotedAnswer:
    """An answer of the bot, to whomever.

    options: those behind the numbered lines below it; case_answer: the same answer, if its entry asks back.
    """

    answer: LastAnswer
    options: tuple[Option, ...] = ()
    case_answer: CaseAnswer | None = None


@dataclass(frozen=True, slots=True)
class QuotedList:
    """A list of the bot that is not the asker's current one; `pending` is what its entry asked back, if it did."""

    options: tuple[Option, ...]
    pending: Slot | None = None


@dataclass(frozen=True, slots=True)
class OwnList:
    """The list that the asker may pick from anyway."""


@dataclass(frozen=True, slots=True)
class QuotedQuestion:
    """The text of a person; `topic` is the answer that it would get, if that is sure."""

    text: str
    topic: LastAnswer | None = None


@dataclass(frozen=True, slots=True)
class UnknownQuote:
    """A message without readable text, or one of the bot that was not recognised."""


Quote = QuotedAnswer | QuotedList | OwnList | QuotedQuestion | UnknownQuote
