"""Collects a month of attendance from DingTalk: plans the calls within rate limits and quota."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import TypeVar

from faqbot.attendance.approvals import approval_columns, approvals_of
from faqbot.attendance.cached_reader import KEEP_SECONDS, CachedReader
from faqbot.attendance.month import MonthReport, summarise
from faqbot.attendance.month_names import days_of_month, parse_month
from faqbot.dingtalk.api import attendance
from faqbot.dingtalk.api.attendance import PunchQuery
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.dingtalk.api.quota import CALLS, Quota
from faqbot.errors import DeliveryError, FaqbotError, Throttled
from faqbot.model.attendance import ApprovalKind, Approved
from faqbot.model.org_chart import Employee, NoSuchDepartment, Tree
from faqbot.runtime.log import EventLog
from faqbot.runtime.retry import DELAYS_SECONDS
from faqbot.store.protocol import NoteStore

log = EventLog(__name__)

_T = TypeVar("_T")

# DingTalk has the results of a day's last shift by the next morning, and the report has whole days only.
_RESULTS_DELAY = timedelta(days=1)


class ReportRefused(FaqbotError):
    """The report cannot be made, and trying again will not help; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class CollectionPlan:
    """The days, people and queries of a report that is not read yet.

    `calls` is how many calls of the quota it costs (reading contacts costs none), `left` how many the quota has.
    """

    first: date
    last: date
    departments: tuple[int, ...]
    people: tuple[Employee, ...]
    tree: Tree
    queries: tuple[PunchQuery, ...]
    calls: int
    left: int


@dataclass(frozen=True, slots=True)
class Collected:
    """The month added up; `calls` were made for it in this process, `notes` tell HR what could not be read."""

    report: MonthReport
    calls: int
    notes: tuple[str, ...] = ()


class Collector:
    """`clock` is epoch seconds; `sleep` waits before a failed call is repeated."""

    def __init__(
        self,
        contacts: ContactsCache,
        notes: NoteStore,
        quota: Quota,
        timezone: tzinfo,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._contacts = contacts
        self._notes = notes
        self._quota = quota
        self._timezone = timezone
        self._clock = clock
        self._sleep = sleep

    async def plan(self, month: str, departments: Sequence[str]) -> CollectionPlan:
        """Plan a report of these departments and those below them.

        Raises ReportRefused, DeliveryError where it may work later, StoreError.
        """
        first, last = self._days(month)
        try:
            department_ids = await self._retry(lambda: self._contacts.find_departments(departments))
            tree = await self._contacts.tree()
            listed = await self._retry(lambda: self._contacts.people_below(department_ids))
            people = tuple([await self._with_supervisor(person) for person in listed])
        except NoSuchDepartment as exc:
            raise ReportRefused(str(exc)) from exc
        except DeliveryError as exc:
            raise _refused(exc, "读不到通讯录") from exc
        if not people:
            raise ReportRefused("这些部门里没有人，请核对部门编号或名称，以及应用的授权范围")
        queries = tuple(attendance.split_into_queries([p.userid for p in people], first, last))
        punch_calls = sum(attendance.count_pages(q, _weekdays(q.first, q.last)) for q in queries)
        # One call lists the columns, and one more reads the values of each person.
        calls = punch_calls + 1 + len(people)
        usage = (await self._quota.usage())[CALLS]
        calls_left = max(0, usage.limit - usage.used)
        return CollectionPlan(first, last, department_ids, people, tree, queries, calls, calls_left)

    async def collect(self, plan: CollectionPlan, run: str) -> Collected:
        """Carry out a plan; within a day, the same `run` repeats no call that was answered.

        Raises ReportRefused, DeliveryError where it may work later, StoreError.
        """
        begun = f"attendance:begun:{run}"
        if plan.calls > plan.left and await self._notes.note(begun) is None:
            raise ReportRefused(
                f"这份报表要 {plan.calls} 次接口调用，本月额度只剩 {plan.left} 次："
                "请减少部门，或者到 开发者后台 > 资源管理 核对额度并设置 FAQBOT_QUOTA_CALLS"
            )
        await self._notes.put_note(begun, "1", KEEP_SECONDS)
        reader = CachedReader(self._contacts.api, self._notes, self._timezone, self._retry, run)
        try:
            punches = [punch for query in plan.queries for punch in await reader.punches(query)]
        except DeliveryError as exc:
            raise _refused(exc, "读不到打卡记录") from exc
        approvals, notes = await self._approvals(reader, plan)
        report = summarise(
            plan.people,
            punches,
            approvals or (),
            plan.first,
            plan.last,
            departments=frozenset(below for dept_id in plan.departments for below in plan.tree.below(dept_id)),
            approvals_known=approvals is not None,
        )
        log.info("attendance.collected", people=len(plan.people), calls=reader.calls, planned=plan.calls)
        return Collected(report, reader.calls, notes)

    async def _approvals(
        self, reader: CachedReader, plan: CollectionPlan
    ) -> tuple[tuple[Approved, ...] | None, tuple[str, ...]]:
        """Return leave, trips and overtime, None where leave is not known, and notes about missing data."""
        try:
            columns = approval_columns(await reader.columns())
            if ApprovalKind.LEAVE not in columns.values():
                return None, ("考勤报表里没有请假的列，请在 管理后台 > 考勤 > 报表 里加上各种假，下次就会统计",)
            ids = [column.id for column in columns]
            values = [
                value
                for person in plan.people
                for value in await reader.column_values(person.userid, ids, plan.first, plan.last)
            ]
        except DeliveryError as exc:
            if not exc.permanent:
                raise
            return None, (f"读不到请假和加班：{exc}。请开通智能统计，并给应用 qyapi_base 权限",)
        return approvals_of(columns, values), ()

    def _days(self, month: str) -> tuple[date, date]:
        """Return the first and last day of a month that DingTalk has all results of. Raises ReportRefused."""
        today = datetime.fromtimestamp(self._clock(), self._timezone).date()
        year_and_month = parse_month(month, today)
        if year_and_month is None:
            raise ReportRefused(f"看不懂月份“{month}”：请写上月、本月，或者 2026-10 这样")
        first, last = days_of_month(*year_and_month)
        last = min(last, today - _RESULTS_DELAY)
        if last < first:
            raise ReportRefused(f"{first.year} 年 {first.month} 月还没有可以统计的日子，请过一天再试")
        if first < attendance.oldest_day(today):
            raise ReportRefused(
                f"钉钉只提供最近半年的打卡记录，{first.year} 年 {first.month} 月已经读不全了："
                "请在 管理后台 > 考勤 > 报表 里导出"
            )
        return first, last

    async def _with_supervisor(self, person: Employee) -> Employee:
        """Return the person with the supervisor, which a department's list does not have."""
        details = await self._retry(lambda: self._contacts.person(person.userid))
        return replace(details, leads=tuple({*details.leads, *person.leads})) if details else person

    async def _retry(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """Repeat a call that may succeed later. Raises DeliveryError."""
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
