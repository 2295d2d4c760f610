"""Defaults of the handling properties that all kinds of response (decisions, command results) have."""

from __future__ import annotations

from dataclasses import dataclass

from faqbot.model.conversation import Fact, NamedCase, Option
from faqbot.model.entries import Entry
from faqbot.model.messages import DeliveryResult, DeliveryState


@dataclass(frozen=True, slots=True)
class LoggedMatch:
    """The part of a decision that the question log stores: the best entry and its score, and the question where it is
    not the whole message."""

    entry_id: str = ""
    score: float = 0.0
    question: str = ""


class ResponseDefaults:
    """Default values of the properties of a reply.

    Each kind adds `outcome`, its name in the question log, the event log and the metrics.
    """

    __slots__ = ()

    @property
    def options(self) -> tuple[Option, ...]:
        """The options behind the numbers of the list in the reply."""
        return ()

    @property
    def named_cases(self) -> tuple[NamedCase, ...]:
        """The cases that the question names, which a line of the list in the reply is answered for."""
        return ()

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The statements of the message about its asker."""
        return ()

    @property
    def mentions(self) -> tuple[str, ...]:
        """userIds that are @ed in a group, besides that of the asker."""
        return ()

    @property
    def private_entry(self) -> Entry | None:
        """The private entry that the question is or may be about."""
        return None

    @property
    def logged_match(self) -> LoggedMatch | None:
        """The match for the question log; None if the message was no question, such as small talk."""
        return None

    @property
    def allows_introduction(self) -> bool:
        """True if the bot may introduce itself to a group below this reply: nothing in it is private or a command, and
        nothing went wrong."""
        return False

    @property
    def delivery_result(self) -> DeliveryResult:
        """The result that is recorded for the message once this reply was delivered."""
        return DeliveryResult(DeliveryState.ANSWERED)
