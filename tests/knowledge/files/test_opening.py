"""What holds for every shelf: files are replaced only if nobody changed them meanwhile, all of them or none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faqbot.errors import FileConflict, FileSourceError
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.files.opening import KnowledgeSource
from faqbot.knowledge.files.replicated import ReplicatedSource
from faqbot.store.opening import open_store

NAME, OTHER = "faq/leave.yaml", "faq/other.yml"
OLD = "- question: 年假\n  answer: 五天\n".encode()
NEW = "- question: 年假\n  answer: 六天\n".encode()
FILES = {NAME: OLD, OTHER: b"[]\n", "synonyms.yaml": "- [甲, 乙]\n".encode()}


@pytest.fixture
async def two(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[KnowledgeSource, KnowledgeSource]]:
    """The same shelf twice, as two people at two replicas have it."""
    (tmp_path / "faq").mkdir()
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    if request.param == "folder":
        yield FolderSource(tmp_path, settle=0), FolderSource(tmp_path, settle=0)
        return
    url = request.getfixturevalue("redis_server").url
    async with contextlib.AsyncExitStack() as stack:
        stores = [await open_store(url) for _ in range(2)]
        for store in stores:
            stack.push_async_callback(store.close)
        shelves = [ReplicatedSource(s.shared_texts, FolderSource(tmp_path, settle=0), place="here") for s in stores]
        for shelf in shelves:
            await shelf.version()
        yield shelves[0], shelves[1]


pytestmark = pytest.mark.parametrize("two", ["folder", "store"], indirect=True)


async def test_all_files_are_read_entries_first(two: tuple[KnowledgeSource, KnowledgeSource]) -> None:
    for shelf in two:
        assert list((await shelf.read()).items()) == list(FILES.items())
        assert await shelf.problems() == []


async def test_what_one_writes_the_other_reads_and_the_version_tells(
    two: tuple[KnowledgeSource, KnowledgeSource],
) -> None:
    mine, theirs = two
    before = await theirs.version()
    assert await theirs.version() == before
    await mine.write(NAME, NEW, OLD)
    await mine.write("faq/新的 条目.yaml", NEW, None)
    changed = await theirs.version()
    assert changed != before
    assert await theirs.read() == FILES | {NAME: NEW, "faq/新的 条目.yaml": NEW} == await mine.read()
    await mine.delete("faq/新的 条目.yaml", NEW)
    assert await theirs.version() not in (before, changed)
    assert await theirs.read() == FILES | {NAME: NEW} == await mine.read()


async def test_what_somebody_else_changed_is_not_overwritten(two: tuple[KnowledgeSource, KnowledgeSource]) -> None:
    mine, theirs = two
    await theirs.write(NAME, NEW, OLD)
    for change in (mine.write(NAME, b"x", OLD), mine.delete(NAME, OLD)):
        with pytest.raises(FileConflict, match=r"faq/leave\.yaml 刚刚被别人改过") as caught:
            await change
        assert caught.value.present == NEW
    await theirs.delete(NAME, NEW)
    for change in (mine.write(NAME, b"x", OLD), mine.delete(NAME, OLD)):
        with pytest.raises(FileConflict, match="删除或改名") as caught:
            await change
        assert caught.value.present is None
    with pytest.raises(FileConflict, match="已经有了") as caught:
        await mine.write(OTHER, NEW, None)
    assert caught.value.present == b"[]\n"


async def test_of_those_who_write_at_once_one_wins_and_the_others_are_told_what_it_wrote(
    two: tuple[KnowledgeSource, KnowledgeSource],
) -> None:
    contents = [f"- question: 年假\n  answer: {n} 天\n".encode() for n in range(10)]
    results = await asyncio.gather(
        *(two[n % 2].write(NAME, content, OLD) for n, content in enumerate(contents)), return_exceptions=True
    )
    (won,) = [content for content, result in zip(contents, results, strict=True) if result is None]
    assert (await two[0].read())[NAME] == won == (await two[1].read())[NAME]
    refused = [result for result in results if isinstance(result, FileConflict)]
    assert len(refused) == 9 and {conflict.present for conflict in refused} == {won}


@pytest.mark.parametrize("name", ["../../etc/passwd", "/faq/x.yaml", "faq/x.txt", "faq/sub/x.yaml", "faq/.x.yaml", ""])
async def test_a_name_outside_the_knowledge_is_refused(two: tuple[KnowledgeSource, KnowledgeSource], name: str) -> None:
    shelf = two[0]
    for change in (shelf.write(name, b"x", None), shelf.delete(name, b"x"), shelf.write_all({}, {name: b"x"})):
        with pytest.raises(FileSourceError, match="不能写"):
            await change
    assert await shelf.read() == FILES


async def test_of_many_files_those_that_differ_are_written(two: tuple[KnowledgeSource, KnowledgeSource]) -> None:
    mine, theirs = two
    await theirs.write(OTHER, b"theirs", FILES[OTHER])
    after = FILES | {NAME: NEW, "faq/new.yaml": NEW}
    await mine.write_all(FILES, after)
    assert await theirs.read() == after | {OTHER: b"theirs"}


async def test_many_files_are_written_all_or_none(two: tuple[KnowledgeSource, KnowledgeSource]) -> None:
    mine, theirs = two
    await theirs.write(OTHER, b"theirs", FILES[OTHER])
    with pytest.raises(FileSourceError, match=r"faq/other\.yml 刚刚被别人改过"):
        await mine.write_all(FILES, FILES | {NAME: NEW, OTHER: b"mine", "synonyms.yaml": b"[]\n"})
    assert await theirs.read() == FILES | {OTHER: b"theirs"} == await mine.read()
