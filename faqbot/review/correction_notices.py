"""Telling those who were answered lately that the answer is another one now: once, by direct message, merged."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace

from faqbot.dingtalk.api.robot import MOST_PEOPLE
from faqbot.errors import StoreError
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.language.answer_diff import Correction, correction
from faqbot.markup.escaping import neutralise
from faqbot.markup.picture_links import named_only
from faqbot.model.entries import Entry
from faqbot.model.group_settings import looks_like_userid
from faqbot.model.notices import Address, Notice
from faqbot.model.question_log import DELIVERED
from faqbot.outbox.outbox import Outbox
from faqbot.runtime.log import EventLog
from faqbot.runtime.loops import run_periodically
from faqbot.store.protocol import Store

log = EventLog(__name__)

ASKED_DAYS = 14
# What is corrected within this time is told in one message; and what is corrected back in it, not at all.
MERGE_SECONDS = 300.0
_EVERY = 5.0
_MARKS, _LOCK = "corrections", "corrections:send"
_LOCK_SECONDS = 60.0
_LOCK_TRIES, _LOCK_PAUSE = 20, 0.25
_ANSWERS = ("answered", "picked")


@dataclass(frozen=True, slots=True)
class Reach:
    """Who got an answer from an entry lately: userIds, and how many more there are to whom nobody can write."""

    people: tuple[str, ...] = ()
    unreachable: int = 0

    @property
    def calls(self) -> int:
        """What it costs of the monthly quota of calls."""
        return -(-len(self.people) // MOST_PEOPLE)


@dataclass(frozen=True, slots=True)
class Pending:
    """A correction that waits for others. `before` is what the people were told; `batch` is set once it is sent."""

    id: str
    entry: str
    before: str
    people: tuple[str, ...]
    at: float
    batch: str = ""


async def answered_lately(workspace: Workspace, entry_id: str) -> Reach:
    """Raises StoreError."""
    records = await workspace.store.questions(workspace.clock() - ASKED_DAYS * 86400.0)
    askers = dict.fromkeys(
        r.asker for r in records if r.entry_id == entry_id and r.outcome in _ANSWERS and r.delivery == DELIVERED
    )
    people = tuple(asker for asker in askers if looks_like_userid(asker))
    return Reach(people, len(askers) - len(people))


def answer_text(entry: Entry) -> str:
    """All that an entry answers, case by case where it asks back."""
    if not entry.variants:
        return entry.answer
    return "\n".join(f"{'其他' if word == 'else' else word}：{text}" for word, text in entry.variants.items())


async def plan(workspace: Workspace, entry: Entry, people: Sequence[str]) -> Pending:
    """Note, before the edit is saved, that these people are to be told of it. Raises StoreError."""
    now = workspace.clock()
    mark = hashlib.sha256(json.dumps([entry.id, answer_text(entry), now]).encode()).hexdigest()[:16]
    pending = Pending(mark, entry.id, answer_text(entry), tuple(people), now)
    await _keep(workspace.store, pending)
    return pending


async def give_up(workspace: Workspace, pending: Pending) -> None:
    """The edit was not saved. Raises StoreError."""
    await workspace.store.put_mark(_MARKS, pending.id, None)


async def forget_reached(store: Store, person: str) -> None:
    """Tell one person of no correction that still waits. Raises StoreError."""
    # Those that are being handed to the outbox must not be written again behind it.
    for _ in range(_LOCK_TRIES):
        if await store.claim(_LOCK, _LOCK_SECONDS):
            break
        await asyncio.sleep(_LOCK_PAUSE)
    else:
        raise StoreError("有更正正在发出，请过一分钟再试一次")
    try:
        for pending in await _pending(store):
            if person in pending.people:
                others = tuple(userid for userid in pending.people if userid != person)
                await _keep(store, replace(pending, people=others))
    finally:
        await store.release(_LOCK)


async def tell_of_corrections(workspace: Workspace, outbox: Outbox) -> None:
    """Send what has waited long enough, until cancelled."""

    async def look() -> float:
        await send_due(workspace, outbox)
        return _EVERY

    await run_periodically(look, lambda exc: log.error("corrections.failed", cause=exc), error_delay=_EVERY)


async def send_due(workspace: Workspace, outbox: Outbox) -> None:
    """Hand all pending corrections to the outbox once the first of them is old enough. Raises StoreError."""
    waiting = await _pending(workspace.store)
    if not any(p.batch or workspace.clock() - p.at >= MERGE_SECONDS for p in waiting):
        return
    if not await workspace.store.claim(_LOCK, _LOCK_SECONDS):
        return
    try:
        await _send(workspace, outbox)
    finally:
        await workspace.store.release(_LOCK)


async def _send(workspace: Workspace, outbox: Outbox) -> None:
    waiting = await _pending(workspace.store)
    # A batch that was begun before a crash stays what it is, so that its messages have the same keys.
    batch = next((p.batch for p in waiting if p.batch), "")
    if not batch:
        batch = hashlib.sha256("".join(p.id for p in waiting).encode()).hexdigest()[:16]
        waiting = [replace(p, batch=batch) for p in waiting]
        for pending in waiting:
            await _keep(workspace.store, pending)
    mine = [p for p in waiting if p.batch == batch]
    notices = _notices(mine, {e.id: e for e in workspace.snapshot.entries}, batch)
    await outbox.post(*notices)
    for pending in mine:
        await workspace.store.put_mark(_MARKS, pending.id, None)
    log.info("corrections.posted", corrections=len(mine), people=len(notices))


def _notices(pending: Sequence[Pending], entries: Mapping[str, Entry], batch: str) -> list[Notice]:
    """One message a person with all that is another answer now than they got."""
    told: dict[str, dict[str, str]] = {}
    for one in pending:
        for userid in one.people:
            # What they were told first is what they know; later states nobody told them.
            told.setdefault(userid, {}).setdefault(one.entry, one.before)
    found: list[Notice] = []
    for userid, before in told.items():
        parts = [
            (entry, changed)
            for entry_id, text in before.items()
            if (entry := entries.get(entry_id)) and not (entry.draft or entry.held)
            if (changed := correction(text, answer_text(entry)))
        ]
        if parts:
            title, body = message(parts)
            found.append(Notice(f"correction:{batch}:{userid}", Address("person", userid), title, body))
    return found


def message(parts: Sequence[tuple[Entry, Correction]]) -> tuple[str, str]:
    """Title and markdown of what one person is told."""
    first = neutralise(parts[0][0].question)
    title = f"更正：{first}" if len(parts) == 1 else f"有 {len(parts)} 个回答更正了"
    told = [
        f"**{neutralise(entry.question)}**\n\n原来说：{named_only(changed.before)}\n\n现在是：{named_only(changed.after)}"
        for entry, changed in parts
    ]
    lead = "您最近问过的问题，答案有更正，请以现在的为准。"
    return title, "\n\n".join([lead, *told])


async def _pending(store: Store) -> list[Pending]:
    """Oldest first."""
    known = {f.name for f in fields(Pending)}
    found = []
    for text in (await store.marks(_MARKS)).values():
        values = {name: value for name, value in json.loads(text).items() if name in known}
        found.append(Pending(**{**values, "people": tuple(values["people"])}))
    return sorted(found, key=lambda p: (p.at, p.id))


async def _keep(store: Store, pending: Pending) -> None:
    await store.put_mark(_MARKS, pending.id, json.dumps(asdict(pending), ensure_ascii=False))
