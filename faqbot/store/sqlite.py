"""The embedded engine: one SQLite file, one writer thread fed by a queue.

All steps that wait together are written in one transaction, so a burst of messages costs one commit.
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
from faqbot.model.messages import DeliveryResult, Message
from faqbot.model.question_log import QuestionRecord
from faqbot.store.codec import pack_context, pack_message, pack_record, unpack_context, unpack_message
from faqbot.store.protocol import LEASE_PREFIX, Accepted, JournalLine
from faqbot.store.sqlite_schema import connect, lock

_MOST_PER_COMMIT = 256
# While steps come several at a time, so long is waited for more: each commit costs as much as a few steps.
_GATHER_SECONDS = 0.002
_MOST_PARAMETERS = 500
# A finished message is known again for so long; DingTalk's repeats come within minutes.
_REMEMBER_SECONDS = 7 * 86400.0
_LONGEST_QUEUE_SECONDS = 600.0
_ONE_OF_MINE = "state = 'received' AND owner = ?"
# How many unfinished messages of the same thread came before one.
_AHEAD = "SELECT COUNT(*) FROM inbox WHERE thread = ? AND state = 'received' AND (received_at, message_id) < (?, ?)"
_CONTEXT = "SELECT options FROM contexts WHERE thread = ? AND until > ?"
# The column is called after the only part that a context once had.
_PUT_CONTEXT = "INSERT OR REPLACE INTO contexts (thread, options, until) VALUES (?, ?, ?)"
_QUESTION = QuestionRecord.__slots__
_ADD_QUESTION = f"INSERT INTO questions ({', '.join(_QUESTION)}) VALUES ({', '.join('?' * len(_QUESTION))})"
_AHEAD_AND_CONTEXT = f"SELECT ({_AHEAD}), ({_CONTEXT})"

_Step = Callable[[sqlite3.Connection], Any]
_Job = tuple[_Step, asyncio.Future[Any]]


class SqliteStore:
    """See Store. Open with `await SqliteStore.open(path)`."""

    def __init__(self, connection: sqlite3.Connection, path: str, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._path = path
        self._clock = clock
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._log_holds_secrets = False
        self._lock: IO[bytes] | None = None
        self._thread = threading.Thread(target=self._work, name="faqbot-store", daemon=True)
        self._thread.start()

    @classmethod
    async def open(cls, path: str, *, clock: Callable[[], float] = time.time) -> SqliteStore:
        """Open or create the file and bring its tables up to date. Raises StartError."""
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
                lease = f"claim:{LEASE_PREFIX}"
                db.execute("DELETE FROM notes WHERE substr(key, 1, ?) = ?", (len(lease), lease))
            db.execute("INSERT OR REPLACE INTO leases (owner, until) VALUES (?, ?)", (owner, self._clock() + ttl))

        await self._do(step)

    async def renew(self, owner: str, ttl: float) -> bool:
        def step(db: sqlite3.Connection) -> bool:
            now = self._clock()
            held = db.execute("SELECT 1 FROM leases WHERE owner = ? AND until > ?", (owner, now)).fetchone()
            db.execute("INSERT OR REPLACE INTO leases (owner, until) VALUES (?, ?)", (owner, now + ttl))
            return held is not None

        return bool(await self._do(step))

    async def leave(self, owner: str) -> None:
        await self._do(lambda db: db.execute("DELETE FROM leases WHERE owner = ?", (owner,)))
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def accept(self, message: Message, owner: str) -> Accepted | None:
        text = pack_message(message)
        row = (message.robot_code, message.id, message.received_at, text, message.partition_key, message.asker, owner)

        def step(db: sqlite3.Connection) -> tuple[int, str | None] | None:
            sql = (
                "INSERT OR IGNORE INTO inbox (robot_code, message_id, received_at, message, thread, asker, owner) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)"
            )
            if db.execute(sql, row).rowcount == 0:
                return None
            found: tuple[int, str | None] = db.execute(_AHEAD_AND_CONTEXT, asked).fetchone()
            return found

        asked = (*_before(message), message.partition_key, message.received_at)
        found = await self._do(step)
        if found is None:
            return None
        ahead, said = found
        return Accepted(ahead, unpack_context(said) if said is not None else None)

    async def next_in_thread(self, message: Message) -> bool:
        return bool(await self._do(lambda db: db.execute(_AHEAD, _before(message)).fetchone() == (0,)))

    async def take_over(self, owner: str, most: int) -> Sequence[Message]:
        def step(db: sqlite3.Connection) -> list[str]:
            free = (
                "SELECT robot_code, message_id, message FROM inbox WHERE state = 'received' AND owner <> ? "
                "AND owner NOT IN (SELECT owner FROM leases WHERE until > ?) ORDER BY received_at LIMIT ?"
            )
            rows = db.execute(free, (owner, self._clock(), most)).fetchall()
            mine = "UPDATE inbox SET owner = ? WHERE robot_code = ? AND message_id = ?"
            db.executemany(mine, [(owner, robot, message_id) for robot, message_id, _ in rows])
            return [text for _, _, text in rows]

        return [unpack_message(text) for text in await self._do(step)]

    async def holds(self, owner: str, message: Message) -> bool:
        sql = f"SELECT 1 FROM inbox WHERE {_ONE_OF_MINE} AND robot_code = ? AND message_id = ?"
        values = (owner, message.robot_code, message.id)
        return await self._do(lambda db: db.execute(sql, values).fetchone()) is not None

    async def unfinished(self, owner: str) -> Sequence[Message]:
        sql = f"SELECT message FROM inbox WHERE {_ONE_OF_MINE} ORDER BY received_at"
        rows = await self._do(lambda db: db.execute(sql, (owner,)).fetchall())
        return [unpack_message(text) for (text,) in rows]

    async def finish(
        self,
        message: Message,
        verdict: DeliveryResult,
        record: QuestionRecord | None,
        context: ConversationState | None,
    ) -> None:
        known = (message.robot_code, message.id)

        def step(db: sqlite3.Connection) -> None:
            # The row stays to know the message again; the webhook and the words in it go.
            done = db.execute(
                "UPDATE inbox SET state = ?, reason = ?, message = '' "
                "WHERE robot_code = ? AND message_id = ? AND state = 'received'",
                (verdict.state, verdict.reason, *known),
            )
            if not done.rowcount:
                sql = "SELECT 1 FROM inbox WHERE robot_code = ? AND message_id = ?"
                if db.execute(sql, known).fetchone():
                    return
            if record is not None:
                db.execute(_ADD_QUESTION, values)
            if said is not None:
                db.execute(_PUT_CONTEXT, said)

        # Packed here: what the thread does holds up all the steps that wait.
        values = tuple(pack_record(record).values()) if record is not None else ()
        said = _context_row(message.partition_key, context) if context is not None else None
        await self._do(step)

    async def backlog(self) -> tuple[int, float]:
        sql = "SELECT COUNT(*), COALESCE(MIN(received_at), 0) FROM inbox WHERE state = 'received'"
        waiting, oldest = await self._do(lambda db: db.execute(sql).fetchone())
        return waiting, oldest

    # -- what later messages and reports need ----------------------------------------------------

    async def context(self, thread: str, now: float) -> ConversationState | None:
        row = await self._do(lambda db: db.execute(_CONTEXT, (thread, now)).fetchone())
        return unpack_context(row[0]) if row is not None else None

    async def put_context(self, thread: str, context: ConversationState) -> None:
        row = _context_row(thread, context)
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
            gone = db.execute("DELETE FROM questions WHERE asker = ?", (person,)).rowcount
            threads = db.execute("SELECT thread FROM contexts").fetchall()
            theirs = [(t,) for (t,) in threads if t.split("|", 2)[-1] == person]
            db.executemany("DELETE FROM contexts WHERE thread = ?", theirs)
            # That the message was answered stays known, whose it was does not.
            db.execute(
                "UPDATE inbox SET thread = '', asker = '', message = '' WHERE asker = ? AND state <> 'received'",
                (person,),
            )
            self._log_holds_secrets = True
            return gone

        gone: int = await self._do(step)
        return gone

    async def purge(self, before: float) -> int:
        def step(db: sqlite3.Connection) -> int:
            now = self._clock()
            db.execute("DELETE FROM contexts WHERE until <= ?", (now,))
            db.execute("DELETE FROM notes WHERE until <= ?", (now,))
            db.execute("DELETE FROM slots WHERE free <= ?", (now,))
            db.execute("DELETE FROM leases WHERE until <= ?", (now,))
            old = now - _REMEMBER_SECONDS
            db.execute("DELETE FROM inbox WHERE state <> 'received' AND received_at < ?", (old,))
            return db.execute("DELETE FROM questions WHERE asked_at < ?", (before,)).rowcount

        gone: int = await self._do(step)
        return gone

    # -- small things that workers share ---------------------------------------------------------

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
            # Further ahead nobody waits: the clock was put back.
            slot = max(now, row[0]) if row and row[0] < now + _LONGEST_QUEUE_SECONDS else now
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

    # -- what people did -------------------------------------------------------------------------

    async def write_journal(self, name: str, at: float, text: str) -> int:
        sql = "INSERT INTO journal (name, at, text) VALUES (?, ?, ?)"
        number: int = await self._do(lambda db: db.execute(sql, (name, at, text)).lastrowid)
        return number

    async def journal(self, name: str, since: float) -> Sequence[JournalLine]:
        sql = "SELECT id, at, text FROM journal WHERE name = ? AND at >= ? ORDER BY at, id"
        return [JournalLine(*row) for row in await self._do(lambda db: db.execute(sql, (name, since)).fetchall())]

    async def trim_journal(self, name: str, before: float) -> None:
        await self._do(lambda db: db.execute("DELETE FROM journal WHERE name = ? AND at < ?", (name, before)))

    async def drop_lines(self, name: str, numbers: Collection[int]) -> None:
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
        kept: dict[str, bytes] = await self._do(lambda db: dict(db.execute("SELECT name, content FROM documents")))
        return kept

    async def put_documents(self, documents: Mapping[str, bytes]) -> None:
        sql = "INSERT OR REPLACE INTO documents (name, content) VALUES (?, ?)"
        await self._do(lambda db: db.executemany(sql, list(documents.items())))

    async def vectors(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        def step(db: sqlite3.Connection) -> dict[str, bytes]:
            found: dict[str, bytes] = {}
            for start in range(0, len(keys), _MOST_PARAMETERS):
                part = keys[start : start + _MOST_PARAMETERS]
                marks = ", ".join("?" * len(part))
                found |= dict(db.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", part))
            return found

        kept: dict[str, bytes] = await self._do(step)
        return kept

    async def put_vectors(self, vectors: Mapping[str, bytes]) -> None:
        sql = "INSERT OR REPLACE INTO vectors (key, vector) VALUES (?, ?)"
        await self._do(lambda db: db.executemany(sql, list(vectors.items())))

    @property
    def shared_texts(self) -> None:
        # One process has its folder to itself.
        return None

    # -- the engine itself -----------------------------------------------------------------------

    async def advice(self) -> Sequence[str]:
        (verdict,) = await self._do(lambda db: db.execute("PRAGMA quick_check(1)").fetchone())
        return () if verdict == "ok" else (f"存储文件 {self._path} 已损坏（{verdict}）：请停机并从备份恢复",)

    async def close(self) -> None:
        """Write what waits and close the file."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        if self._lock is not None:
            self._lock.close()

    async def _do(self, step: _Step) -> Any:
        if self._closed:
            raise StoreError("存储已经关闭")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put((step, future))
        try:
            return await future
        except sqlite3.OperationalError as exc:
            # A full disk, a locked or unreadable file: it may pass.
            raise StoreError(f"存储文件 {self._path} 写不进去：{exc}；请检查磁盘空间和权限") from exc

    def _work(self) -> None:
        """The writer thread: take all that waits, commit once, then tell the waiting coroutines."""
        last = busy = False
        while not last:
            jobs: list[_Job] = []
            job = self._jobs.get()
            if busy:
                time.sleep(_GATHER_SECONDS)
            while job is not None:
                jobs.append(job)
                if len(jobs) >= _MOST_PER_COMMIT:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            last, busy = job is None, len(jobs) > 1
            if jobs:
                outcomes = self._commit(jobs)
                # The loop is gone when the process is being torn down without close().
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(_tell, outcomes)
        self._connection.close()

    def _commit(self, jobs: Sequence[_Job]) -> list[tuple[asyncio.Future[Any], Any, BaseException | None]]:
        """One transaction for all; where a step fails, each gets its own, so that it takes no other along."""
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
        if self._log_holds_secrets:
            # The write-ahead log still has the deleted words. What keeps them there passes, such as a reader or a full
            # disk: it is tried again after the next step.
            with contextlib.suppress(sqlite3.Error):
                busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                self._log_holds_secrets = bool(busy)
        return [(future, result, None) for (_, future), result in zip(jobs, results, strict=True)]


def _tell(outcomes: Sequence[tuple[asyncio.Future[Any], Any, BaseException | None]]) -> None:
    for future, result, error in outcomes:
        if future.cancelled():
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)


def _before(message: Message) -> tuple[str, float, str]:
    return message.partition_key, message.received_at, message.id


def _context_row(thread: str, context: ConversationState) -> tuple[str, str, float]:
    return thread, pack_context(context), context.last_expiry
