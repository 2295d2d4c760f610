"""Queue of corrections not yet announced: the recipients of the old answer, and its text."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from faqbot.dingtalk.api.robot import MAX_PEOPLE
from faqbot.errors import StoreError
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.model.entries import Entry
from faqbot.model.group_settings import looks_like_userid
from faqbot.model.question_log import received_answers
from faqbot.store.json_records import from_json, to_json
from faqbot.store.protocol import Store

# People who got the answer within this many days are told of its correction.
RECIPIENT_DAYS = 14
_MARKS = "corrections"
_LOCK = "corrections:send"
_LOCK_SECONDS = 60.0
_LOCK_TRIES = 20
_LOCK_RETRY_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class AnswerRecipients:
    """The people who got an answer from an entry lately: userIds, and the number of those who cannot be written to."""

    people: tuple[str, ...] = ()
    unreachable: int = 0

    @property
    def calls(self) -> int:
        """Calls of the monthly quota that a message to all of them costs."""
        return -(-len(self.people) // MAX_PEOPLE)


@dataclass(frozen=True, slots=True)
class PendingCorrection:
    """A correction that waits to be merged with others.

    `entry` is the entry's id, `before` the answer that the people got, `at` epoch seconds. `batch` is set once the
    correction is being sent.
    """

    id: str
    entry: str
    before: str
    people: tuple[str, ...]
    at: float
    batch: str = ""


async def recent_recipients(workspace: Workspace, entry_id: str) -> AnswerRecipients:
    """Return who got an answer from the entry within RECIPIENT_DAYS. Raises StoreError."""
    records = await workspace.store.questions(workspace.clock() - RECIPIENT_DAYS * 86400.0)
    askers = dict.fromkeys(r.asker for r in received_answers(records) if r.entry_id == entry_id)
    people = tuple(asker for asker in askers if looks_like_userid(asker))
    return AnswerRecipients(people, len(askers) - len(people))


def answer_text(entry: Entry) -> str:
    """Return all that an entry answers; case by case where it has variants."""
    if not entry.variants:
        return entry.answer
    return "\n".join(f"{'其他' if case == 'else' else case}：{text}" for case, text in entry.variants.items())


async def plan_correction(workspace: Workspace, entry: Entry, people: Sequence[str]) -> PendingCorrection:
    """Store, before the edit is saved, that these people are to be told of it. Raises StoreError."""
    now = workspace.clock()
    correction_id = hashlib.sha256(json.dumps([entry.id, answer_text(entry), now]).encode()).hexdigest()[:16]
    pending = PendingCorrection(correction_id, entry.id, answer_text(entry), tuple(people), now)
    await save_pending(workspace.store, pending)
    return pending


async def cancel_correction(workspace: Workspace, pending: PendingCorrection) -> None:
    """Delete a planned correction whose edit was not saved. Raises StoreError."""
    await delete_pending(workspace.store, pending)


async def forget_recipient(store: Store, person: str) -> None:
    """Remove one person from all pending corrections. Raises StoreError."""
    # A correction that is being sent must not be stored again after it was deleted.
    for _ in range(_LOCK_TRIES):
        if await lock_pending(store):
            break
        await asyncio.sleep(_LOCK_RETRY_SECONDS)
    else:
        raise StoreError("有更正正在发出，请过一分钟再试一次")
    try:
        for pending in await load_pending(store):
            if person in pending.people:
                others = tuple(userid for userid in pending.people if userid != person)
                await save_pending(store, replace(pending, people=others))
    finally:
        await unlock_pending(store)


# -- in the store ----------------------------------------------------------------------------------


async def lock_pending(store: Store) -> bool:
    """Claim all pending corrections; return False while somebody else holds them. Raises StoreError."""
    return await store.claim(_LOCK, _LOCK_SECONDS)


async def unlock_pending(store: Store) -> None:
    await store.release(_LOCK)


async def load_pending(store: Store) -> list[PendingCorrection]:
    """Return the pending corrections, the oldest first. Raises StoreError."""
    pending = [from_json(PendingCorrection, text) for text in (await store.marks(_MARKS)).values()]
    return sorted(pending, key=lambda p: (p.at, p.id))


async def save_pending(store: Store, pending: PendingCorrection) -> None:
    await store.put_mark(_MARKS, pending.id, to_json(pending))


async def delete_pending(store: Store, pending: PendingCorrection) -> None:
    await store.put_mark(_MARKS, pending.id, None)
