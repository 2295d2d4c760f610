"""Direct messages to owners about entries that are due, once for each entry and date, on a working morning."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import date, datetime, time, tzinfo

from faqbot.knowledge.editing.workspace import Workspace
from faqbot.markup.escaping import escape_markdown
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.review.due_dates import DueEntry, due_entries
from faqbot.rules.working_hours import is_working_time
from faqbot.runtime.log import EventLog
from faqbot.runtime.loops import run_on_change

log = EventLog(__name__)

_MARKS = "reminded"
_MARK_VALUE = "told"
_NOON = time(12)
_MAX_LISTED = 10


async def run_due_reminders(workspace: Workspace, outbox: Outbox, admins: Collection[str], timezone: tzinfo) -> None:
    """Remind once each working morning and whenever the knowledge changes during it, until cancelled."""

    def state() -> tuple[str, date, bool]:
        now = datetime.fromtimestamp(workspace.clock(), timezone)
        is_working_morning = now.time() < _NOON and is_working_time(now, workspace.snapshot.automations.calendar)
        return workspace.snapshot.version, now.date(), is_working_morning

    async def remind_in_the_morning() -> None:
        _, _, is_working_morning = state()
        if is_working_morning:
            await remind_owners(workspace, outbox, admins)

    await run_on_change(
        remind_in_the_morning,
        state,
        lambda exc: log.error("ageing.not_reminded", cause=exc),
        clock=workspace.clock,
    )


async def remind_owners(workspace: Workspace, outbox: Outbox, admins: Collection[str]) -> None:
    """Post the due entries that nobody was reminded of yet, one message a person. Raises StoreError."""
    due = due_entries(workspace.snapshot.entries, workspace.today())
    reminded = await workspace.store.marks(_MARKS) if due else {}
    by_person: dict[str, list[DueEntry]] = {}
    for item in due:
        if _key(item) not in reminded:
            for userid in workspace.snapshot.groups.owner_userids(item.entry.owner) or admins:
                by_person.setdefault(userid, []).append(item)
    for userid, items in by_person.items():
        key = hashlib.sha256("\n".join(map(_key, items)).encode()).hexdigest()[:16]
        title = f"有 {len(items)} 条回答要到期或复核"
        await outbox.post(Notice(f"ageing:{key}:{userid}", Address("person", userid), title, _body(items)))
    # After posting: a crash in between repeats the notices under the same keys, and the outbox drops them.
    new_keys = {_key(item) for items in by_person.values() for item in items}
    for key in new_keys:
        await workspace.store.put_mark(_MARKS, key, _MARK_VALUE)
    for key in reminded.keys() - {_key(item) for item in due}:
        await workspace.store.put_mark(_MARKS, key, None)
    if new_keys:
        log.info("ageing.reminded", entries=len(new_keys), people=len(by_person))


def _key(item: DueEntry) -> str:
    return f"{item.entry.id}|{item.day}|{item.what}"


def _body(items: Sequence[DueEntry]) -> str:
    lines = [
        f"- {escape_markdown(item.entry.question)}（{item.day.month} 月 {item.day.day} 日{item.what}）"
        for item in items[:_MAX_LISTED]
    ]
    more = [f"- 还有 {len(items) - _MAX_LISTED} 条"] if len(items) > _MAX_LISTED else []
    listed = "\n".join([*lines, *more])
    return (
        f"您负责的这些回答要到期或复核了：\n\n{listed}\n\n"
        "到期以后机器人不再用它回答；过了复核日期还会回答，但会注明待核对。请到控制台「今天」里核对，改好日期。"
    )
