"""The stand-in's time: it runs as usual, and a person may move it forward to see what happens later."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


class MovableClock:
    """Epoch seconds, ahead of the real ones by as much as it was moved."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self._ahead

    def move_to(self, at: float) -> None:
        """Let it be `at` now; it never goes back."""
        self._ahead = max(self._ahead, at - time.time())


@dataclass(frozen=True, slots=True)
class Jump:
    """A button that moves the time: what stands on it, and what it does; the answer is shown to the person."""

    label: str
    go: Callable[[], Awaitable[str]]
