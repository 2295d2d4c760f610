"""Reading a month of attendance from DingTalk within its limits and the quota; a killed run is gone on with."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, TypeVar

from faqbot.attendance.month import MonthReport, approvals_of, month_days, read_month, summarise, useful_columns
from faqbot.dingtalk.api import attendance, contacts
from faqbot.dingtalk.api.attendance import MOST_COLUMNS, Query
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.dingtalk.api.quota import CALLS, Quota
from faqbot.errors import DeliveryError, FaqbotError, Throttled
from faqbot.model.attendance import ApprovalKind, Column, Punch, PunchResult
from faqbot.model.org_chart import Employee, NoSuchDepartment, Tree
from faqbot.runtime.log import EventLog
from faqbot.runtime.retry import DELAYS_SECONDS
from faqbot.store.protocol import NoteStore

log = EventLog(__name__)

_T = TypeVar("_T")

# How long a killed run may be gone on with; the numbers would be old by then.
_KEEP_SECONDS = 86400.0
# DingTalk knows the last shift of a day by the next morning; the report is of whole days.
_SETTLED_AFTER = timedelta(days=1)


class ReportRefused(FaqbotError):
    """The report cannot be made, and trying again will not help; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class CollectionPlan:
    """What will be read, before anything is. `calls` are those the quota counts, contacts being free."""

    first: date
    last: date
    departments: tuple[int, ...]
    people: tuple[Employee, ...]
    tree: Tree
    queries: tuple[Query, ...]
    calls: int
    left: int

    @property
    def words(self) -> str:
        return f"{len(self.people)} 人，预计 {self.calls} 次接口调用（本月额度还剩 {self.left} 次）"


@dataclass(frozen=True, slots=True)
class Collected:
    """The month added up; `calls` were made for it in this process, `notes` tell what could not be read."""

    report: MonthReport
    calls: int
    notes: tuple[str, ...] = ()


