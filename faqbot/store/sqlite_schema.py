"""SQLite schema: numbered migrations, opening the file, and the lock of its workers."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import IO

# A file stores in user_version how many of these it has run. Never change one: add the next.
MIGRATIONS = (
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
    """
    ALTER TABLE inbox ADD COLUMN thread TEXT NOT NULL DEFAULT '';
    ALTER TABLE inbox ADD COLUMN asker TEXT NOT NULL DEFAULT '';
    ALTER TABLE inbox ADD COLUMN owner TEXT NOT NULL DEFAULT '';
    ALTER TABLE inbox ADD COLUMN reason TEXT NOT NULL DEFAULT '';
    CREATE INDEX inbox_thread ON inbox (thread, received_at) WHERE state = 'received';
    CREATE TABLE leases (owner TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE slots (key TEXT PRIMARY KEY, free REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE counters (key TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
    ALTER TABLE questions ADD COLUMN delivery TEXT NOT NULL DEFAULT 'ok';
    CREATE INDEX questions_asker ON questions (asker);
    """,
    """
    CREATE TABLE journal (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, at REAL NOT NULL, text TEXT NOT NULL
    );
    CREATE INDEX journal_at ON journal (name, at);
    CREATE TABLE marks (
        name TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name, key)
    ) WITHOUT ROWID;
    """,
    "ALTER TABLE questions ADD COLUMN rating TEXT NOT NULL DEFAULT '';",
    "ALTER TABLE questions ADD COLUMN picked_for TEXT NOT NULL DEFAULT '';",
)


def connect(path: str) -> sqlite3.Connection:
    """Open or create the file and run the migrations it lacks. Raises sqlite3.Error."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    # WAL with NORMAL survives a killed process without a sync for every commit.
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    # Deleted data is overwritten, so that nothing of an erased person is left in the file.
    db.execute("PRAGMA secure_delete = ON")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        db.close()
        raise sqlite3.DatabaseError(f"文件来自更新的版本（{version}），请升级 faqbot")
    for number, migration in enumerate(MIGRATIONS[version:], version + 1):
        db.executescript(f"BEGIN; {migration} PRAGMA user_version = {number}; COMMIT;")
    return db


def lock(path: str) -> tuple[IO[bytes] | None, bool]:
    """Lock a file for as long as this process lives; return True if no other process had locked it.

    The operating system releases the lock of a dead process, so the lock tells whether other workers are alive. Where
    there are no such locks (Windows) the answer is always False.
    """
    if sys.platform == "win32" or path.startswith(":memory:"):
        return None, False
    import fcntl

    try:
        file = Path(path).open("wb")  # noqa: SIM115  it stays open
    except OSError:
        return None, False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        alone = True
    except OSError:
        alone = False
    # Shared from here on: the next process cannot lock exclusively and so sees that this one is alive.
    fcntl.flock(file, fcntl.LOCK_SH)
    return file, alone
