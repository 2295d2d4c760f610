"""The embedded engine: one SQLite file, one writer thread fed by a queue.

All steps that wait together are written in one transaction, so a burst of messages costs one commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from faqbot.errors import StartError
from faqbot.model import Context, Message, MessageKind, Option, QuestionRecord

# Numbered steps; a file remembers in user_version how many it has taken. Never change one, add the next.
_STEPS = (
    """
    CREATE TABLE inbox (
        robot_code TEXT NOT NULL,
        message_id TEXT NOT NULL,
        received_at REAL NOT NULL,
        state TEXT NOT NULL DEFAULT 'received',
        message TEXT NOT NULL,
        PRIMARY KEY (robot_code, message_id)
    ) WITHOUT ROWID;
    CREATE INDEX inbox_unfinished ON inbox (received_at) WHERE state = 'received';
    CREATE TABLE contexts (
        thread TEXT PRIMARY KEY,
        options TEXT NOT NULL,
        until REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE questions (
        message_id TEXT NOT NULL,
        asked_at REAL NOT NULL,
        conversation_id TEXT NOT NULL,
        asker TEXT NOT NULL,
        text TEXT NOT NULL,
        outcome TEXT NOT NULL,
        entry_id TEXT NOT NULL,
        score REAL NOT NULL
    );
    CREATE INDEX questions_asked_at ON questions (asked_at);
    """,
    "CREATE TABLE vectors (key TEXT PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;",
    "CREATE TABLE documents (name TEXT PRIMARY KEY, content BLOB NOT NULL);",
)
_MOST_PER_COMMIT = 256
_MOST_PARAMETERS = 500

_Step = Callable[[sqlite3.Connection], Any]
_Job = tuple[_Step, asyncio.Future[Any]]


class SqliteStore:
    """See Store. Open with `await SqliteStore.open(path)`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="faqbot-store", daemon=True)
        self._thread.start()

    @classmethod
    async def open(cls, path: str) -> SqliteStore:
        """Open or create the file and bring its tables up to date. Raises StartError."""
        try:
            connection = await asyncio.to_thread(_connect, path)
        except sqlite3.Error as exc:
            raise StartError(f"打不开存储文件 {path}：{exc}；请检查目录是否存在、可写，文件是否为 SQLite") from exc
        return cls(connection)

    async def accept(self, message: Message, now: float) -> bool:
        row = (message.robot_code, message.id, now, json.dumps(asdict(message), ensure_ascii=False))

        def step(db: sqlite3.Connection) -> bool:
            sql = "INSERT OR IGNORE INTO inbox (robot_code, message_id, received_at, message) VALUES (?, ?, ?, ?)"
            return db.execute(sql, row).rowcount == 1

        return bool(await self._do(step))

    async def unfinished(self, since: float) -> Sequence[Message]:
        def step(db: sqlite3.Connection) -> list[str]:
            sql = "SELECT message FROM inbox WHERE state = 'received' AND received_at >= ? ORDER BY received_at"
            return [text for (text,) in db.execute(sql, (since,))]

        return [_message(text) for text in await self._do(step)]

    async def finish(
        self, message: Message, state: str, record: QuestionRecord | None, context: Context | None
    ) -> None:
        def step(db: sqlite3.Connection) -> None:
            # The row stays to know the message again; the webhook in it is a secret and goes.
            db.execute(
                "UPDATE inbox SET state = ?, message = '' WHERE robot_code = ? AND message_id = ?",
                (state, message.robot_code, message.id),
            )
            if record is not None:
                values = asdict(record)
                columns = ", ".join(values)
                marks = ", ".join("?" * len(values))
                db.execute(f"INSERT INTO questions ({columns}) VALUES ({marks})", tuple(values.values()))
            if context is not None:
                shown = json.dumps([[o.kind, o.key] for o in context.options], ensure_ascii=False)
                db.execute(
                    "INSERT OR REPLACE INTO contexts (thread, options, until) VALUES (?, ?, ?)",
                    (message.thread, shown, context.until),
                )

        await self._do(step)

    async def context(self, thread: str, now: float) -> Context | None:
        def step(db: sqlite3.Connection) -> tuple[str, float] | None:
            sql = "SELECT options, until FROM contexts WHERE thread = ? AND until > ?"
            row: tuple[str, float] | None = db.execute(sql, (thread, now)).fetchone()
            return row

        row = await self._do(step)
        if row is None:
            return None
        return Context(tuple(Option(kind, key) for kind, key in json.loads(row[0])), row[1])

    async def documents(self) -> Mapping[str, bytes]:
        kept: dict[str, bytes] = await self._do(lambda db: dict(db.execute("SELECT name, content FROM documents")))
        return kept

    async def put_documents(self, documents: Mapping[str, bytes]) -> None:
        def step(db: sqlite3.Connection) -> None:
            sql = "INSERT OR REPLACE INTO documents (name, content) VALUES (?, ?)"
            db.executemany(sql, list(documents.items()))

        await self._do(step)

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
        def step(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR REPLACE INTO vectors (key, vector) VALUES (?, ?)", list(vectors.items()))

        await self._do(step)

    async def close(self) -> None:
        """Write what waits and close the file."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    async def _do(self, step: _Step) -> Any:
        if self._closed:
            raise sqlite3.ProgrammingError("the store is closed")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put((step, future))
        return await future

    def _work(self) -> None:
        """The writer thread: take all that waits, commit once, then tell the waiting coroutines."""
        last = False
        while not last:
            jobs: list[_Job] = []
            job = self._jobs.get()
            while job is not None:
                jobs.append(job)
                if len(jobs) >= _MOST_PER_COMMIT:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            last = job is None
            if jobs:
                outcomes = self._commit(jobs)
                # The loop is gone when the process is being torn down without close().
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(_tell, outcomes)
        self._connection.close()

    def _commit(self, jobs: Sequence[_Job]) -> list[tuple[asyncio.Future[Any], Any, BaseException | None]]:
        outcomes: list[tuple[asyncio.Future[Any], Any, BaseException | None]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for step, future in jobs:
                self._connection.execute("SAVEPOINT step")
                try:
                    outcomes.append((future, step(self._connection), None))
                except Exception as exc:
                    self._connection.execute("ROLLBACK TO step")
                    outcomes.append((future, None, exc))
                self._connection.execute("RELEASE step")
            self._connection.execute("COMMIT")
        except Exception as exc:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            return [(future, None, exc) for _, future in jobs]
        return outcomes


def _tell(outcomes: Sequence[tuple[asyncio.Future[Any], Any, BaseException | None]]) -> None:
    for future, result, error in outcomes:
        if future.cancelled():
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)


def _connect(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    # WAL with NORMAL survives a killed process without a sync for every commit.
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    taken = db.execute("PRAGMA user_version").fetchone()[0]
    if taken > len(_STEPS):
        db.close()
        raise sqlite3.DatabaseError(f"文件来自更新的版本（{taken}），请升级 faqbot")
    for number, step in enumerate(_STEPS[taken:], taken + 1):
        db.executescript(f"BEGIN; {step} PRAGMA user_version = {number}; COMMIT;")
    return db


def _message(text: str) -> Message:
    values = json.loads(text)
    return Message(**{**values, "kind": MessageKind(values["kind"])})
