"""What only the SQLite file has to show: its steps, its lock, its backup, and that what is forgotten is gone."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from faqbot.errors import StartError
from faqbot.model.question_log import QuestionRecord
from faqbot.store.opening import open_store
from faqbot.store.protocol import Accepted
from faqbot.store.sqlite import SqliteStore
from faqbot.store.sqlite_schema import MIGRATIONS
from tests.store.test_engines import DONE, ME, RECORD, message


async def test_the_webhook_and_the_words_are_forgotten_when_the_message_is_finished(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'store.db'}")
    await store.accept(message(), ME)
    await store.finish(message(), DONE, RECORD, None)
    await store.close()
    db = sqlite3.connect(tmp_path / "store.db")
    assert db.execute("SELECT message, state, reason FROM inbox").fetchall() == [("", "answered", "ok")]
    db.close()


async def test_a_forgotten_person_is_found_in_none_of_the_files(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'store.db'}")
    record = QuestionRecord("m1", 1.0, "cid", "user-to-forget", "私人的问题内容", "unanswered")
    await store.accept(message(asker="user-to-forget"), ME)
    await store.finish(message(asker="user-to-forget"), DONE, record, None)
    kept = b"".join(p.read_bytes() for p in tmp_path.glob("store.db*"))
    assert b"user-to-forget" in kept
    await store.forget("user-to-forget")
    left = b"".join(p.read_bytes() for p in tmp_path.glob("store.db*"))
    await store.close()
    assert b"user-to-forget" not in left and "私人的问题内容".encode() not in left


async def test_what_is_forgotten_leaves_the_log_as_soon_as_nothing_stands_in_the_way(tmp_path: Path) -> None:
    store = await SqliteStore.open(str(tmp_path / "store.db"))
    await store.accept(message(asker="user-to-forget"), ME)
    await store.finish(message(asker="user-to-forget"), DONE, replace(RECORD, asker="user-to-forget"), None)
    # As on a disk that is full for a while.
    store._connection.set_authorizer(
        lambda action, name, *_: sqlite3.SQLITE_DENY if name == "wal_checkpoint" else sqlite3.SQLITE_OK
    )
    async with asyncio.timeout(60):
        assert await store.forget("user-to-forget") == 1
        store._connection.set_authorizer(None)
        await store.backlog()
    left = b"".join(p.read_bytes() for p in tmp_path.glob("store.db*"))
    await store.close()
    assert b"user-to-forget" not in left


async def test_a_clock_that_is_put_back_makes_nobody_wait_for_its_old_time(tmp_path: Path) -> None:
    now = 1_000_000.0
    store = await SqliteStore.open(str(tmp_path / "store.db"), clock=lambda: now)
    await store.reserve("api", 3.0)
    now -= 3600
    assert [await store.reserve("api", 3.0) for _ in range(3)] == [0.0, 3.0, 6.0]
    await store.close()


async def test_a_step_that_fails_does_not_take_its_neighbours_along(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'store.db'}")
    broken = QuestionRecord("m9", 1.0, "cid", "user-1", "x", "answered", "a", object())  # type: ignore[arg-type]
    results = await asyncio.gather(
        store.accept(message(1), ME),
        store.finish(message(9), DONE, broken, None),
        store.accept(message(2), ME),
        return_exceptions=True,
    )
    assert results[::2] == [Accepted(0, None), Accepted(1, None)]
    assert isinstance(results[1], sqlite3.Error | TypeError)
    assert len(await store.unfinished(ME)) == 2
    await store.close()


async def test_a_new_process_knows_at_once_that_the_killed_one_is_dead(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    program = (
        "import asyncio, os, sys\n"
        "from faqbot.store.opening import open_store\n"
        "from tests.store.test_engines import message\n"
        "async def main():\n"
        f"    store = await open_store({url!r})\n"
        "    await store.join('old', 30)\n"
        "    await store.accept(message(), 'old')\n"
        "    await store.claim('lease:at-it', 30)\n"
        "    await store.claim('done-once', 30)\n"
        "    print('ready', flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    old = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert old.stdout is not None and await asyncio.to_thread(old.stdout.readline) == b"ready\n"
    early = await open_store(url)
    await early.join("early", 30)
    assert list(await early.reclaim("early", 10)) == [], "it is alive"
    await early.leave("early")
    await early.close()
    late = await open_store(url)
    await late.join("late", 30)
    assert list(await late.reclaim("late", 10)) == [], "it is still alive"
    assert not await late.claim("lease:at-it", 30)
    await late.close()
    old.kill()
    old.wait()
    old.stdout.close()
    store = await open_store(url)
    await store.join("new", 30)
    assert list(await store.reclaim("new", 10)) == [message()]
    assert await store.claim("lease:at-it", 30), "whoever was at it is dead"
    assert not await store.claim("done-once", 30)
    await store.close()


@pytest.mark.parametrize("taken", range(1, len(MIGRATIONS)))
async def test_a_store_of_every_older_version_is_upgraded_with_its_data(tmp_path: Path, taken: int) -> None:
    path = tmp_path / "old.db"
    db = sqlite3.connect(path)
    for step in MIGRATIONS[:taken]:
        db.executescript(step)
    db.execute(
        "INSERT INTO questions (message_id, asked_at, conversation_id, asker, text, outcome, entry_id, score) "
        "VALUES ('m1', 1.0, 'cid', 'user-1', '年假有几天', 'answered', 'annual-leave', 0.9)"
    )
    db.execute(f"PRAGMA user_version = {taken}")
    db.commit()
    db.close()
    store = await open_store(f"sqlite:///{path}")
    assert list(await store.questions(0.0)) == [RECORD]
    assert await store.accept(message(2), ME) == Accepted(0, None)
    await store.close()


async def test_the_documented_backup_of_a_store_in_use_can_be_opened(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'store.db'}")
    await store.accept(message(), ME)
    db = sqlite3.connect(tmp_path / "store.db")
    db.execute(f"VACUUM INTO '{tmp_path / 'backup.db'}'")
    db.close()
    await store.close()
    restored = await open_store(f"sqlite:///{tmp_path / 'backup.db'}")
    assert list(await restored.unfinished(ME)) == [message()]
    assert list(await restored.advice()) == []
    await restored.close()


async def test_a_file_that_is_no_store_is_explained(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is not a database, but long enough to look like one" * 20)
    with pytest.raises(StartError, match=r"text\.db"):
        await open_store(f"sqlite:///{tmp_path / 'text.db'}")


async def test_a_store_from_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    with pytest.raises(StartError, match="更新的版本"):
        await open_store(f"sqlite:///{path}")
