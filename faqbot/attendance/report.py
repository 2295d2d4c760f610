"""The monthly attendance report: read once, told to the group, to each supervisor and to HR, and confirmed.

Everything that goes out waits in the outbox under a key of the run, so that a run may be begun again after a kill.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Protocol

from faqbot.attendance.collector import Collected, CollectionPlan, Collector, ReportRefused
from faqbot.attendance.wording import of_group, of_hr, of_team, span
from faqbot.attendance.workbook import workbook
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.errors import DeliveryError
from faqbot.model.notices import Address, Link, Notice
from faqbot.model.org_chart import Teams, teams
from faqbot.outbox.outbox import Outbox
from faqbot.runtime.log import EventLog
from faqbot.store.json_records import from_json, to_json
from faqbot.store.protocol import MarkStore, NoteStore

log = EventLog(__name__)

_ASKED = "attendance-confirmations"
_KEEP_SECONDS = 86400.0
# Reports of this many months can still be confirmed and looked at.
_MONTHS = 6


class ReportStore(NoteStore, MarkStore, Protocol):
    """The roles of the store that hold reports and their confirmations."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One supervisor's word on a month; times are epoch seconds, 0 while it is not given."""

    month: str
    userid: str
    name: str
    run: str
    hr: tuple[str, ...]
    asked: float
    confirmed: float = 0.0


@dataclass(frozen=True, slots=True)
class Reported:
    """What a report came to; `line` says it in a sentence."""

    people: int
    supervisors: int
    calls: int
    line: str


async def forget_confirmations(store: MarkStore, person: str) -> int:
    """Forget the words one person gave or was asked for, and no longer tell them of others'; how many words there were.

    Raises StoreError.
    """
    gone = 0
    for key, text in (await store.marks(_ASKED)).items():
        given = from_json(Confirmation, text)
        if given.userid == person:
            await store.put_mark(_ASKED, key, None)
            gone += 1
        elif person in given.hr:
            hr = tuple(userid for userid in given.hr if userid != person)
            await store.put_mark(_ASKED, key, to_json(replace(given, hr=hr)))
    return gone


