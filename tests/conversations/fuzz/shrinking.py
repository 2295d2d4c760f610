"""Judges an order; makes one that fails as short as it can be, and prints it as a conversation script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.conversations.fuzz.invariants import Reader, Violation, violations
from tests.conversations.fuzz.isolation import leaks
from tests.conversations.fuzz.session import Heard, SharedKnowledge, cast_of, play
from tests.conversations.fuzz.turns import Order, as_script, without


class Judge:
    """Plays orders and looks for violations."""

    def __init__(self, shared: SharedKnowledge) -> None:
        self._shared = shared
        self._reader = Reader.of(shared.library.current)
        self._cast = cast_of(shared)

    async def judge(self, order: Order) -> tuple[Sequence[Heard], Sequence[Violation]]:
        heard = await play(self._shared, order)
        found = list(violations(self._reader, self._cast, heard))
        return heard, found or await leaks(self._shared, self._reader, heard)

    async def report(self, order: Order, violation: Violation) -> str:
        """Break the same rule with as few turns as possible, all quickly one after the other, and write that down."""
        changed = True
        while changed:
            changed = False
            shorter = [without(order, frozenset({turn.number})) for turn in reversed(order)]
            faster = tuple(replace(turn, pause=min(turn.pause, 5)) for turn in order)
            for simpler in (*filter(None, shorter), faster):
                if simpler != order and (again := await self._breaks(violation.rule, simpler)):
                    order, violation, changed = simpler, again, True
                    break
        heard, _ = await self.judge(order)
        return f"{violation}\n\n{_script(order, heard, violation)}"

    async def _breaks(self, rule: str, order: Order) -> Violation | None:
        return next((v for v in (await self.judge(order))[1] if v.rule == rule), None)


def _script(order: Order, heard: Sequence[Heard], violation: Violation) -> str:
    quotes = {one.turn.number: _first_words(one.quoted) for one in heard if one.quoted}
    replies = {one.turn.number: " / ".join(_shown(m.text) for m in one.replies) or "no reply" for one in heard}
    replies[violation.turn] += "    <<< here"
    return as_script(order, quotes, replies)


def _first_words(text: str) -> str:
    """Words by which a script finds the quoted message."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("@user")]
    return lines[0].removeprefix("@小助手").strip()[:20]


def _shown(text: str) -> str:
    return " ".join(text.split())[:80]
