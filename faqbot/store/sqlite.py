"""SQLite engine: one file, and one thread that runs all operations on it.

Steps that are queued together run in one transaction, so a burst of messages costs one commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import IO, Any

from faqbot.errors import StartError, StoreError
from faqbot.model.conversation import ConversationState
from faqbot.model.messages import DeliveryResult, Message, PartitionKey
from faqbot.model.question_log import QuestionRecord
from faqbot.store.codec import pack_context, pack_record, unpack_context
from faqbot.store.json_records import from_json, to_json
from faqbot.store.protocol import LEASE_PREFIX, Accepted, JournalLine
from faqbot.store.sqlite_schema import connect, lock

_MAX_STEPS_PER_COMMIT = 256
# Under load the thread waits this long for more steps: one commit costs as much as a few steps.
_GATHER_SECONDS = 0.002
# SQLite allows 999 parameters in a statement in older builds.
_MAX_PARAMETERS = 500
# A finished message is recognised for this long; DingTalk repeats messages within minutes.
_REMEMBER_SECONDS = 7 * 86400.0
# No caller books slots further ahead than this; a slot beyond it means that the clock was put back.
_MAX_BOOKED_AHEAD_SECONDS = 600.0
_CLAIMED_BY = "state = 'received' AND owner = ?"
# Counts the unfinished messages of a partition before one.
_AHEAD = "SELECT COUNT(*) FROM inbox WHERE thread = ? AND state = 'received' AND (received_at, message_id) < (?, ?)"
_CONTEXT = "SELECT options FROM contexts WHERE thread = ? AND until > ?"
# The column `options` holds the whole state; it is named after the only part there was at first.
_PUT_CONTEXT = "INSERT OR REPLACE INTO contexts (thread, options, until) VALUES (?, ?, ?)"
_COLUMNS = QuestionRecord.__slots__
_ADD_QUESTION = f"INSERT INTO questions ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_AHEAD_AND_CONTEXT = f"SELECT ({_AHEAD}), ({_CONTEXT})"

_Step = Callable[[sqlite3.Connection], Any]
_QueuedStep = tuple[_Step, asyncio.Future[Any]]


class SqliteStore:
    """Implements Store. Open with `await SqliteStore.open(path)`."""

    def __init__(self, connection: sqlite3.Connection, path: str, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._path = path
        self._clock = clock
        self._jobs: queue.SimpleQueue[_QueuedStep | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._wal_holds_deleted_data = False
        self._lock: IO[bytes] | None = None
        self._thread = threading.Thread(target=self._work, name="faqbot-store", daemon=True)
        self._thread.start()

    @classmethod
    async def open(cls, path: str, *, clock: Callable[[], float] = time.time) -> SqliteStore:
        """Open or create the file and migrate its tables. Raises StartError."""
        try:
            connection = await asyncio.to_thread(connect, path)
        except sqlite3.Error as exc:
            raise StartError(f"打不开存储文件 {path}：{exc}；请检查目录是否存在、可写，文件是否为 SQLite") from exc
        return cls(connection, path, clock)

    # -- the inbox -------------------------------------------------------------------------------

    async def join(self, owner: str, ttl: float) -> None:
        alone = False
        if self._lock is None:
            self._lock, alone = await asyncio.to_thread(lock, f"{self._path}-worker")

        def step(db: sqlite3.Connection) -> None:
            if alone:
                db.execute("DELETE FROM leases")
                prefix = f"claim:{LEASE_PREFIX}"
                db.execute("DELETE FROM notes WHERE substr(key, 1, ?) = ?", (len(prefix), prefix))
            db.execute("INSERT OR REPLACE INTO leases (owner, until) VALUES (?, ?)", (owner, self._clock() + ttl))

        await self._do(step)

    async def renew(self, owner: str, ttl: float) -> bool:
        def step(db: sqlite3.Connection) -> bool:
            now = self._clock()
            row = db.execute("SELECT 1 FROM leases WHERE owner = ? AND until > ?", (owner, now)).fetchone()
            db.execute("INSERT OR REPLACE INTO leases (owner, until) VALUES (?, ?)", (owner, now + ttl))
            return row is not None

        return bool(await self._do(step))

    async def leave(self, owner: str) -> None:
        await self._do(lambda db: db.execute("DELETE FROM leases WHERE owner = ?", (owner,)))
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def accept(self, message: Message, owner: str) -> Accepted | None:
        text, partition = to_json(message), str(message.partition_key)
        row = (message.robot_code, message.id, message.received_at, text, partition, message.asker, owner)

        def step(db: sqlite3.Connection) -> tuple[int, str | None] | None:
            sql = (
                "INSERT OR IGNORE INTO inbox (robot_code, message_id, received_at, message, thread, asker, owner) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)"
            )
            if db.execute(sql, row).rowcount == 0:
                return None
            result: tuple[int, str | None] = db.execute(_AHEAD_AND_CONTEXT, parameters).fetchone()
            return result

        parameters = (*_position(message), partition, message.received_at)
        result = await self._do(step)
        if result is None:
            return None
        ahead, context = result
        return Accepted(ahead, unpack_context(context) if context is not None else None)

    async def is_first_in_partition(self, message: Message) -> bool:
        return bool(await self._do(lambda db: db.execute(_AHEAD, _position(message)).fetchone() == (0,)))

    async def reclaim(self, owner: str, limit: int) -> Sequence[Message]:
        def step(db: sqlite3.Connection) -> list[str]:
            unclaimed = (
                "SELECT robot_code, message_id, message FROM inbox WHERE state = 'received' AND owner <> ? "
                "AND owner NOT IN (SELECT owner FROM leases WHERE until > ?) ORDER BY received_at LIMIT ?"
            )
            rows = db.execute(unclaimed, (owner, self._clock(), limit)).fetchall()
            claim = "UPDATE inbox SET owner = ? WHERE robot_code = ? AND message_id = ?"
            db.executemany(claim, [(owner, robot, message_id) for robot, message_id, _ in rows])
            return [text for _, _, text in rows]

        return [from_json(Message, text) for text in await self._do(step)]

    async def holds(self, owner: str, message: Message) -> bool:
        sql = f"SELECT 1 FROM inbox WHERE {_CLAIMED_BY} AND robot_code = ? AND message_id = ?"
        values = (owner, message.robot_code, message.id)
        return await self._do(lambda db: db.execute(sql, values).fetchone()) is not None

    async def unfinished(self, owner: str) -> Sequence[Message]:
        sql = f"SELECT message FROM inbox WHERE {_CLAIMED_BY} ORDER BY received_at"
        rows = await self._do(lambda db: db.execute(sql, (owner,)).fetchall())
        return [from_json(Message, text) for (text,) in rows]

    async def finish(
        self,
        message: Message,
        result: DeliveryResult,
        record: QuestionRecord | None,
        context: ConversationState | None,
    ) -> None:
        identity = (message.robot_code, message.id)

        def step(db: sqlite3.Connection) -> None:
            # The row stays, so that the message is recognised; its text and webhook are deleted.
            updated = db.execute(
                "UPDATE inbox SET state = ?, reason = ?, message = '' "
                "WHERE robot_code = ? AND message_id = ? AND state = 'received'",
                (result.state, result.reason, *identity),
            )
            if not updated.rowcount:
                sql = "SELECT 1 FROM inbox WHERE robot_code = ? AND message_id = ?"
                if db.execute(sql, identity).fetchone():
                    return
            if record is not None:
                db.execute(_ADD_QUESTION, columns)
            if context_row is not None:
                db.execute(_PUT_CONTEXT, context_row)

        # Packed here and not in the thread, where it would delay all the other steps.
        columns = tuple(pack_record(record).values()) if record is not None else ()
        context_row = _context_row(message.partition_key, context) if context is not None else None
        await self._do(step)

    async def backlog(self) -> tuple[int, float]:
        sql = "SELECT COUNT(*), COALESCE(MIN(received_at), 0) FROM inbox WHERE state = 'received'"
        unfinished, oldest = await self._do(lambda db: db.execute(sql).fetchone())
        return unfinished, oldest

    # -- dialogue states and question records ----------------------------------------------------

    async def context(self, key: PartitionKey, now: float) -> ConversationState | None:
        row = await self._do(lambda db: db.execute(_CONTEXT, (str(key), now)).fetchone())
        return unpack_context(row[0]) if row is not None else None

    async def put_context(self, key: PartitionKey, context: ConversationState) -> None:
        row = _context_row(key, context)
        await self._do(lambda db: db.execute(_PUT_CONTEXT, row))

    async def questions(self, since: float) -> Sequence[QuestionRecord]:
        names = ", ".join(QuestionRecord.__slots__)
        sql = f"SELECT {names} FROM questions WHERE asked_at >= ? ORDER BY asked_at"
        return [QuestionRecord(*row) for row in await self._do(lambda db: db.execute(sql, (since,)).fetchall())]

    async def rate(self, robot_code: str, message_id: str, rating: str) -> None:
        sql = "UPDATE questions SET rating = ? WHERE message_id = ?"
        await self._do(lambda db: db.execute(sql, (rating, message_id)))

    async def forget(self, person: str) -> int:
        def step(db: sqlite3.Connection) -> int:
            deleted = db.execute("DELETE FROM questions WHERE asker = ?", (person,)).rowcount
            keys = [key for (key,) in db.execute("SELECT thread FROM contexts").fetchall()]
            of_person = [(key,) for key in keys if PartitionKey.parse(key).asker == person]
            db.executemany("DELETE FROM contexts WHERE thread = ?", of_person)
            # The messages are still recognised as answered, but no longer as those of this person.
            db.execute(
                "UPDATE inbox SET thread = '', asker = '', message = '' WHERE asker = ? AND state <> 'received'",
                (person,),
            )
            self._wal_holds_deleted_data = True
            return deleted

        deleted: int = await self._do(step)
        return deleted

    async def purge(self, before: float) -> int:
        def step(db: sqlite3.Connection) -> int:
            now = self._clock()
            db.execute("DELETE FROM contexts WHERE until <= ?", (now,))
            db.execute("DELETE FROM notes WHERE until <= ?", (now,))
            db.execute("DELETE FROM slots WHERE free <= ?", (now,))
            db.execute("DELETE FROM leases WHERE until <= ?", (now,))
            known_since = now - _REMEMBER_SECONDS
            db.execute("DELETE FROM inbox WHERE state <> 'received' AND received_at < ?", (known_since,))
            return db.execute("DELETE FROM questions WHERE asked_at < ?", (before,)).rowcount

        deleted: int = await self._do(step)
        return deleted

    # -- claims, notes, slots, counters ----------------------------------------------------------

    async def claim(self, key: str, ttl: float) -> bool:
        def step(db: sqlite3.Connection) -> bool:
            now = self._clock()
            sql = (
                "INSERT INTO notes (key, value, until) VALUES (?, '', ?) "
                "ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE notes.until <= ?"
            )
            return db.execute(sql, (f"claim:{key}", now + ttl, now)).rowcount == 1

        return bool(await self._do(step))

    async def prolong(self, key: str, ttl: float) -> bool:
        def step(db: sqlite3.Connection) -> bool:
            now = self._clock()
            sql = "UPDATE notes SET until = ? WHERE key = ? AND until > ?"
            return db.execute(sql, (now + ttl, f"claim:{key}", now)).rowcount == 1

        return bool(await self._do(step))

    async def release(self, key: str) -> None:
        await self._do(lambda db: db.execute("DELETE FROM notes WHERE key = ?", (f"claim:{key}",)))

    async def note(self, key: str) -> str | None:
        sql = "SELECT value FROM notes WHERE key = ? AND until > ?"
        row = await self._do(lambda db: db.execute(sql, (f"note:{key}", self._clock())).fetchone())
        return row[0] if row else None

    async def put_note(self, key: str, value: str, ttl: float) -> None:
        sql = "INSERT OR REPLACE INTO notes (key, value, until) VALUES (?, ?, ?)"
        await self._do(lambda db: db.execute(sql, (f"note:{key}", value, self._clock() + ttl)))

    async def reserve(self, key: str, gap: float) -> float:
        def step(db: sqlite3.Connection) -> float:
            now = self._clock()
            row = db.execute("SELECT free FROM slots WHERE key = ?", (key,)).fetchone()
            slot = max(now, row[0]) if row and row[0] < now + _MAX_BOOKED_AHEAD_SECONDS else now
            db.execute("INSERT OR REPLACE INTO slots (key, free) VALUES (?, ?)", (key, slot + gap))
            return slot - now

        return float(await self._do(step))

    async def count(self, amounts: Mapping[str, int]) -> None:
        sql = "INSERT INTO counters (key, n) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET n = n + excluded.n"
        await self._do(lambda db: db.executemany(sql, list(amounts.items())))

    async def counts(self, prefix: str) -> Mapping[str, int]:
        sql = "SELECT key, n FROM counters WHERE substr(key, 1, ?) = ?"
        rows = await self._do(lambda db: db.execute(sql, (len(prefix), prefix)).fetchall())
        return dict(rows)

    # -- journals and marks ----------------------------------------------------------------------

    async def write_journal(self, name: str, at: float, text: str) -> int:
        sql = "INSERT INTO journal (name, at, text) VALUES (?, ?, ?)"
        number: int = await self._do(lambda db: db.execute(sql, (name, at, text)).lastrowid)
        return number

    async def journal(self, name: str, since: float) -> Sequence[JournalLine]:
        sql = "SELECT id, at, text FROM journal WHERE name = ? AND at >= ? ORDER BY at, id"
        return [JournalLine(*row) for row in await self._do(lambda db: db.execute(sql, (name, since)).fetchall())]

    async def trim_journal(self, name: str, before: float) -> None:
        await self._do(lambda db: db.execute("DELETE FROM journal WHERE name = ? AND at < ?", (name, before)))

    async def delete_lines(self, name: str, numbers: Collection[int]) -> None:
        rows = [(name, number) for number in numbers]
        await self._do(lambda db: db.executemany("DELETE FROM journal WHERE name = ? AND id = ?", rows))

    async def put_mark(self, name: str, key: str, value: str | None) -> None:
        def step(db: sqlite3.Connection) -> None:
            if value is None:
                db.execute("DELETE FROM marks WHERE name = ? AND key = ?", (name, key))
            else:
                db.execute("INSERT OR REPLACE INTO marks (name, key, value) VALUES (?, ?, ?)", (name, key, value))

        await self._do(step)

    async def marks(self, name: str) -> Mapping[str, str]:
        sql = "SELECT key, value FROM marks WHERE name = ?"
        return dict(await self._do(lambda db: db.execute(sql, (name,)).fetchall()))

    # -- knowledge -------------------------------------------------------------------------------

    async def documents(self) -> Mapping[str, bytes]:
        files: dict[str, bytes] = await self._do(lambda db: dict(db.execute("SELECT name, content FROM documents")))
        return files

    async def put_documents(self, documents: Mapping[str, bytes]) -> None:
        sql = "INSERT OR REPLACE INTO documents (name, content) VALUES (?, ?)"
        await self._do(lambda db: db.executemany(sql, list(documents.items())))

    async def vectors(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        def step(db: sqlite3.Connection) -> dict[str, bytes]:
            vectors: dict[str, bytes] = {}
            for start in range(0, len(keys), _MAX_PARAMETERS):
                part = keys[start : start + _MAX_PARAMETERS]
                parameters = ", ".join("?" * len(part))
                vectors |= dict(db.execute(f"SELECT key, vector FROM vectors WHERE key IN ({parameters})", part))
            return vectors

        vectors: dict[str, bytes] = await self._do(step)
        return vectors

    async def put_vectors(self, vectors: Mapping[str, bytes]) -> None:
        sql = "INSERT OR REPLACE INTO vectors (key, vector) VALUES (?, ?)"
        await self._do(lambda db: db.executemany(sql, list(vectors.items())))

    async def vector_keys(self) -> Sequence[str]:
        return [key for (key,) in await self._do(lambda db: db.execute("SELECT key FROM vectors").fetchall())]

    async def drop_vectors(self, keys: Sequence[str]) -> None:
        await self._do(lambda db: db.executemany("DELETE FROM vectors WHERE key = ?", [(key,) for key in keys]))

    @property
    def shared_texts(self) -> None:
        # A process with a file of its own has a knowledge folder of its own too.
        return None

    # -- the engine itself -----------------------------------------------------------------------

    async def advice(self) -> Sequence[str]:
        (result,) = await self._do(lambda db: db.execute("PRAGMA quick_check(1)").fetchone())
        return () if result == "ok" else (f"存储文件 {self._path} 已损坏（{result}）：请停机并从备份恢复",)

    async def close(self) -> None:
        """Run the queued steps and close the file."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        if self._lock is not None:
            self._lock.close()

    async def _do(self, step: _Step) -> Any:
        """Run the step in the thread; return its result. Raises StoreError where trying again later may help."""
        if self._closed:
            raise StoreError("存储已经关闭")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put((step, future))
        try:
            return await future
        except sqlite3.OperationalError as exc:
            # A full disk, a locked or unreadable file.
            raise StoreError(f"存储文件 {self._path} 写不进去：{exc}；请检查磁盘空间和权限") from exc

    def _work(self) -> None:
        """Run in the thread: take all queued steps, commit once, then resolve the futures of their callers."""
        last = busy = False
        while not last:
            jobs: list[_QueuedStep] = []
            job = self._jobs.get()
            if busy:
                time.sleep(_GATHER_SECONDS)
            while job is not None:
                jobs.append(job)
                if len(jobs) >= _MAX_STEPS_PER_COMMIT:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            last, busy = job is None, len(jobs) > 1
            if jobs:
                outcomes = self._commit(jobs)
                # The event loop is closed already if the process ends without close().
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(_resolve, outcomes)
        self._connection.close()

    def _commit(self, jobs: Sequence[_QueuedStep]) -> list[tuple[asyncio.Future[Any], Any, BaseException | None]]:
        """Run the steps in one transaction. If one fails, run each in its own, so that no other fails with it."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            results = [step(self._connection) for step, _ in jobs]
            self._connection.execute("COMMIT")
        except Exception as exc:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if len(jobs) == 1:
                return [(jobs[0][1], None, exc)]
            return [outcome for job in jobs for outcome in self._commit([job])]
        if self._wal_holds_deleted_data:
            # The write-ahead log still holds the deleted data. A reader or a full disk may prevent the truncation; it
            # is tried again after the next step.
            with contextlib.suppress(sqlite3.Error):
                busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                self._wal_holds_deleted_data = bool(busy)
        return [(future, result, None) for (_, future), result in zip(jobs, results, strict=True)]


def _resolve(outcomes: Sequence[tuple[asyncio.Future[Any], Any, BaseException | None]]) -> None:
    for future, result, error in outcomes:
        if future.cancelled():
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)


def _position(message: Message) -> tuple[str, float, str]:
    """Return the parameters of _AHEAD."""
    return str(message.partition_key), message.received_at, message.id


def _context_row(key: PartitionKey, context: ConversationState) -> tuple[str, str, float]:
    return str(key), pack_context(context), context.last_expiry
