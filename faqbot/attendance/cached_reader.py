"""Reads attendance from DingTalk and stores each response, so that an interrupted run can resume."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, tzinfo
from typing import Any, Protocol, TypeVar

from faqbot.dingtalk.api import attendance, contacts
from faqbot.dingtalk.api.attendance import MAX_COLUMNS, PunchQuery
from faqbot.dingtalk.api.client import OpenApi
from faqbot.errors import DeliveryError
from faqbot.model.attendance import Column, Punch, PunchResult
from faqbot.store.protocol import NoteStore

_T = TypeVar("_T")

# An interrupted run is resumed for this long; its numbers would be outdated later.
KEEP_SECONDS = 86400.0


class Retry(Protocol):
    """Repeats a call that may succeed later. Raises DeliveryError."""

    async def __call__(self, call: Callable[[], Awaitable[_T]], /) -> _T: ...


class CachedReader:
    """`run` names the run; `calls` counts the calls made by this process."""

    def __init__(self, api: OpenApi, notes: NoteStore, timezone: tzinfo, retry: Retry, run: str) -> None:
        self._api = api
        self._notes = notes
        self._timezone = timezone
        self._retry = retry
        self._run = run
        self.calls = 0

    async def punches(self, query: PunchQuery) -> list[Punch]:
        """Return all pages of a query. Raises DeliveryError, StoreError."""
        punches: list[Punch] = []
        has_more = True
        while has_more:
            page, has_more = await self._punches_page(query, len(punches))
            punches += page
        return punches

    async def columns(self) -> list[Column]:
        """Return the columns of the company's own attendance report. Raises DeliveryError, StoreError."""

        async def read() -> list[list[str]]:
            self.calls += 1
            columns = await self._retry(lambda: attendance.columns(self._api))
            return [[column.id, column.name] for column in columns]

        return [Column(*row) for row in await self._cached("columns", read)]

    async def column_values(
        self, userid: str, column_ids: Sequence[str], first: date, last: date
    ) -> list[tuple[str, str, date, float]]:
        """Return userId, column id, day and number of each value of one person. Raises DeliveryError, StoreError."""

        async def read() -> list[list[Any]]:
            rows: list[list[Any]] = []
            for start in range(0, len(column_ids), MAX_COLUMNS):
                part = column_ids[start : start + MAX_COLUMNS]
                values = await self._values_of_columns(userid, part, first, last)
                rows += [[column_id, str(day), number] for column_id, day, number in values]
            return rows

        rows = await self._cached(f"values|{first}|{last}|{userid}", read)
        return [(userid, row[0], date.fromisoformat(row[1]), row[2]) for row in rows]

    async def _punches_page(self, query: PunchQuery, offset: int) -> tuple[list[Punch], bool]:
        async def read() -> list[list[Any]]:
            self.calls += 1
            page, has_more = await self._retry(
                lambda: attendance.punches_page(self._api, query, offset, self._timezone)
            )
            rows = [[p.userid, str(p.day), p.on_duty, p.result, p.planned, p.actual, p.excused] for p in page]
            return [[has_more], *rows]

        name = f"{query.first}|{query.last}|{','.join(query.people)}|{offset}"
        (has_more,), *rows = await self._cached(name, read)
        page = [Punch(r[0], date.fromisoformat(r[1]), r[2], PunchResult(r[3]), r[4], r[5], r[6]) for r in rows]
        return page, bool(has_more)

    async def _values_of_columns(
        self, userid: str, column_ids: Sequence[str], first: date, last: date
    ) -> Sequence[tuple[str, date, float]]:
        self.calls += 1
        try:
            return await self._retry(lambda: attendance.column_values(self._api, userid, column_ids, first, last))
        except DeliveryError as exc:
            # DingTalk knows nothing about a person who left since the plan was made.
            if exc.code in contacts.NO_SUCH_PERSON_CODES:
                return ()
            raise

    async def _cached(self, name: str, read: Callable[[], Awaitable[list[Any]]]) -> list[Any]:
        """Return the rows stored under `name` in this run, else those of `read`, and store them."""
        key = f"attendance:{hashlib.sha256(f'{self._run}|{name}'.encode()).hexdigest()[:32]}"
        stored = await self._notes.note(key)
        if stored is not None:
            rows: list[Any] = json.loads(stored)
            return rows
        rows = await read()
        await self._notes.put_note(key, json.dumps(rows, ensure_ascii=False), KEEP_SECONDS)
        return rows
