"""Deciding on the messages that wait, a few at a time, so that reading and acknowledging new ones goes on between."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from faqbot.dialogue.manager import Case, decide_many
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.model.conversation import ConversationState
from faqbot.model.decisions import Decision
from faqbot.model.entries import Candidate
from faqbot.model.messages import Message
from faqbot.runtime.metrics import Metrics
from faqbot.search.arrays import Floats
from faqbot.search.index import Index

# So many take a few milliseconds together; more would hold up acknowledgements.
_AT_ONCE = 32
_REMEMBERED = 2000
# The first of a burst lets the others arrive.
_FIRST_REST = 0.005


@dataclass(frozen=True, slots=True)
class _Waiting:
    case: Case
    decided: asyncio.Future[Decision]


class DecisionBatcher:
    """`await decide(…)`: the decision on one message by the knowledge that is live at that moment."""

    def __init__(
        self,
        library: KnowledgeBase,
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
        # What was found for the last questions, by the index that found it: many people ask the same.
        self._found: dict[Hashable, Sequence[Candidate]] = {}
        self._found_by: Index | None = None
        self._waiting: deque[_Waiting] = deque()

    async def decide(
        self, message: Message, context: ConversationState | None, meaning: Floats | None, departments: frozenset[str]
    ) -> Decision:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(Case(message, context, meaning, departments), loop.create_future())
        self._waiting.append(waiting)
        if len(self._waiting) == 1:
            self._continue(_FIRST_REST)
        return await waiting.decided

    def _work(self) -> None:
        started = time.perf_counter()
        batch = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
        self._settle([w for w in batch if not w.decided.cancelled()])
        spent = time.perf_counter() - started
        self._metrics.match_seconds.observe(spent / len(batch))
        if not self._waiting:
            return
        self._continue(spent)

    def _continue(self, rest: float) -> None:
        loop = asyncio.get_running_loop()
        if self._arriving():
            # An acknowledgement takes several turns of the loop; it must not wait for a batch at each of them.
            loop.call_later(rest, self._work)
        else:
            loop.call_soon(self._work)

    def _settle(self, batch: list[_Waiting]) -> None:
        """Decide on all of them; if that fails, on each by itself, so that one takes no other along."""
        snapshot = self._library.current
        if self._found_by is not snapshot.index:
            self._found, self._found_by = {}, snapshot.index
        elif len(self._found) > _REMEMBERED:
            # The older half: among the others is what was found a moment ago.
            self._found = dict(islice(self._found.items(), _REMEMBERED // 2, None))
        try:
            decisions = decide_many(
                [w.case for w in batch],
                snapshot.index,
                limits=self._library.limits_for(snapshot),
                now=self._clock(),
                today=self._today(),
                known=self._found,
                groups=snapshot.groups,
            )
        except Exception as exc:
            if len(batch) == 1:
                batch[0].decided.set_exception(exc)
                return
            for waiting in batch:
                self._settle([waiting])
            return
        for waiting, decision in zip(batch, decisions, strict=True):
            waiting.decided.set_result(decision)
