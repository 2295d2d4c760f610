"""Confirmations of a month's attendance: which supervisors were asked for one, and who gave it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from faqbot.model.notice_keys import part_key
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.store.json_records import from_json, to_json
from faqbot.store.protocol import MarkStore

_MARKS = "attendance-confirmations"
# Confirmations of this many months are kept.
_MAX_MONTHS = 6


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The confirmation of a month (`2026-10`) by one supervisor.

    `run` is the report that asked for it, `hr` the userIds that are told when it is complete. `asked` and `confirmed`
    are epoch seconds; `confirmed` is 0 until it is given.
    """

    month: str
    userid: str
    name: str
    run: str
    hr: tuple[str, ...]
    asked: float
    confirmed: float = 0.0


class Confirmations:
    """`clock` is epoch seconds."""

    def __init__(self, store: MarkStore, outbox: Outbox, clock: Callable[[], float]) -> None:
        self._store = store
        self._outbox = outbox
        self._clock = clock

    async def request(self, month: str, names: Mapping[str, str], run: str, hr: Sequence[str]) -> None:
        """Expect a confirmation of each supervisor, userId to name; a new run for a month expects them anew.

        Raises StoreError.
        """
        known = {(c.month, c.userid): c for c in await self._load()}
        for userid, name in names.items():
            previous = known.get((month, userid))
            if previous is None or previous.run != run:
                await self._save(Confirmation(month, userid, name, run, tuple(hr), self._clock()))
        kept_months = sorted({month, *(m for m, _ in known)})[-_MAX_MONTHS:]
        for confirmation in known.values():
            is_obsolete = confirmation.month == month and confirmation.userid not in names
            if is_obsolete or confirmation.month not in kept_months:
                await self._store.put_mark(_MARKS, _key(confirmation), None)

    async def confirm(self, userid: str) -> tuple[Confirmation, ...] | None:
        """Record that a supervisor confirms every month they were asked about.

        Return those that were open, or None for somebody who was never asked. HR is told when the last supervisor of
        a month confirms. Raises StoreError.
        """
        theirs = [c for c in await self._load() if c.userid == userid]
        if not theirs:
            return None
        open_ones = tuple(c for c in theirs if not c.confirmed)
        for confirmation in open_ones:
            await self._save(replace(confirmation, confirmed=self._clock()))
        for month in {c.month for c in theirs}:
            await self._announce_if_complete(month)
        return open_ones

    async def latest(self) -> tuple[Confirmation, ...]:
        """Return the confirmations of the latest month, the open ones first. Raises StoreError."""
        confirmations = await self._load()
        month = max((c.month for c in confirmations), default="")
        of_month = (c for c in confirmations if c.month == month)
        return tuple(sorted(of_month, key=lambda c: (bool(c.confirmed), c.name)))

    async def _announce_if_complete(self, month: str) -> None:
        of_month = [c for c in await self._load() if c.month == month]
        if any(not c.confirmed for c in of_month):
            return
        title, body = "考勤都确认了", f"{month} 的考勤，{len(of_month)} 位主管都确认了。"
        recipients = {(c.run, userid) for c in of_month for userid in c.hr}
        await self._outbox.post(
            *(Notice(part_key(run, "confirmed", hr), Address("person", hr), title, body) for run, hr in recipients)
        )

    async def _load(self) -> list[Confirmation]:
        return [from_json(Confirmation, text) for text in (await self._store.marks(_MARKS)).values()]

    async def _save(self, confirmation: Confirmation) -> None:
        await self._store.put_mark(_MARKS, _key(confirmation), to_json(confirmation))


async def forget_confirmations(store: MarkStore, person: str) -> int:
    """Delete the confirmations of one person, and no longer tell that person of others' confirmations.

    Return how many were deleted. Raises StoreError.
    """
    deleted = 0
    for key, text in (await store.marks(_MARKS)).items():
        confirmation = from_json(Confirmation, text)
        if confirmation.userid == person:
            await store.put_mark(_MARKS, key, None)
            deleted += 1
        elif person in confirmation.hr:
            hr = tuple(userid for userid in confirmation.hr if userid != person)
            await store.put_mark(_MARKS, key, to_json(replace(confirmation, hr=hr)))
    return deleted


def _key(confirmation: Confirmation) -> str:
    return f"{confirmation.month}|{confirmation.userid}"
