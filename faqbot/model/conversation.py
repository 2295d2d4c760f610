"""What one asker and the bot last told each other: the state of a conversation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a numbered list that was sent: an entry to answer, a topic to open, one of the cases an answer
    depends on (`ask`), or that it is none of them."""

    kind: Literal["entry", "topic", "case", "none"]
    key: str


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """The answer an asker got last in a conversation: of this 为什么, 没用 and an elliptical question speak.

    `question` is the wording of HR's that matched, `said` what the asker said that the case was chosen by, if any.
    """

    message_id: str
    entry_id: str
    question: str
    score: float
    until: float
    said: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """What an asker said about themselves when asked back: `city` is 上海, until then.

    `said` is empty where the question was put and not answered yet; `entry_id` is the entry that put it.
    """

    name: str
    said: str
    entry_id: str
    until: float


@dataclass(frozen=True, slots=True)
class ConversationState:
    """What one asker and the bot last told each other in one conversation; each part is void after its `until`, in
    epoch seconds, which for `options` stands beside them.

    `asked` is the message that the options answered. `misses` are until when each of the last questions counts that
    went unanswered in a row, `recent` until when each of the last replies counts as a recent one.
    """

    options: tuple[Option, ...] = ()
    until: float = 0.0
    last: LastAnswer | None = None
    misses: tuple[float, ...] = ()
    facts: tuple[Slot, ...] = ()
    asked: str = ""
    recent: tuple[float, ...] = ()

    @property
    def pending(self) -> str:
        """The entry that waits for a reply to what it asked back, if any."""
        return next((fact.entry_id for fact in reversed(self.facts) if not fact.said), "")

    @property
    def moved_on(self) -> bool:
        """Whether something was answered since an entry asked back last."""
        asked = max((fact.until for fact in self.facts if not fact.said), default=0.0)
        return self.last is not None and self.last.until > asked

    def fact(self, name: str) -> Slot | None:
        return next((fact for fact in self.facts if fact.name == name), None)

    @property
    def whole_until(self) -> float:
        """When the first part of it is void; never, where there is none."""
        return min(self._untils(), default=math.inf)

    @property
    def ends(self) -> float:
        """When the last part of it is void."""
        return max(self._untils(), default=0.0)

    def _untils(self) -> list[float]:
        untils = [*self.misses, *self.recent]
        if self.until or self.options or self.asked:
            untils.append(self.until)
        if self.last is not None:
            untils.append(self.last.until)
        if self.facts:
            untils += [fact.until for fact in self.facts]
        return untils
