"""Advances the sandbox clock to the next working day or scheduled rule, running the rules due in between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from faqbot.app.running import Running
from faqbot.automation.overview import format_moment
from faqbot.rules.definitions import EventTrigger
from faqbot.rules.schedule import next_firing
from faqbot.sandbox.state.clock import Jump, MovableClock
from faqbot.settings import Settings

_WORK_START = time(9, 0)
_NO_TIMED_RULE = "没有按时间做的任务：请看控制台的“自动”"
# A group robot pauses between two messages by this clock too; the clock is moved over a limited number of pauses.
_PAUSE_SECONDS, _MAX_PAUSES = 7.0, 5


@dataclass(frozen=True, slots=True)
class SandboxClock:
    """`clock` is the clock of the running bot and of the fake DingTalk."""

    app: Running
    settings: Settings
    clock: MovableClock

    @property
    def jumps(self) -> tuple[Jump, ...]:
        return (
            Jump("下一个工作日 9:00", self.to_next_workday),
            Jump("下一件自动任务", self.to_next_job),
        )

    def time_in_words(self) -> str:
        return format_moment(self.clock(), self.settings.timezone)

    async def to_next_workday(self) -> str:
        """Move to nine o'clock of the next working day; return the new time in words."""
        calendar = self.app.library.current.automations.calendar
        now = datetime.fromtimestamp(self.clock(), self.settings.timezone)
        day = now.date()
        while not calendar.is_workday(day) or datetime.combine(day, _WORK_START, self.settings.timezone) <= now:
            day += timedelta(days=1)
        await self._move_to(datetime.combine(day, _WORK_START, self.settings.timezone).timestamp())
        return f"现在是 {self.time_in_words()}"

    async def to_next_job(self) -> str:
        """Move to the time at which the next timed rule fires; return the new time in words."""
        if (at := self._next_firing(self.clock())) is None:
            return _NO_TIMED_RULE
        await self._move_to(at)
        return f"现在是 {self.time_in_words()}"

    async def _move_to(self, target: float) -> None:
        """Move from firing to firing, so that each rule runs at its own time."""
        while (at := self._next_firing(self.clock())) is not None and at < target:
            await self._run_due(at)
        await self._run_due(target)

    async def _run_due(self, at: float) -> None:
        """Move to `at` and wait until the rules due then have run and their notices are sent."""
        self.clock.move_to(at)
        await self.app.automation.scheduler.poll()
        await self.app.automation.scheduler.idle()
        for _ in range(_MAX_PAUSES):
            await self.app.outbox.poll()
            await self.app.outbox.idle()
            if not await self.app.outbox.waiting():
                break
            self.clock.move_to(self.clock() + _PAUSE_SECONDS)

    def _next_firing(self, after: float) -> float | None:
        automations = self.app.library.current.automations
        firings = [
            next_firing(rule.trigger, after, self.settings.timezone, automations.calendar)
            for rule in automations.rules
            if rule.trigger is not None and not isinstance(rule.trigger, EventTrigger) and rule.problem is None
        ]
        return min((at for at in firings if at is not None), default=None)
