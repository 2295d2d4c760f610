"""The clock of the fake DingTalk, which a person may move forward to see what happens later."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


class MovableClock:
    """Returns epoch seconds, ahead of the real time by as much as it was moved."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self._ahead

    def move_to(self, at: float) -> None:
        """Set the time to `at` (epoch seconds); the clock never goes back."""
        self._ahead = max(self._ahead, at - time.time())


@dataclass(frozen=True, slots=True)
class Jump:
    """A button that moves the clock. The page shows what `go` returns."""

    label: str
    go: Callable[[], Awaitable[str]]
