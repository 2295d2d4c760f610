"""报表, 确认情况 and a supervisor's 确认: the attendance report asked for in chat, and the words given on it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import Protocol

from faqbot.access.authorization import refusal
from faqbot.attendance.collector import ReportRefused
from faqbot.attendance.month import read_month
from faqbot.attendance.report import AttendanceReports
from faqbot.errors import DeliveryError
from faqbot.markup.escaping import neutralise
from faqbot.model.commands import Command, CommandResult
from faqbot.model.messages import Message
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.runtime.leases import run_under_lease
from faqbot.runtime.log import EventLog
from faqbot.runtime.loops import run_periodically, wait_for_event
from faqbot.store.protocol import ClaimStore, MarkStore

log = EventLog(__name__)

_ASKED = "attendance-asked"
_LOOK_SECONDS = 10.0
_PATIENCE_SECONDS = 3600.0


class ReportRequestStore(ClaimStore, MarkStore, Protocol):
    """The roles of the store that hold requested reports."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A report somebody wants for themselves; `at` is epoch seconds."""

    userid: str
    month: str
    departments: tuple[str, ...]
    at: float


async def forget_asked(store: MarkStore, person: str) -> int:
    """Make no report any more that this person asked for; how many there were. Raises StoreError."""
    mine = [key for key, text in (await store.marks(_ASKED)).items() if json.loads(text)["userid"] == person]
    for key in mine:
        await store.put_mark(_ASKED, key, None)
    return len(mine)


class ReportCommands:
    """`run()` makes the reports that were asked for; they are on record, so that a killed process loses none."""

    def __init__(
        self,
        reports: AttendanceReports,
        store: ReportRequestStore,
        outbox: Outbox,
        admins: Collection[str],
        timezone: tzinfo,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._reports = reports
        self._store = store
        self._outbox = outbox
        self._admins = admins
        self._timezone = timezone
        self._clock = clock
        self._wake = asyncio.Event()

    async def __call__(self, message: Message, order: Command) -> CommandResult:
        """报表: put on record, made by the loop, sent to the one who asked."""
        if no := refusal(message, self._admins, "做考勤报表"):
            return no
        today = datetime.fromtimestamp(self._clock(), self._timezone).date()
        words = order.text.split()
        months = [word for word in words if read_month(word, today)]
        month = months[0] if months else "last"
        departments = [word for word in words if word not in months] or ["1"]
        asked = _Asked(message.staff_id, month, tuple(departments), self._clock())
        await self._store.put_mark(_ASKED, message.key, json.dumps(asdict(asked), ensure_ascii=False))
        self._wake.set()
        year, number = read_month(month, today) or (today.year, today.month)
        who = "、".join(neutralise(d) for d in departments) if departments != ["1"] else "全公司"
        return CommandResult("考勤报表", f"正在统计 {year} 年 {number} 月{who}的考勤，几分钟后私聊把 Excel 发给您。")

    async def confirmations(self, message: Message, order: Command) -> CommandResult:
        """确认情况: who has not given their word yet."""
        if no := refusal(message, self._admins, "看确认情况"):
            return no
        latest = await self._reports.latest()
        if not latest:
            return CommandResult("确认情况", "还没有请主管确认过考勤。")
        waiting = [neutralise(c.name) for c in latest if not c.confirmed]
        done = [neutralise(c.name) for c in latest if c.confirmed]
        lines = [f"{latest[0].month} 的考勤，{len(latest)} 位主管里 {len(done)} 位已确认。", ""]
        lines += [f"- 还没有确认：{'、'.join(waiting)}"] if waiting else ["都确认了。"]
        lines += [f"- 已确认：{'、'.join(done)}"] if done and waiting else []
        return CommandResult("确认情况", "\n".join(lines))

    async def confirm(self, message: Message) -> CommandResult | None:
        """A supervisor's word; None from somebody who was not asked."""
        given = await self._reports.confirm(message.staff_id) if message.staff_id else None
        if given is None:
            return None
        if not given:
            return CommandResult("已经确认过", "您已经确认过了，不用再发。")
        months = "、".join(sorted(c.month for c in given))
        return CommandResult("已确认", f"已记下：您确认了 {months} 的考勤。谢谢！")

    # -- the loop ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Make what was asked for, until cancelled."""
        await run_periodically(
            self._look,
            lambda exc: log.error("attendance.failed", cause=exc),
            error_delay=_LOOK_SECONDS,
            wait=partial(wait_for_event, self._wake),
        )

    async def _look(self) -> float:
        for key, text in (await self._store.marks(_ASKED)).items():
            values = json.loads(text)
            await self._make(key, _Asked(**{**values, "departments": tuple(values["departments"])}))
        return _LOOK_SECONDS

    async def _make(self, key: str, asked: _Asked) -> None:
        async def make() -> None:
            if await self._is_settled(f"asked:{key}", asked):
                await self._store.put_mark(_ASKED, key, None)

        await run_under_lease(self._store, f"{_ASKED}:{key}", make)

    async def _is_settled(self, run: str, asked: _Asked) -> bool:
        """Make one report, or tell why there is none; False where it is tried again."""
        try:
            await self._reports.report(asked.month, asked.departments, run=run, hr=(asked.userid,))
        except (ReportRefused, DeliveryError) as exc:
            late = self._clock() - asked.at > _PATIENCE_SECONDS
            if isinstance(exc, DeliveryError) and not exc.permanent and not late:
                log.warning("attendance.retry", code=exc.code)
                return False
            body = f"考勤报表没有做成：{exc}"
            to = Address("person", asked.userid)
            await self._outbox.post(Notice(f"{run}:refused", to, "考勤报表没有做成", body))
        return True
