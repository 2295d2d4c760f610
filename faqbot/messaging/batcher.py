"""Micro-batching: interpret the waiting messages a few at a time, so that acknowledgements are not delayed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from faqbot.dialogue.decision_context import DecisionRequest
from faqbot.dialogue.manager import RankingCache, decide_many
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.model.commands import Interpretation
from faqbot.runtime.metrics import Metrics

# A batch of this size takes a few milliseconds; a larger one would delay acknowledgements.
_MAX_BATCH = 32
# The first message of a burst waits this long, so that the others can join its batch.
_FIRST_WAIT_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class _PendingRequest:
    request: DecisionRequest
    result: asyncio.Future[Interpretation]


class DecisionBatcher:
    """Interprets messages with the knowledge that is live when their batch is taken.

    `arriving` returns True while messages are being acknowledged.
    """

    def __init__(
        self,
        knowledge: KnowledgeBase,
        metrics: Metrics,
        *,
        today: Callable[[], date],
        clock: Callable[[], float] = time.time,
        arriving: Callable[[], bool] = lambda: False,
    ) -> None:
        self._knowledge = knowledge
        self._metrics = metrics
        self._today = today
        self._clock = clock
        self._arriving = arriving
        self._cache = RankingCache()
        self._waiting: deque[_PendingRequest] = deque()

    @property
    def compares_meaning(self) -> bool:
        """True if the embedding of a message can make a difference, because the live wordings have theirs."""
        return self._knowledge.current.index.rankers.semantic is not None

    async def decide(self, request: DecisionRequest) -> Interpretation:
        """Interpret one message; raises whatever its interpretation raises."""
        waiting = _PendingRequest(request, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if len(self._waiting) == 1:
            self._schedule(_FIRST_WAIT_SECONDS)
        return await waiting.result

    def _run_batch(self) -> None:
        started = time.perf_counter()
        batch = [self._waiting.popleft() for _ in range(min(_MAX_BATCH, len(self._waiting)))]
        self._interpret([w for w in batch if not w.result.cancelled()])
        duration = time.perf_counter() - started
        self._metrics.match_seconds.observe(duration / len(batch))
        if self._waiting:
            self._schedule(duration)

    def _schedule(self, pause: float) -> None:
        loop = asyncio.get_running_loop()
        if self._arriving():
            # An acknowledgement takes several turns of the loop; it must not wait for a batch at each of them.
            loop.call_later(pause, self._run_batch)
        else:
            loop.call_soon(self._run_batch)

    def _interpret(self, batch: list[_PendingRequest]) -> None:
        """Interpret a batch; if that fails, interpret each message alone, so that only the faulty one fails."""
        snapshot = self._knowledge.current
        try:
            results = decide_many(
                [w.request for w in batch],
                snapshot.index,
                limits=self._knowledge.thresholds_for(snapshot),
                now=self._clock(),
                today=self._today(),
                cache=self._cache,
                groups=snapshot.groups,
                limits_by_meaning=self._knowledge.thresholds_by_meaning(snapshot),
            )
        except Exception as exc:
            if len(batch) == 1:
                batch[0].result.set_exception(exc)
                return
            for waiting in batch:
                self._interpret([waiting])
            return
        for waiting, result in zip(batch, results, strict=True):
            waiting.result.set_result(result)
