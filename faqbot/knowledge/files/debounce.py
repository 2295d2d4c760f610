"""Debounces file changes, so that no half-written file is read. Pure: the clock is an argument."""

from __future__ import annotations

from dataclasses import dataclass

# An unchanged file counts as written after this time; editors and copies write faster.
SETTLE_SECONDS = 0.3
# A file that changes all the time is read after this time in any case.
PATIENCE_SECONDS = 2.0

# Modification time in nanoseconds, size and inode; None while the file is away, as it is in the middle of some saves.
FileStamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class _Change:
    """A change that has not settled: the stamp seen last, since when, and when the file began to change."""

    stamp: FileStamp
    since: float
    first: float


class WriteDebounce:
    """Remembers since when each changed file has had the same stamp.

    A file counts as written once it has not changed for `settle` seconds, and after `patience` seconds of changes in
    any case, so that a file which an editor saves at every keystroke goes live too.
    """

    def __init__(self, settle: float = SETTLE_SECONDS, patience: float = PATIENCE_SECONDS) -> None:
        self._settle = settle
        self._patience = patience
        self._changes: dict[str, _Change] = {}

    def remaining(self, name: str, stamp: FileStamp, now: float, wall: float) -> float:
        """Return the seconds to wait before a changed file is read, 0 if it may be read now.

        `now` is a monotonic clock; `wall` is the one by which files are dated.
        """
        before = self._changes.get(name)
        if before is None or before.stamp != stamp:
            before = _Change(stamp, now, before.first if before else now)
            self._changes[name] = before
        # A file dated in the future comes from a machine with another clock; then only a second look helps.
        age = wall - stamp[0] / 1e9 if stamp else 0.0
        if age >= self._settle or now - before.first >= self._patience:
            return 0.0
        return max(0.0, self._settle - max(now - before.since, age, 0.0))

    def forget(self, name: str) -> None:
        """Forget a change that is over: the file was read, or the change was our own."""
        self._changes.pop(name, None)
