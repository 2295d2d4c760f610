"""Whether a file that has just changed is written to its end. Pure: times are told."""

from __future__ import annotations

from dataclasses import dataclass

SETTLE_SECONDS = 0.3
PATIENCE_SECONDS = 2.0

# Modification time in nanoseconds, size and inode; None while the file is away, as it is in the middle of some saves.
Mark = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class _Change:
    mark: Mark
    since: float
    first: float


class Settling:
    """Remembers since when each changed file has looked the same.

    A file counts as written once it has not changed for `settle` seconds, and after `patience` seconds of changes in
    any case: somebody whose editor saves at every stroke should see the file live at some time.
    """

    def __init__(self, settle: float = SETTLE_SECONDS, patience: float = PATIENCE_SECONDS) -> None:
        self._settle = settle
        self._patience = patience
        self._changes: dict[str, _Change] = {}

    def wait(self, name: str, mark: Mark, now: float, wall: float) -> float:
        """How many seconds to wait before a changed file is read; 0 for now. `wall` is the clock files are dated by."""
        before = self._changes.get(name)
        if before is None or before.mark != mark:
            before = _Change(mark, now, before.first if before else now)
            self._changes[name] = before
        # A file dated in the future comes from a machine with another clock; then only looking twice helps.
        age = wall - mark[0] / 1e9 if mark else 0.0
        if age >= self._settle or now - before.first >= self._patience:
            return 0.0
        return max(0.0, self._settle - max(now - before.since, age, 0.0))

    def forget(self, name: str) -> None:
        """The change is over: it was read, or it was our own."""
        self._changes.pop(name, None)
