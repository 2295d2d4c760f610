"""The store's promises, on a real SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faqbot.errors import StartError
from faqbot.model import Context, Message, MessageKind, Option, QuestionRecord
from faqbot.store import Store, open_store

RECORD = QuestionRecord("m1", 1.0, "cid", "user-1", "年假有几天", "answered", "annual-leave", 0.9)


def message(number: int = 1, robot: str = "robot") -> Message:
    return Message(
        id=f"m{number}", robot_code=robot, conversation_id="cid", is_group=True, kind=MessageKind.TEXT,
        text="年假有几天", staff_id="user-1", webhook="https://oapi.dingtalk.com/robot/sendBySession?session=sesame",
    )  # fmt: skip


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    await opened.close()


async def test_a_message_is_accepted_once(store: Store) -> None:
    results = await asyncio.gather(*(store.accept(message(), 100.0) for _ in range(20)))
    assert sum(results) == 1


async def test_the_same_message_to_another_robot_is_another_message(store: Store) -> None:
    assert await store.accept(message(robot="a"), 100.0)
    assert await store.accept(message(robot="b"), 100.0)


async def test_an_unfinished_message_comes_back_whole_and_a_finished_one_does_not(store: Store) -> None:
    for number in (1, 2, 3):
        await store.accept(message(number), 100.0 + number)
    await store.finish(message(2), "answered", RECORD, None)
    assert list(await store.unfinished(0.0)) == [message(1), message(3)]
    assert list(await store.unfinished(102.5)) == [message(3)]


async def test_a_finished_message_is_still_known(store: Store) -> None:
    await store.accept(message(), 100.0)
    await store.finish(message(), "answered", RECORD, None)
    assert not await store.accept(message(), 200.0)


async def test_the_webhook_is_forgotten_when_the_message_is_finished(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'store.db'}")
    await store.accept(message(), 100.0)
    await store.finish(message(), "answered", RECORD, None)
    await store.close()
    with sqlite3.connect(tmp_path / "store.db") as db:
        assert db.execute("SELECT message FROM inbox").fetchall() == [("",)]
    db.close()


async def test_a_context_holds_until_it_expires_and_is_replaced(store: Store) -> None:
    first = Context((Option("entry", "a"), Option("topic", "休假")), until=200.0)
    await store.finish(message(), "answered", None, first)
    assert await store.context(message().thread, 199.0) == first
    assert await store.context(message().thread, 200.0) is None
    assert await store.context("someone else", 100.0) is None
    second = Context((Option("entry", "b"),), until=300.0)
    await store.finish(message(2), "answered", None, second)
    assert await store.context(message().thread, 100.0) == second


async def test_everything_survives_closing_and_opening(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = await open_store(url)
    await store.accept(message(), 100.0)
    await store.close()
    store = await open_store(url)
    assert list(await store.unfinished(0.0)) == [message()]
    await store.close()


async def test_a_step_that_fails_does_not_take_its_neighbours_along(store: Store) -> None:
    broken = QuestionRecord("m1", 1.0, "cid", "user-1", "x", "answered", "a", object())  # type: ignore[arg-type]
    results = await asyncio.gather(
        store.accept(message(1), 1.0),
        store.finish(message(9), "answered", broken, None),
        store.accept(message(2), 2.0),
        return_exceptions=True,
    )
    assert results[0] is True and results[2] is True and isinstance(results[1], sqlite3.Error)
    assert len(await store.unfinished(0.0)) == 2


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