class AttendanceReports:
    """`admins` get the file where nobody else is named. `clock` is epoch seconds."""

    def __init__(
        self,
        directory: ContactsCache,
        collector: Collector,
        store: ReportStore,
        outbox: Outbox,
        *,
        timezone: tzinfo,
        admins: Collection[str],
        clock: Callable[[], float],
    ) -> None:
        self._directory = directory
        self._collector = collector
        self._store = store
        self._outbox = outbox
        self._timezone = timezone
        self._admins = tuple(sorted(admins))
        self._clock = clock

    async def plan(self, month: str, departments: Sequence[str]) -> CollectionPlan:
        """How many people and calls a report takes; contacts are read, attendance is not.

        Raises ReportRefused, DeliveryError where it may work later, StoreError.
        """
        return await self._collector.plan(month, departments)

    async def report(
        self,
        month: str,
        departments: Sequence[str],
        *,
        run: str,
        to: Address | None = None,
        ask_supervisors: bool = False,
        hr: Sequence[str] = (),
    ) -> Reported:
        """Read the month and tell everybody; the same `run` reads and tells nothing twice.

        `month` as in `read_month`, `departments` numbers or names, `to` the group or its robot. Raises ReportRefused,
        DeliveryError where it may work later, StoreError.
        """
        hr = tuple(hr) or self._admins
        if not hr and to is None and not ask_supervisors:
            raise ReportRefused("不知道把报表发给谁：请写 robot、at: supervisors 或 hr，或者设置 FAQBOT_ADMINS")
        plan = await self.plan(month, departments)
        collected = await self._collector.collect(plan, run)
        who = teams(plan.people, plan.tree)
        await self._tell(plan, collected, who, run, to, ask_supervisors, hr)
        names = await self._names(who) if ask_supervisors else {}
        if ask_supervisors:
            await self._ask(plan, names, run, hr)
        line = (
            f"{span(collected.report)}考勤报表：{len(plan.people)} 人，{len(names)} 位主管，"
            f"用了 {collected.calls} 次接口调用（预计 {plan.calls} 次）"
        )
        return Reported(len(plan.people), len(names), collected.calls, line)

    async def _tell(
        self,
        plan: CollectionPlan,
        collected: Collected,
        who: Teams,
        run: str,
        to: Address | None,
        ask: bool,
        hr: Sequence[str],
    ) -> None:
        report = collected.report
        title = f"{span(report)}考勤"
        notices = []
        if to is not None:
            at = tuple(who.of) if ask else ()
            body = of_group(report, plan.tree, ask=ask)
            notices.append(Notice(f"{run}:group", to, title, body, at_userids=at))
        if ask:
            notices += [
                Notice(
                    f"{run}:team:{userid}",
                    Address("person", userid),
                    title,
                    of_team(report, team, self._timezone),
                )
                for userid, team in who.of.items()
            ]
        body = of_hr(report, who.alone, await self._names(who) if ask else {}, collected.notes)
        notices += [Notice(f"{run}:hr:{userid}", Address("person", userid), title, body) for userid in hr]
        notices += await self._file(plan, collected, run, title, hr)
        await self._outbox.post(*notices)

    async def _file(
        self, plan: CollectionPlan, collected: Collected, run: str, title: str, hr: Sequence[str]
    ) -> list[Notice]:
        """The workbook for HR, uploaded once a run; where DingTalk does not take it, HR is told so instead."""
        if not hr:
            return []
        key = f"attendance:file:{run}"
        media = await self._store.note(key)
        if media is None:
            content = workbook(collected.report, plan.tree, self._timezone, collected.notes)
            try:
                media = await self._directory.api.upload("attendance.xlsx", content)
            except DeliveryError as exc:
                if not exc.permanent:
                    raise
                body = f"Excel 文件没有传上去：{exc}"
                return [Notice(f"{run}:file:{userid}", Address("person", userid), title, body) for userid in hr]
            await self._store.put_note(key, media, _KEEP_SECONDS)
        name = f"考勤报表 {plan.first:%Y-%m}.xlsx"
        return [
            Notice(
                f"{run}:file:{userid}", Address("person", userid), title, "", shape="file", links=(Link(name, media),)
            )
            for userid in hr
        ]

    async def _names(self, who: Teams) -> dict[str, str]:
        found = {}
        for userid in who.of:
            person = await self._directory.person(userid)
            found[userid] = person.name if person and person.name else userid
        return found

    # -- confirmations -------------------------------------------------------------------------------

    async def _ask(self, plan: CollectionPlan, names: Mapping[str, str], run: str, hr: Sequence[str]) -> None:
        """Expect each supervisor's word; a new run for the same month expects it anew."""
        month = f"{plan.first:%Y-%m}"
        known = {(c.month, c.userid): c for c in await self._confirmations()}
        for userid, name in names.items():
            before = known.get((month, userid))
            if before is None or before.run != run:
                await self._put(Confirmation(month, userid, name, run, tuple(hr), self._clock()))
        for c in known.values():
            gone = c.month == month and c.userid not in names
            if gone or c.month not in sorted({month, *(m for m, _ in known)})[-_MONTHS:]:
                await self._store.put_mark(_ASKED, f"{c.month}|{c.userid}", None)

    async def confirm(self, userid: str) -> tuple[Confirmation, ...] | None:
        """Take a supervisor's word on every month they were asked about; those confirmed now, None if never asked.

        HR is told when the last word of a month is in. Raises StoreError.
        """
        mine = [c for c in await self._confirmations() if c.userid == userid]
        if not mine:
            return None
        given = tuple(c for c in mine if not c.confirmed)
        for c in given:
            await self._put(replace(c, confirmed=self._clock()))
        for month in {c.month for c in mine}:
            await self._tell_if_complete(month)
        return given

    async def _tell_if_complete(self, month: str) -> None:
        asked = [c for c in await self._confirmations() if c.month == month]
        if any(not c.confirmed for c in asked):
            return
        body = f"{month} 的考勤，{len(asked)} 位主管都确认了。"
        runs = {(c.run, userid) for c in asked for userid in c.hr}
        await self._outbox.post(
            *(Notice(f"{run}:confirmed:{hr}", Address("person", hr), "考勤都确认了", body) for run, hr in runs)
        )

    async def latest(self) -> tuple[Confirmation, ...]:
        """The words asked for about the latest month, those not given first. Raises StoreError."""
        asked = await self._confirmations()
        month = max((c.month for c in asked), default="")
        return tuple(sorted((c for c in asked if c.month == month), key=lambda c: (bool(c.confirmed), c.name)))

    async def _confirmations(self) -> list[Confirmation]:
        return [from_json(Confirmation, text) for text in (await self._store.marks(_ASKED)).values()]

    async def _put(self, c: Confirmation) -> None:
        await self._store.put_mark(_ASKED, f"{c.month}|{c.userid}", to_json(c))
