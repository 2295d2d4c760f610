"""A runner for tests, also as a process that can be killed: `python -m tests.automation.replica URL TIME TEXT`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from faqbot.automation.executor import ActionResult, Task
from faqbot.automation.run_log import RUNS_JOURNAL, Run, unpack_runs
from faqbot.automation.runner import Runner
from faqbot.automation.scheduler import LATE_SECONDS, Scheduler
from faqbot.rules.parser import read_automations
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store

SHANGHAI = ZoneInfo("Asia/Shanghai")
STANDUP = """\
robots: {all-hands: {token: $TOKEN}}
automations:
  - id: standup
    when: {at: "09:00", on: workday}
    do: [{notify: {robot: all-hands, text: 站会}}]
"""
CALL = """\
allow_http: [erp]
automations:
  - id: standup
    when: {at: "09:00", on: workday}
    do: [{http: {url: https://erp/close}}]
"""
# Short, but longer than a busy machine keeps a process waiting.
LEASE_SECONDS = 1.5


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp()


class Clock:
    """Stands still until it is set."""

    def __init__(self, text: str) -> None:
        self.now = moment(text)

    def __call__(self) -> float:
        return self.now

    def set(self, text: str) -> None:
        self.now = moment(text)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Replica:
    """One runner over a store; `done` are the tasks it did."""

    def __init__(
        self, store: Store, clock: Clock, text: str = STANDUP, *, lease: float = 20.0, late: float = LATE_SECONDS
    ) -> None:
        self.store = store
        self.clock = clock
        self.done: list[Task] = []
        self.before: Callable[[Task], None] = lambda task: None
        self.stuck: asyncio.Event | None = None
        self.variables = {"TOKEN": "x" * 64}
        self.write(text)
        self.runner = Runner(
            store,
            self.do,
            variable=lambda name: self.variables.get(name, ""),
            clock=clock,
            sleep=clock.sleep,
            lease=lease,
        )
        self.scheduler = Scheduler(
            store, self.runner, lambda: self.automations, zone=SHANGHAI, clock=clock, sleep=clock.sleep, late=late
        )

    def write(self, text: str) -> None:
        self.automations = read_automations("automations.yaml", text.encode()).automations

    async def do(self, task: Task) -> ActionResult:
        self.before(task)
        if self.stuck is not None:
            await self.stuck.wait()
        self.done.append(task)
        return ActionResult(notices=(task.action_key,))

    async def look(self) -> None:
        await self.scheduler.poll()
        await self.scheduler.idle()

    async def at(self, *times: str) -> None:
        """Look at each of these times."""
        for text in times:
            self.clock.set(text)
            await self.look()

    async def runs(self, rule_id: str = "") -> list[Run]:
        return unpack_runs(await self.store.journal(RUNS_JOURNAL, 0.0), rule_id)

    async def outcomes(self) -> list[tuple[str, str]]:
        return [(run.key, run.outcome) for run in await self.runs()]


async def _hang(url: str, time: str, text: str) -> None:
    store = await open_store(url)
    replica = Replica(store, Clock(time), text, lease=LEASE_SECONDS)
    replica.before = lambda task: print("claimed", flush=True)
    replica.stuck = asyncio.Event()
    print("ready", flush=True)
    while True:
        line = await asyncio.to_thread(sys.stdin.readline)
        replica.clock.set(line.strip())
        await replica.scheduler.poll()
        await asyncio.sleep(0.05)
        print("looked", flush=True)


if __name__ == "__main__":
    asyncio.run(_hang(*sys.argv[1:]))
