"""Deciding on the messages that wait, a few at a time, so that reading and acknowledging new ones goes on between."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from faqbot.dialogue import decide
from faqbot.features import Floats
from faqbot.knowledge.library import Library
from faqbot.metrics import Metrics
from faqbot.model import Context, Decision, Message

# Ten at once take a few milliseconds; more would hold up acknowledgements.
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _Case:
    message: Message
    context: Context | None
    meaning: Floats | None
    decided: asyncio.Future[Decision]


class Desk:
    """`await decide(…)`: the decision on one message by the knowledge that is live at that moment."""

    def __init__(
        self,
        library: Library,
        metrics: Metrics,
        *,
        today: Callable[[], date],
        clock: Callable[[], float] = time.time,
        arriving: Callable[[], bool] = lambda: False,
    ) -> None:
        self._library = library
        self._metrics = metrics
        self._today = today
        self._clock = clock
        self._arriving = arriving
        self._cases: deque[_Case] = deque()

    async def decide(self, message: Message, context: Context | None, meaning: Floats | None) -> Decision:
        loop = asyncio.get_running_loop()
        case = _Case(message, context, meaning, loop.create_future())
        self._cases.append(case)
        if len(self._cases) == 1:
            loop.call_soon(self._work)
        return await case.decided

    def _work(self) -> None:
        snapshot = self._library.current
        limits = self._library.limits_for(snapshot)
        today, now = self._today(), self._clock()
        cases = [self._cases.popleft() for _ in range(min(_AT_ONCE, len(self._cases)))]
        started = time.perf_counter()
        for case in cases:
            if case.decided.cancelled():
                continue
            try:
                decision = decide(
                    case.message,
                    snapshot.index,
                    case.context,
                    limits=limits,
                    now=now,
                    today=today,
                    meaning=case.meaning,
                )
            except Exception as exc:
                case.decided.set_exception(exc)
            else:
                case.decided.set_result(decision)
        spent = time.perf_counter() - started
        self._metrics.match_seconds.observe(spent / len(cases))
        if not self._cases:
            return
        loop = asyncio.get_running_loop()
        if self._arriving():
            # An acknowledgement takes several turns of the loop; it must not wait for a batch at each of them.
            loop.call_later(spent, self._work)
        else:
            loop.call_soon(self._work)
