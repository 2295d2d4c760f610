"""Moving the time of a rehearsal: to the next working day or routine job, with all that is due on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from faqbot.app.running import Running
from faqbot.automation.overview import moment_in_words
from faqbot.rules.definitions import EventTrigger
from faqbot.rules.schedule import next_firing
from faqbot.sandbox.state.clock import Jump, MovableClock
from faqbot.settings import Settings

_NINE = time(9, 0)
_NOTHING_AHEAD = "没有按时间做的任务：请看控制台的“自动”"
# A group robot rests between two messages by this clock too.
_REST_SECONDS, _MOST_RESTS = 7.0, 5


@dataclass(frozen=True, slots=True)
class SandboxClock:
    """`clock` is that of the running bot and of the stand-in."""

    app: Running
    settings: Settings
    clock: MovableClock

    @property
    def jumps(self) -> tuple[Jump, ...]:
        return (
            Jump("下一个工作日 9:00", self.to_next_workday),
            Jump("下一件自动任务", self.to_next_job),
        )

    def shown(self) -> str:
        return moment_in_words(self.clock(), self.settings.timezone)

    async def to_next_workday(self) -> str:
        """Let it be nine o'clock on the next day that is worked."""
        calendar = self.app.library.current.automations.calendar
        now = datetime.fromtimestamp(self.clock(), self.settings.timezone)
        day = now.date()
        while not calendar.is_workday(day) or datetime.combine(day, _NINE, self.settings.timezone) <= now:
            day += timedelta(days=1)
        await self._move_to(datetime.combine(day, _NINE, self.settings.timezone).timestamp())
        return f"现在是 {self.shown()}"

    async def to_next_job(self) -> str:
        """Let it be the time of the next job that the clock starts."""
        if (at := self._next_firing(self.clock())) is None:
            return _NOTHING_AHEAD
        await self._move_to(at)
        return f"现在是 {self.shown()}"

    async def _move_to(self, target: float) -> None:
        """Go from job to job, so that each is seen done at its own time."""
        while (at := self._next_firing(self.clock())) is not None and at < target:
            await self._be_at(at)
        await self._be_at(target)

    async def _be_at(self, at: float) -> None:
        """Let it be that time until what is due then was done and sent."""
        self.clock.move_to(at)
        await self.app.automation.scheduler.poll()
        await self.app.automation.scheduler.idle()
        for _ in range(_MOST_RESTS):
            await self.app.outbox.poll()
            await self.app.outbox.idle()
            if not await self.app.outbox.waiting():
                break
            self.clock.move_to(self.clock() + _REST_SECONDS)

    def _next_firing(self, after: float) -> float | None:
        automations = self.app.library.current.automations
        found = [
            next_firing(rule.trigger, after, self.settings.timezone, automations.calendar)
            for rule in automations.rules
            if rule.trigger is not None and not isinstance(rule.trigger, EventTrigger) and rule.problem is None
        ]
        return min((at for at in found if at is not None), default=None)
