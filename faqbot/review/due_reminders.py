"""Those who keep answers that grow old are told two weeks before, each entry and date once, on a working morning."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import date, datetime, time, tzinfo

from faqbot.knowledge.editing.workspace import Workspace
from faqbot.markup.escaping import neutralise
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.review.due_dates import Due, due
from faqbot.rules.working_hours import at_work
from faqbot.runtime.log import EventLog
from faqbot.runtime.loops import run_on_change

log = EventLog(__name__)

_MARKS = "reminded"
_NOON = time(12)
_SHOWN = 10


async def remind_keepers(workspace: Workspace, outbox: Outbox, admins: Collection[str], timezone: tzinfo) -> None:
    """Remind once each working morning and whenever the knowledge changes during it, until cancelled."""

    def state() -> tuple[str, date, bool]:
        now = datetime.fromtimestamp(workspace.clock(), timezone)
        working_morning = now.time() < _NOON and at_work(now, workspace.snapshot.automations.calendar)
        return workspace.snapshot.version, now.date(), working_morning

    async def remind_in_the_morning() -> None:
        if state()[-1]:
            await remind(workspace, outbox, admins)

    await run_on_change(
        remind_in_the_morning,
        state,
        lambda exc: log.error("ageing.not_reminded", cause=exc),
        clock=workspace.clock,
    )


async def remind(workspace: Workspace, outbox: Outbox, admins: Collection[str]) -> None:
    """Post what nobody was reminded of yet, each person in one message. Raises StoreError."""
    found = due(workspace.snapshot.entries, workspace.today())
    known = await workspace.store.marks(_MARKS) if found else {}
    new = [d for d in found if _key(d) not in known]
    by_person: dict[str, list[Due]] = {}
    for item in new:
        for userid in workspace.snapshot.groups.owner_userids(item.entry.owner) or admins:
            by_person.setdefault(userid, []).append(item)
    for userid, items in by_person.items():
        key = hashlib.sha256("\n".join(map(_key, items)).encode()).hexdigest()[:16]
        title = f"有 {len(items)} 条回答要到期或复核"
        await outbox.post(Notice(f"ageing:{key}:{userid}", Address("person", userid), title, _body(items)))
    # After the outbox took them: who is killed before tells again, under the same keys.
    told = {_key(item) for items in by_person.values() for item in items}
    for key in told:
        await workspace.store.put_mark(_MARKS, key, "told")
    for key in known.keys() - {_key(d) for d in found}:
        await workspace.store.put_mark(_MARKS, key, None)
    if told:
        log.info("ageing.reminded", entries=len(told), people=len(by_person))


def _key(item: Due) -> str:
    return f"{item.entry.id}|{item.day}|{item.what}"


def _body(items: Sequence[Due]) -> str:
    lines = [
        f"- {neutralise(item.entry.question)}（{item.day.month} 月 {item.day.day} 日{item.what}）"
        for item in items[:_SHOWN]
    ]
    more = [f"- 还有 {len(items) - _SHOWN} 条"] if len(items) > _SHOWN else []
    listed = "\n".join([*lines, *more])
    return (
        f"您负责的这些回答要到期或复核了：\n\n{listed}\n\n"
        "到期以后机器人不再用它回答；过了复核日期还会回答，但会注明待核对。请到控制台「今天」里核对，改好日期。"
    )
