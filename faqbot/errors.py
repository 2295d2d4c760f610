"""Exception classes of faqbot, one for each reaction expected of the caller."""

from __future__ import annotations

from collections.abc import Iterable


class FaqbotError(Exception):
    """An error that a person can act on; the text says what is wrong, where, and what to do."""


class SettingsError(FaqbotError):
    """Settings are missing or wrong; `problems` lists all of them, one sentence each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class StartError(FaqbotError):
    """The bot cannot start. The text is one plain line, after which the process ends with exit code 2."""


class AuthFailed(StartError):
    """DingTalk refused the client id and secret at the first connection."""


class KnowledgeMissing(FaqbotError):
    """There is no knowledge folder where the settings point to."""


class EmbeddingsError(FaqbotError):
    """The encoder did not give usable vectors."""


class EncoderBusy(EmbeddingsError):
    """More questions wait for the encoder than it can encode in time."""


class EncoderMissing(EmbeddingsError):
    """No encoder can be used; the text says why, for people. `broken` is True where one is installed."""

    def __init__(self, reason: str, *, broken: bool = False) -> None:
        super().__init__(reason)
        self.broken = broken


class StoreError(FaqbotError):
    """The store cannot be reached or cannot write just now; the same step may work later."""


class DeliveryError(FaqbotError):
    """DingTalk did not accept a message or a call; `permanent` means that a retry cannot help.

    `code` is DingTalk's code or a short word such as `timeout`, for records and metrics.
    """

    def __init__(self, message: str, *, code: str, permanent: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.permanent = permanent


class SessionGone(DeliveryError):
    """The session webhook has expired or is unknown (errcode 300001): send by the robot API instead."""

    def __init__(self, message: str, *, code: str = "300001") -> None:
        super().__init__(message, code=code, permanent=True)


class Throttled(DeliveryError):
    """Too many messages or calls: the same one is accepted later, after `wait` seconds at the earliest."""

    def __init__(self, message: str, *, code: str, wait: float) -> None:
        super().__init__(message, code=code)
        self.wait = wait


class OutcomeUnknown(DeliveryError):
    """The request was sent and no answer says whether it arrived: a repeat may double it."""


class TokenRefused(DeliveryError):
    """The access token is not valid, or no longer: get another one and repeat the call once."""


class NeedsAdmin(DeliveryError):
    """An administrator has to change something in DingTalk's console: a permission, the IP list, the quota."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message, code=code, permanent=True)


class ContentRefused(DeliveryError):
    """DingTalk's content check or length limit refused the text: HR has to change it."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message, code=code, permanent=True)


class EditError(FaqbotError):
    """A knowledge file cannot be edited as requested without damage; nothing was changed. The text is for HR."""


class FileSourceError(FaqbotError):
    """The file source cannot write a knowledge file; nothing was changed. The text is for HR."""


class FileConflict(FileSourceError):
    """Somebody else changed the file meanwhile; `present` is its content now, None if it is gone."""

    def __init__(self, message: str, *, present: bytes | None) -> None:
        super().__init__(message)
        self.present = present


class NotAllowed(FaqbotError):
    """The person has no right to do this, or it can no longer be done. The text is for that person."""
