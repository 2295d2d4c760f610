"""The shared shelf: it begins with the deployed folder, follows it, and never loses what was written in the console."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import redis.asyncio as redis

from faqbot.errors import FileConflict, FileSourceError, KnowledgeMissing, StoreError
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.files.replicated import ReplicatedSource
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store
from tests.redis_server import RedisServer

NAME = "faq/leave.yaml"
OLD, NEW, MINE = b"- old\n", b"- new\n", b"- mine\n"

Replica = Callable[..., ReplicatedSource]


@pytest.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[Store]:
    opened = await open_store(redis_server.url)
    yield opened
    await opened.close()


@pytest.fixture
def replica(store: Store) -> Replica:
    """A shelf beside a folder, as each replica has one."""

    def make(folder: Path | None, place: str = "") -> ReplicatedSource:
        seed = None if folder is None else FolderSource(folder, settle=0)
        return ReplicatedSource(store.shared_texts, seed, place=place or str(folder))

    return make


@pytest.fixture
def deploy(tmp_path: Path) -> Callable[..., Path]:
    """A new folder with these files, as a deployment brings it."""
    made: list[Path] = []

    def make(**files: bytes) -> Path:
        folder = tmp_path / f"deployment-{len(made)}"
        (folder / "faq").mkdir(parents=True)
        for name, content in files.items():
            (folder / "faq" / f"{name}.yaml").write_bytes(content)
        made.append(folder)
        return folder

    return make


async def files_of(shelf: ReplicatedSource) -> dict[str, bytes]:
    await shelf.version()
    return dict(await shelf.read())


async def test_of_replicas_that_start_together_on_an_empty_store_one_brings_its_files(replica, deploy) -> None:
    shelves = [replica(deploy(leave=OLD, pay=OLD)) for _ in range(5)]
    await asyncio.gather(*(shelf.version() for shelf in shelves))
    assert {await shelf.version() for shelf in shelves} == {1}
    assert await files_of(shelves[0]) == {NAME: OLD, "faq/pay.yaml": OLD}


async def test_without_shared_text_a_folder_is_needed_and_with_it_none(replica, deploy, tmp_path: Path) -> None:
    for nothing in (replica(None), replica(tmp_path / "nowhere")):
        with pytest.raises(KnowledgeMissing):
            await nothing.version()
    await replica(deploy(leave=OLD)).version()
    for nothing in (replica(None), replica(tmp_path / "nowhere")):
        assert await files_of(nothing) == {NAME: OLD}


async def test_the_next_deployment_changes_adds_and_removes_what_was_left_alone(replica, deploy) -> None:
    await replica(deploy(leave=OLD, pay=OLD)).version()
    assert await files_of(replica(deploy(leave=NEW, office=NEW))) == {NAME: NEW, "faq/office.yaml": NEW}


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="需要 /proc（Linux）")
async def test_a_deployed_file_that_cannot_be_read_is_not_taken_for_one_that_is_gone(replica, deploy) -> None:
    await replica(deploy(leave=OLD, pay=OLD)).version()
    odd = deploy(leave=OLD, office=NEW)
    (odd / "faq" / "pay.yaml").symlink_to("/proc/self/mem")
    shelf = replica(odd)
    assert await files_of(shelf) == {NAME: OLD, "faq/pay.yaml": OLD}
    (remark,) = await shelf.problems()
    assert remark.place.file == f"{odd}/faq/pay.yaml" and remark.is_error and "读不了" in remark.message
    (odd / "faq" / "pay.yaml").unlink()
    assert await files_of(shelf) == {NAME: OLD, "faq/office.yaml": NEW} and await shelf.problems() == []


async def test_what_was_written_in_the_console_outlives_a_deployment_and_the_difference_is_told(
    replica, deploy
) -> None:
    first = replica(deploy(leave=OLD, pay=OLD))
    await first.version()
    await first.write(NAME, MINE, OLD)
    assert await files_of(replica(deploy(leave=OLD, pay=NEW))) == {NAME: MINE, "faq/pay.yaml": NEW}
    assert await first.problems() == []
    assert (await files_of(replica(deploy(leave=NEW, pay=NEW))))[NAME] == MINE
    for shelf in (first, replica(None)):
        (remark,) = await shelf.problems()
        assert str(remark.place) == "共享知识/faq/leave.yaml:1" and not remark.is_error
        assert "控制台里也改过" in remark.message and "现在用的是控制台里的" in remark.message
        assert await shelf.conflicts() == {NAME: (MINE, NEW)}


@pytest.mark.parametrize(("take", "then"), [(True, NEW), (False, MINE)])
async def test_somebody_decides_between_the_console_and_the_deployment(
    replica, deploy, take: bool, then: bytes
) -> None:
    first = replica(deploy(leave=OLD))
    await first.version()
    await first.write(NAME, MINE, OLD)
    later = replica(deploy(leave=NEW))
    before = await later.version()
    with pytest.raises(FileConflict, match="又变了"):
        await first.resolve(NAME, OLD, NEW, take_deployed=take)
    await first.resolve(NAME, MINE, NEW, take_deployed=take)
    assert await later.version() != before
    assert await later.read() == {NAME: then} and await later.problems() == []
    with pytest.raises(FileConflict):
        await first.resolve(NAME, MINE, NEW, take_deployed=take)


async def test_a_replica_of_the_older_deployment_that_restarts_undoes_nothing(replica, deploy) -> None:
    older, newer = deploy(leave=OLD), deploy(leave=NEW)
    await replica(older).version()
    await replica(newer).version()
    assert await files_of(replica(older)) == {NAME: NEW}
    # Going back on purpose: the folder of the newer one gets the older files.
    (newer / NAME).write_bytes(OLD)
    assert await files_of(replica(newer)) == {NAME: OLD}


async def test_a_file_saved_in_the_folder_of_a_running_replica_is_followed(replica, deploy) -> None:
    folder = deploy(leave=OLD)
    shelf, other = replica(folder), replica(deploy(leave=OLD))
    before = await shelf.version(), await other.version()
    (folder / NAME).write_bytes(NEW)
    assert (await shelf.version(), await other.version()) != before
    assert await files_of(other) == {NAME: NEW}


async def test_a_folder_that_came_without_files_removes_nothing(replica, deploy, caplog) -> None:
    await replica(deploy(leave=OLD)).version()
    with caplog.at_level(logging.WARNING):
        assert await files_of(replica(deploy())) == {NAME: OLD}
    assert "shelf.empty_seed_ignored" in caplog.text


async def test_a_folder_that_goes_away_changes_nothing(replica, deploy) -> None:
    folder = deploy(leave=OLD)
    shelf = replica(folder)
    before = await shelf.version()
    shutil.rmtree(folder)
    assert await shelf.version() == before


async def test_a_store_that_lost_everything_gets_back_what_was_live(replica, deploy, redis_server: RedisServer) -> None:
    shelves = [replica(deploy(leave=OLD)) for _ in range(3)]
    for shelf in shelves:
        await shelf.version()
    await shelves[0].write(NAME, MINE, OLD)
    for shelf in shelves:
        await shelf.read()
    raw = redis.Redis.from_url(redis_server.url)
    await raw.flushdb()
    await raw.aclose()
    await asyncio.gather(*(shelf.version() for shelf in shelves))
    assert await files_of(shelves[1]) == {NAME: MINE} == await files_of(replica(None))


async def test_while_the_store_is_away_nothing_is_saved_and_it_is_said(
    replica, deploy, redis_server: RedisServer
) -> None:
    shelf = replica(deploy(leave=OLD))
    await shelf.version()
    redis_server.stop()
    with pytest.raises(FileSourceError, match="存储现在写不进去"):
        await shelf.write(NAME, MINE, OLD)
    with pytest.raises(StoreError):
        await shelf.version()
    redis_server.start()
    assert await files_of(shelf) == {NAME: OLD}


async def test_a_write_whose_answer_was_lost_is_not_refused_when_repeated(store: Store, redis_server) -> None:
    texts = store.shared_texts
    raw = redis.Redis.from_url(redis_server.url)
    args = ["call-1", NAME, "-", b"+" + OLD]
    assert [await texts._put(args=args) for _ in range(3)] == [b"", b"", b""]
    assert await texts.version() == 1
    assert await texts._put(args=["call-2", *args[1:]]) == NAME.encode()
    assert [await texts._swap(args=["call-3", 1]) for _ in range(2)] == [1, 1] and await texts.version() == 2
    assert await texts._swap(args=["call-4", 1]) == 0
    assert 0 < await raw.ttl("faqbot:text-done:call-1") <= 60
    await raw.aclose()
