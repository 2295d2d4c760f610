"""The tables of the SQLite file, step by step, and how the file is opened."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import IO

# Numbered steps; a file remembers in user_version how many it has taken. Never change one, add the next.
STEPS = (
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
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    # WAL with NORMAL survives a killed process without a sync for every commit.
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    # What is deleted is overwritten too, so that forgotten people are not found in the file.
    db.execute("PRAGMA secure_delete = ON")
    taken = db.execute("PRAGMA user_version").fetchone()[0]
    if taken > len(STEPS):
        db.close()
        raise sqlite3.DatabaseError(f"文件来自更新的版本（{taken}），请升级 faqbot")
    for number, step in enumerate(STEPS[taken:], taken + 1):
        db.executescript(f"BEGIN; {step} PRAGMA user_version = {number}; COMMIT;")
    return db


def lock(path: str) -> tuple[IO[bytes] | None, bool]:
    """Hold a lock for as long as this process lives; True if no other process holds it, so none is at work.

    The operating system lets go of a dead process's lock. Where there are no such locks nobody is known to be alone.
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
    # Shared from here on: whoever comes next sees that somebody is there.
    fcntl.flock(file, fcntl.LOCK_SH)
    return file, alone