class Collector:
    """`clock` is epoch seconds; `sleep` waits before what failed is tried again."""

    def __init__(
        self,
        directory: ContactsCache,
        notes: NoteStore,
        quota: Quota,
        timezone: tzinfo,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._directory = directory
        self._notes = notes
        self._quota = quota
        self._timezone = timezone
        self._clock = clock
        self._sleep = sleep
        self._calls = 0

    def today(self) -> date:
        return datetime.fromtimestamp(self._clock(), self._timezone).date()

    async def plan(self, month: str, departments: Sequence[str]) -> CollectionPlan:
        """What a report of these departments and those below them takes.

        Raises ReportRefused, DeliveryError where it may work later, StoreError.
        """
        first, last = self._days(month)
        try:
            found = await self._again(lambda: self._directory.find_departments(departments))
            tree = await self._directory.tree()
            below = await self._again(lambda: self._directory.people_below(found))
            people = tuple([await self._full(person) for person in below])
        except NoSuchDepartment as exc:
            raise ReportRefused(str(exc)) from exc
        except DeliveryError as exc:
            raise _refused(exc, "读不到通讯录") from exc
        if not people:
            raise ReportRefused("这些部门里没有人，请核对部门编号或名称，以及应用的授权范围")
        queries = tuple(attendance.queries([p.userid for p in people], first, last))
        reading = sum(attendance.pages(q, _weekdays(q.first, q.last)) for q in queries)
        usage = (await self._quota.usage())[CALLS]
        # One call lists the columns, and each person's values take another.
        return CollectionPlan(
            first, last, found, people, tree, queries, reading + 1 + len(people), max(0, usage.limit - usage.used)
        )

    async def collect(self, plan: CollectionPlan, run: str) -> Collected:
        """Read what was planned; the same `run` does not read again what it has read within a day.

        Raises ReportRefused, DeliveryError where it may work later, StoreError.
        """
        begun = f"attendance:begun:{run}"
        if plan.calls > plan.left and await self._notes.note(begun) is None:
            raise ReportRefused(
                f"这份报表要 {plan.calls} 次接口调用，本月额度只剩 {plan.left} 次："
                "请减少部门，或者到 开发者后台 > 资源管理 核对额度并设置 FAQBOT_QUOTA_CALLS"
            )
        await self._notes.put_note(begun, "1", _KEEP_SECONDS)
        self._calls = 0
        try:
            punches = [punch for query in plan.queries for punch in await self._punches(query, run)]
        except DeliveryError as exc:
            raise _refused(exc, "读不到打卡记录") from exc
        notes: tuple[str, ...] = ()
        values: list[tuple[str, str, date, float]] = []
        columns: dict[Column, ApprovalKind] = {}
        try:
            columns = dict(useful_columns(await self._columns(run)))
            if ApprovalKind.LEAVE in columns.values():
                values = [value for person in plan.people for value in await self._values(person, columns, plan, run)]
            else:
                notes = ("考勤报表里没有请假的列，请在 管理后台 > 考勤 > 报表 里加上各种假，下次就会统计",)
        except DeliveryError as exc:
            if not exc.permanent:
                raise
            columns, values = {}, []
            notes = (f"读不到请假和加班：{exc}。请开通智能统计，并给应用 qyapi_base 权限",)
        known = ApprovalKind.LEAVE in columns.values()
        report = summarise(
            plan.people,
            punches,
            approvals_of(columns, values),
            plan.first,
            plan.last,
            departments=self._homes(plan),
            approvals_known=known,
        )
        log.info("attendance.collected", people=len(plan.people), calls=self._calls, planned=plan.calls)
        return Collected(report, self._calls, notes)

    def _days(self, month: str) -> tuple[date, date]:
        """The whole days of a month. Raises ReportRefused."""
        today = self.today()
        found = read_month(month, today)
        if found is None:
            raise ReportRefused(f"看不懂月份“{month}”：请写上月、本月，或者 2026-10 这样")
        first, last = month_days(*found)
        last = min(last, today - _SETTLED_AFTER)
        if last < first:
            raise ReportRefused(f"{first.year} 年 {first.month} 月还没有可以统计的日子，请过一天再试")
        if first < attendance.oldest_day(today):
            raise ReportRefused(
                f"钉钉只提供最近半年的打卡记录，{first.year} 年 {first.month} 月已经读不全了："
                "请在 管理后台 > 考勤 > 报表 里导出"
            )
        return first, last

    async def _full(self, person: Employee) -> Employee:
        """The person with the supervisor, whom a list does not tell."""
        known = await self._again(lambda: self._directory.person(person.userid))
        return replace(known, leads=tuple({*known.leads, *person.leads})) if known else person

    @staticmethod
    def _homes(plan: CollectionPlan) -> frozenset[int]:
        return frozenset(below for dept_id in plan.departments for below in plan.tree.below(dept_id))

    # -- one reading, remembered -------------------------------------------------------------------

    async def _punches(self, query: Query, run: str) -> list[Punch]:
        found: list[Punch] = []
        more = True
        while more:
            page, more = await self._page(query, len(found), run)
            found += page
        return found

    async def _page(self, query: Query, offset: int, run: str) -> tuple[list[Punch], bool]:
        async def read() -> list[list[Any]]:
            self._calls += 1
            page, more = await self._again(
                lambda: attendance.punches_page(self._directory.api, query, offset, self._timezone)
            )
            rows = [[p.userid, str(p.day), p.on_duty, p.result, p.planned, p.actual, p.excused] for p in page]
            return [[more], *rows]

        what = f"{query.first}|{query.last}|{','.join(query.people)}|{offset}"
        (more,), *rows = await self._once(run, what, read)
        page = [Punch(r[0], date.fromisoformat(r[1]), r[2], PunchResult(r[3]), r[4], r[5], r[6]) for r in rows]
        return page, bool(more)

    async def _columns(self, run: str) -> list[Column]:
        async def read() -> list[list[str]]:
            self._calls += 1
            found = await self._again(lambda: attendance.columns(self._directory.api))
            return [[column.id, column.name] for column in found]

        return [Column(*row) for row in await self._once(run, "columns", read)]

    async def _values(
        self, person: Employee, columns: dict[Column, ApprovalKind], plan: CollectionPlan, run: str
    ) -> list[tuple[str, str, date, float]]:
        ids = [column.id for column in columns]

        async def read() -> list[list[Any]]:
            rows: list[list[Any]] = []
            for at in range(0, len(ids), MOST_COLUMNS):
                part = ids[at : at + MOST_COLUMNS]
                rows += [[i, str(day), n] for i, day, n in await self._column_values(person.userid, part, plan)]
            return rows

        rows = await self._once(run, f"values|{plan.first}|{plan.last}|{person.userid}", read)
        return [(person.userid, row[0], date.fromisoformat(row[1]), row[2]) for row in rows]

    async def _column_values(
        self, userid: str, ids: Sequence[str], plan: CollectionPlan
    ) -> Sequence[tuple[str, date, float]]:
        self._calls += 1
        try:
            return await self._again(
                lambda: attendance.column_values(self._directory.api, userid, ids, plan.first, plan.last)
            )
        except DeliveryError as exc:
            # Somebody who left meanwhile cannot be asked about.
            if exc.code in contacts.NOBODY:
                return ()
            raise

    async def _once(self, run: str, what: str, read: Callable[[], Awaitable[list[Any]]]) -> list[Any]:
        """What was read in this run before, or what `read` gives, to be remembered."""
        key = f"attendance:{hashlib.sha256(f'{run}|{what}'.encode()).hexdigest()[:32]}"
        kept = await self._notes.note(key)
        if kept is not None:
            rows: list[Any] = json.loads(kept)
            return rows
        rows = await read()
        await self._notes.put_note(key, json.dumps(rows, ensure_ascii=False), _KEEP_SECONDS)
        return rows

    async def _again(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """Repeat what may work next time. Raises DeliveryError."""
        for delay in DELAYS_SECONDS:
            try:
                return await call()
            except DeliveryError as exc:
                if exc.permanent:
                    raise
                await self._sleep(max(delay, exc.wait if isinstance(exc, Throttled) else 0.0))
        return await call()


def _weekdays(first: date, last: date) -> int:
    return sum((first + timedelta(days=n)).weekday() < 5 for n in range((last - first).days + 1))


def _refused(exc: DeliveryError, what: str) -> FaqbotError:
    return ReportRefused(f"{what}：{exc}") if exc.permanent else exc
