"""Makes the monthly attendance report and sends it to the group, supervisors and HR for confirmation.

All its notices have keys of the run, so that an interrupted run can be started again and sends nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from faqbot.attendance.collector import Collected, CollectionPlan, Collector, ReportRefused
from faqbot.attendance.confirmations import Confirmations
from faqbot.attendance.report_texts import group_summary, hr_summary, period_in_words, team_summary
from faqbot.attendance.workbook import build_workbook
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.errors import DeliveryError
from faqbot.model.notice_keys import part_key
from faqbot.model.notices import Address, Link, Notice
from faqbot.model.org_chart import Teams, teams
from faqbot.outbox.outbox import Outbox
from faqbot.store.protocol import MarkStore, NoteStore

# A run that was interrupted finds the file it uploaded for this long.
_KEEP_SECONDS = 86400.0


class ReportStore(NoteStore, MarkStore, Protocol):
    """The roles of the store that hold reports and their confirmations."""


@dataclass(frozen=True, slots=True)
class ReportResult:
    """The figures of a report that was sent; `line` has them in a sentence."""

    people: int
    supervisors: int
    calls: int
    line: str


@dataclass(frozen=True, slots=True)
class _Recipients:
    """Recipients of a report: a group or its robot, supervisors (userId to name) about their teams, HR (userIds)."""

    to: Address | None
    supervisors: dict[str, str]
    hr: tuple[str, ...]


class AttendanceReports:
    """`admins` get the file where nobody else is named. `clock` is epoch seconds."""

    def __init__(
        self,
        contacts: ContactsCache,
        collector: Collector,
        store: ReportStore,
        outbox: Outbox,
        *,
        timezone: tzinfo,
        admins: Collection[str],
        clock: Callable[[], float],
    ) -> None:
        self.confirmations = Confirmations(store, outbox, clock)
        self._contacts = contacts
        self._collector = collector
        self._store = store
        self._outbox = outbox
        self._timezone = timezone
        self._admins = tuple(sorted(admins))

    async def report(
        self,
        month: str,
        departments: Sequence[str],
        *,
        run: str,
        to: Address | None = None,
        ask_supervisors: bool = False,
        hr: Sequence[str] = (),
    ) -> ReportResult:
        """Read the month and send the report; the same `run` reads and sends nothing twice.

        `month` is as in `parse_month`, `departments` are ids or names, `to` is the group or its robot. Raises
        ReportRefused, DeliveryError where it may work later, StoreError.
        """
        hr = tuple(hr) or self._admins
        if not hr and to is None and not ask_supervisors:
            raise ReportRefused("不知道把报表发给谁：请写 robot、at: supervisors 或 hr，或者设置 FAQBOT_ADMINS")
        plan = await self._collector.plan(month, departments)
        collected = await self._collector.collect(plan, run)
        all_teams = teams(plan.people, plan.tree)
        supervisors = await self._names(all_teams) if ask_supervisors else {}
        await self._post(plan, collected, all_teams, run, _Recipients(to, supervisors, hr), ask=ask_supervisors)
        if ask_supervisors:
            await self.confirmations.request(f"{plan.first:%Y-%m}", supervisors, run, hr)
        line = (
            f"{period_in_words(collected.report)}考勤报表：{len(plan.people)} 人，{len(supervisors)} 位主管，"
            f"用了 {collected.calls} 次接口调用（预计 {plan.calls} 次）"
        )
        return ReportResult(len(plan.people), len(supervisors), collected.calls, line)

    async def _post(
        self,
        plan: CollectionPlan,
        collected: Collected,
        all_teams: Teams,
        run: str,
        recipients: _Recipients,
        *,
        ask: bool,
    ) -> None:
        report = collected.report
        title = f"{period_in_words(report)}考勤"
        notices = []
        if recipients.to is not None:
            body = group_summary(report, plan.tree, ask=ask)
            mentions = tuple(recipients.supervisors)
            notices.append(Notice(part_key(run, "group"), recipients.to, title, body, at_userids=mentions))
        for userid in recipients.supervisors:
            body = team_summary(report, all_teams.of[userid], self._timezone)
            notices.append(Notice(part_key(run, "team", userid), Address("person", userid), title, body))
        body = hr_summary(report, all_teams.alone, recipients.supervisors, collected.notes)
        for userid in recipients.hr:
            notices.append(Notice(part_key(run, "hr", userid), Address("person", userid), title, body))
        notices += await self._file_notices(plan, collected, run, title, recipients.hr)
        await self._outbox.post(*notices)

    async def _file_notices(
        self, plan: CollectionPlan, collected: Collected, run: str, title: str, hr: Sequence[str]
    ) -> list[Notice]:
        """Upload the workbook once a run and return its notices to HR; if DingTalk refuses it, they say so."""
        if not hr:
            return []
        key = f"attendance:file:{run}"
        media = await self._store.note(key)
        if media is None:
            content = build_workbook(collected.report, plan.tree, self._timezone, collected.notes)
            try:
                media = await self._contacts.api.upload("attendance.xlsx", content)
            except DeliveryError as exc:
                if not exc.permanent:
                    raise
                body = f"Excel 文件没有传上去：{exc}"
                return [Notice(part_key(run, "file", u), Address("person", u), title, body) for u in hr]
            await self._store.put_note(key, media, _KEEP_SECONDS)
        links = (Link(f"考勤报表 {plan.first:%Y-%m}.xlsx", media),)
        return [
            Notice(part_key(run, "file", u), Address("person", u), title, "", shape="file", links=links) for u in hr
        ]

    async def _names(self, all_teams: Teams) -> dict[str, str]:
        """Return the name of each supervisor by userId; the userId itself where there is no name."""
        names = {}
        for userid in all_teams.of:
            person = await self._contacts.person(userid)
            names[userid] = person.name if person and person.name else userid
        return names
