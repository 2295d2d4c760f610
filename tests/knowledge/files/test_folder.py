"""Files are read whole or as they were before, and written only if nobody changed them meanwhile."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import threading
import time
from contextlib import asynccontextmanager
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from faqbot.errors import FileConflict, FileSourceError, KnowledgeMissing
from faqbot.knowledge.files import atomic_write
from faqbot.knowledge.files.debounce import PATIENCE_SECONDS, SETTLE_SECONDS, WriteDebounce
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.knowledge_base import POLL_SECONDS, KnowledgeBase

OLD = "- question: 年假\n  answer: 五天\n".encode()
NEW = "- question: 年假\n  answer: 六天\n".encode()
NAME = "faq/leave.yaml"


@pytest.fixture
def folder(tmp_path):
    knowledge = tmp_path / "knowledge"
    (knowledge / "faq").mkdir(parents=True)
    settle(knowledge / NAME, OLD)
    settle(knowledge / "faq" / "other.yml", b"[]\n")
    settle(knowledge / "synonyms.yaml", "- [甲, 乙]\n".encode())
    return knowledge


@pytest.fixture
def shelf(folder):
    return FolderSource(folder)


def settle(path, content):
    """Write a file as if a minute ago."""
    path.write_bytes(content)
    then = time.time() - 60
    os.utime(path, (then, then))


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


async def test_a_file_is_read_as_soon_as_that_is_allowed(shelf, folder, monkeypatch):
    locked, plainly = folder / NAME, Path.read_bytes

    def read_bytes(path):
        # Whoever runs the tests may be allowed to read everything.
        if not path.stat().st_mode & 0o444:
            raise PermissionError(errno.EACCES, "Permission denied")
        return plainly(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    os.chmod(locked, 0)
    assert sorted(await shelf.read()) == ["faq/other.yml", "synonyms.yaml"]
    (remark,) = await shelf.problems()
    assert remark.place.file == str(locked) and remark.is_error and "没有读的权限" in remark.message
    before = await shelf.version()
    os.chmod(locked, 0o644)
    assert await shelf.version() != before
    assert (await shelf.read())[NAME] == OLD and await shelf.problems() == []


# -- writing ---------------------------------------------------------------------------------------


async def test_a_file_that_lies_where_none_is_read_is_named_and_stops_nothing(shelf, folder):
    for name in (
        "faq/2026/春假.yaml",
        "请假.yml",
        "faq/全部.XLSX",
        ".git/x.yaml",
        "faq/.old/x.yaml",
        "说明.md",
        "faq/图.png",
    ):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(OLD)
    assert NAME in await shelf.read()
    remarks = await shelf.problems()
    assert not any(remark.is_error for remark in remarks)
    said = {remark.place.file.removeprefix(f"{folder}/"): remark.message for remark in remarks}
    assert said.keys() == {"faq/2026/春假.yaml", "请假.yml", "faq/全部.XLSX"}
    assert "移到 faq 文件夹" in said["请假.yml"] and "导入" in said["faq/全部.XLSX"]


async def test_a_file_is_replaced_whole_and_keeps_its_mode(shelf, folder):
    os.chmod(folder / NAME, 0o640)
    await shelf.write(NAME, NEW, OLD)
    assert (folder / NAME).read_bytes() == NEW
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o640
    assert names(folder) == ["faq/leave.yaml", "faq/other.yml", "synonyms.yaml"]


async def test_a_new_file_has_the_usual_mode_and_a_name_that_is_taken_is_a_conflict(shelf, folder):
    await shelf.write("faq/新的 条目.yaml", NEW, None)
    assert (folder / "faq" / "新的 条目.yaml").read_bytes() == NEW
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((folder / "faq" / "新的 条目.yaml").stat().st_mode) == 0o666 & ~mask
    with pytest.raises(FileConflict, match="已经有了") as caught:
        await shelf.write(NAME, NEW, None)
    assert caught.value.present == OLD and (folder / NAME).read_bytes() == OLD


async def test_what_somebody_else_changed_is_not_overwritten(shelf, folder):
    (folder / NAME).write_bytes(NEW)
    for change in (shelf.write(NAME, b"x", OLD), shelf.delete(NAME, OLD)):
        with pytest.raises(FileConflict, match=r"faq/leave\.yaml 刚刚被别人改过") as caught:
            await change
        assert caught.value.present == NEW
    (folder / NAME).unlink()
    for change in (shelf.write(NAME, b"x", OLD), shelf.delete(NAME, OLD)):
        with pytest.raises(FileConflict, match="删除或改名") as caught:
            await change
        assert caught.value.present is None
    assert names(folder) == ["faq/other.yml", "synonyms.yaml"]


async def test_a_file_is_deleted(shelf, folder):
    assert NAME in await shelf.read()
    await shelf.delete(NAME, OLD)
    assert not (folder / NAME).exists()
    assert NAME not in await shelf.read()


async def test_the_files_beside_faq_are_written_too(shelf, folder):
    await shelf.write("facts.yaml", b"a: 1\n", None)
    await shelf.write("synonyms.yaml", b"[]\n", "- [甲, 乙]\n".encode())
    assert (await shelf.read())["facts.yaml"] == b"a: 1\n"


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd", "faq/../../x.yaml", "/etc/passwd", "/faq/x.yaml", "faq\\x.yaml", "faq/..\\x.yaml",
        "faq/x\0.yaml",
        "x.yaml", "faq/x.txt", "faq/x.yaml.bak", "faq/sub/x.yaml", "faq/.x.yaml", "faq/~x.yaml", "faq/.yaml", "faq/",
        "faq", "",
        ".", "faq/x.YAML", "faq/x\n.yaml", "faq/x:y.yaml", "C:/x.yaml", "synonyms.yml", "faq/synonyms.yaml/../x.yaml",
        "faq/ x.yaml",
        f"faq/{'长' * 90}.yaml", "faq/\ud800.yaml", "knowledge.db", "./faq/x.yaml", "faq//x.yaml", "faq/*.yaml",
    ],
)  # fmt: skip
async def test_a_name_outside_the_knowledge_is_refused(shelf, folder, name):
    for change in (shelf.write(name, b"x", None), shelf.write(name, b"x", OLD), shelf.delete(name, b"x")):
        with pytest.raises(FileSourceError, match="不能写"):
            await change
    assert names(folder.parent) == ["knowledge/faq/leave.yaml", "knowledge/faq/other.yml", "knowledge/synonyms.yaml"]


async def test_a_link_out_of_the_folder_is_refused_and_one_within_is_followed(shelf, folder, tmp_path):
    outside = tmp_path / "outside.yaml"
    outside.write_bytes(OLD)
    (folder / "faq" / "out.yaml").symlink_to(outside)
    (folder / "faq" / "loop.yaml").symlink_to(folder / "faq" / "loop.yaml")
    (folder / "faq" / "dangling.yaml").symlink_to(tmp_path / "nothing.yaml")
    for name, expected in (("faq/out.yaml", OLD), ("faq/dangling.yaml", None)):
        with pytest.raises(FileSourceError, match="指向知识目录以外的链接"):
            await shelf.write(name, NEW, expected)
    with pytest.raises(FileSourceError):
        await shelf.write("faq/loop.yaml", NEW, None)
    (folder / "faq" / "within.yaml").symlink_to(folder / NAME)
    await shelf.write("faq/within.yaml", NEW, OLD)
    assert outside.read_bytes() == OLD and (folder / NAME).read_bytes() == NEW
    assert (folder / "faq" / "within.yaml").is_symlink()


async def test_a_linked_faq_folder_outside_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "faq").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileSourceError, match="以外的链接"):
        await FolderSource(tmp_path / "knowledge").write("faq/x.yaml", b"", None)


async def test_a_read_only_file_stays_as_it_is(shelf, folder):
    os.chmod(folder / NAME, 0o444)
    for change in (shelf.write(NAME, NEW, OLD), shelf.delete(NAME, OLD)):
        with pytest.raises(FileSourceError, match="只读"):
            await change
    assert (folder / NAME).read_bytes() == OLD


async def test_a_folder_in_the_place_of_a_file_and_a_missing_folder_are_explained(shelf, folder, tmp_path):
    (folder / "faq" / "x.yaml").mkdir()
    with pytest.raises(FileSourceError, match="不是文件"):
        await shelf.write("faq/x.yaml", NEW, None)
    with pytest.raises(FileSourceError, match="没有这个文件夹"):
        await FolderSource(tmp_path / "nowhere").write(NAME, NEW, None)


@pytest.mark.parametrize("step", ["replace", "fsync", "link"])
async def test_a_full_disk_leaves_the_file_whole_and_nothing_beside_it(shelf, folder, step, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic_write.os, step, full)
    if step == "link":
        # A disk without links: the file is put in place the other way.
        await shelf.write("faq/new.yaml", NEW, None)
        assert (folder / "faq" / "new.yaml").read_bytes() == NEW
        return
    with pytest.raises(FileSourceError, match="磁盘满了"):
        await shelf.write(NAME, NEW, OLD)
    monkeypatch.undo()
    assert (folder / NAME).read_bytes() == OLD
    assert names(folder) == ["faq/leave.yaml", "faq/other.yml", "synonyms.yaml"]


def test_a_reader_never_sees_a_part_of_what_is_written(folder):
    contents = [str(n).encode() * 200_000 for n in range(10)]
    path, seen, done = folder / NAME, set(), threading.Event()
    path.write_bytes(contents[0])

    def watch():
        while not done.is_set():
            seen.add(path.read_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for before, after in pairwise(contents):
        FolderSource(folder).write_now(NAME, after, before)
    done.set()
    watcher.join()
    assert seen <= set(contents)


def test_of_two_who_write_at_once_one_wins_and_the_other_is_told(folder):
    shelf, results, start = FolderSource(folder), [], threading.Barrier(2)

    def write(content):
        start.wait()
        try:
            shelf.write_now(NAME, content, OLD)
            results.append(content)
        except FileConflict as exc:
            results.append(("conflict", exc.present))

    writers = [threading.Thread(target=write, args=(content,)) for content in (b"a", b"b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    (won,) = [r for r in results if isinstance(r, bytes)]
    assert ("conflict", won) in results and (folder / NAME).read_bytes() == won


# -- reading ---------------------------------------------------------------------------------------


class Time:
    """A clock for the shelf that runs only when it sleeps; files are dated by it too."""

    def __init__(self):
        self.now = 1_000_000.0
        self.slept = 0.0
        self.meanwhile = []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.slept += seconds
        for act in self.meanwhile[:1]:
            self.meanwhile.pop(0)
            act()

    def write(self, path, content, ago=0.0):
        path.write_bytes(content)
        os.utime(path, (self.now - ago, self.now - ago))


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def timed(folder, clock):
    for path in folder.rglob("*.y*ml"):
        clock.write(path, path.read_bytes(), ago=60)
    shelf = FolderSource(folder, clock=clock.clock, wall=clock.clock, sleep=clock.sleep)
    shelf.read_now()
    shelf._fingerprint()
    assert clock.slept == 0
    return shelf


def poll(shelf, clock, seconds=POLL_SECONDS):
    """What the library does: look, and read when something changed."""
    clock.now += seconds
    before = shelf._last_version
    return shelf.read_now() if shelf._fingerprint() != before else None


def test_a_finished_save_is_served_at_the_next_look(timed, clock, folder):
    clock.write(folder / NAME, NEW)
    assert poll(timed, clock)[NAME] == NEW
    assert clock.slept == 0


def test_a_save_a_moment_ago_is_waited_for_within_the_look(timed, clock, folder):
    clock.now += POLL_SECONDS - 0.1
    clock.write(folder / NAME, NEW)
    clock.now -= POLL_SECONDS - 0.1
    assert poll(timed, clock)[NAME] == NEW
    assert clock.slept <= SETTLE_SECONDS + 0.05


def test_a_file_in_the_middle_of_being_written_is_served_as_it_was(timed, clock, folder):
    path = folder / NAME
    clock.write(path, NEW[:12])
    clock.meanwhile = [lambda: clock.write(path, NEW[:20])]
    assert poll(timed, clock, 0.05) is None
    assert timed.read_now()[NAME] == OLD
    clock.write(path, NEW)
    assert poll(timed, clock)[NAME] == NEW


def test_a_file_emptied_before_it_is_written_is_served_as_it_was(timed, clock, folder):
    clock.write(folder / NAME, b"")
    assert timed.read_now()[NAME] == OLD


def test_a_file_that_is_away_for_a_moment_is_served_as_it_was(timed, clock, folder):
    (folder / NAME).unlink()
    clock.meanwhile = [lambda: clock.write(folder / NAME, NEW)]
    poll(timed, clock)
    assert timed.read_now()[NAME] == OLD
    assert poll(timed, clock)[NAME] == NEW


def test_a_deleted_file_is_gone_after_a_short_wait(timed, clock, folder):
    (folder / NAME).unlink()
    assert NAME not in poll(timed, clock)


def test_a_new_file_is_served_once_it_is_whole(timed, clock, folder):
    path = folder / "faq" / "new.yaml"
    clock.write(path, NEW[:10])
    clock.meanwhile = [lambda: clock.write(path, NEW)]
    assert poll(timed, clock, 0.0) is None
    assert "faq/new.yaml" not in timed.read_now()
    assert poll(timed, clock)["faq/new.yaml"] == NEW


def test_a_file_that_never_rests_goes_live_after_two_seconds_and_holds_up_no_other(timed, clock, folder):
    busy, other, started = folder / NAME, folder / "faq" / "other.yml", clock.now
    strokes = [f"- question: 年假\n  answer: {n}天\n".encode() for n in range(100)]
    original, served, saved = clock.sleep, [], None

    def sleep(seconds):
        while seconds > 0:
            clock.write(busy, strokes[int((clock.now - started) * 10) % 100])
            original(min(seconds, 0.1))
            seconds -= 0.1

    timed._sleep = sleep
    for _ in range(8):
        sleep(POLL_SECONDS)
        if clock.now - started > 1 and saved is None:
            clock.write(other, b"[] # new\n")
            saved = clock.now
        before = timed._last_version
        if timed._fingerprint() != before:
            files = timed.read_now()
            served.append((clock.now, files[NAME] != OLD, files["faq/other.yml"] != b"[]\n"))
    assert min(at for at, is_busy, _ in served if is_busy) - started <= PATIENCE_SECONDS + 2 * POLL_SECONDS
    assert min(at for at, _, is_other in served if is_other) - saved <= 1


def test_a_file_dated_in_the_future_is_served_once_it_looks_the_same_twice(timed, clock, folder):
    clock.write(folder / NAME, NEW, ago=-3600)
    assert poll(timed, clock)[NAME] == NEW
    assert 0 < clock.slept <= SETTLE_SECONDS + 0.05


def test_at_the_start_files_that_are_being_written_are_waited_for(folder, clock):
    path = folder / NAME
    for other in folder.rglob("*.y*ml"):
        clock.write(other, other.read_bytes(), ago=60)
    clock.write(path, NEW[:9])
    clock.meanwhile = [lambda: clock.write(path, NEW[:15]), lambda: clock.write(path, NEW)]
    shelf = FolderSource(folder, clock=clock.clock, wall=clock.clock, sleep=clock.sleep)
    assert shelf.read_now()[NAME] == NEW
    assert clock.slept <= PATIENCE_SECONDS


def test_our_own_write_is_served_at_once(timed, clock, folder):
    timed.write_now(NAME, NEW, OLD)
    assert timed.read_now()[NAME] == NEW
    before = timed._last_version
    assert timed._fingerprint() != before
    timed.delete_now(NAME, NEW)
    assert NAME not in timed.read_now() and clock.slept == 0


def test_hidden_files_and_other_folders_are_not_read(shelf, folder):
    for name in ("faq/.x.yaml", "faq/~x.yaml", "faq/x.txt", "other.yaml"):
        settle(folder / name, b"x")
    (folder / "faq" / "sub.yaml").mkdir()
    assert list(shelf.read_now()) == ["faq/leave.yaml", "faq/other.yml", "synonyms.yaml"]


def test_no_folder_is_said(tmp_path):
    with pytest.raises(KnowledgeMissing, match="faq"):
        FolderSource(tmp_path).read_now()


def test_waiting_ends_when_the_change_rests_or_patience_does():
    settling = WriteDebounce(settle=0.3, patience=2.0)

    def mark(at, size=1):
        return int(at * 1e9), size, 1

    assert settling.remaining("a", mark(10.0), now=0.0, wall=10.1) == pytest.approx(0.2)
    assert settling.remaining("a", mark(10.0), now=0.2, wall=10.3) == pytest.approx(0, abs=1e-6)
    assert settling.remaining("b", mark(99.0), now=0.0, wall=10.0) == pytest.approx(0.3)
    assert settling.remaining("b", mark(99.0), now=0.3, wall=10.3) == pytest.approx(0, abs=1e-6)
    assert settling.remaining("c", None, now=0.0, wall=10.0) == pytest.approx(0.3)
    for n in range(20):
        assert settling.remaining("d", mark(10 + n / 10, n), now=n / 10, wall=10 + n / 10) > 0
    assert settling.remaining("d", mark(12.1, 99), now=2.1, wall=12.1) == 0


# -- with the library ------------------------------------------------------------------------------


@asynccontextmanager
async def watched(source):
    """The knowledge of a folder that is watched, and a function that waits for an answer and returns those before."""
    library = KnowledgeBase(source, lambda: date(2026, 11, 22))
    await library.refresh()
    watching = asyncio.create_task(library.watch())

    def answer():
        entry = library.current.entry("年假")
        return entry and entry.answer

    async def until(wanted):
        seen = []
        async with asyncio.timeout(60):
            while answer() != wanted:
                seen.append(answer())
                await asyncio.sleep(0.02)
        return seen

    try:
        yield until
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await library.close()


async def test_a_saved_change_goes_live(folder):
    async with watched(FolderSource(folder)) as until:
        for text in ("六天", "七天", "八天"):
            (folder / NAME).write_text(f"- question: 年假\n  answer: {text}\n", encoding="utf-8")
            await until(text)


async def test_half_of_a_change_never_goes_live(folder):
    # Far longer than the pauses between the parts, so that a busy machine does not make them longer than that.
    async with watched(FolderSource(folder, settle=3.0, patience=60.0)) as until:
        whole = "- question: 年假\n  answer: 九天，含周末\n"
        with (folder / NAME).open("w", encoding="utf-8") as file:
            for part in (whole[:5], whole[5:22], whole[22:28], whole[28:]):
                file.write(part)
                file.flush()
                await asyncio.sleep(0.2)
        assert set(await until("九天，含周末")) <= {"五天"}
