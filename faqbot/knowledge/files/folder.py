"""Where the text of the knowledge lives: a folder of files. Bytes in and out, nothing understood."""

from __future__ import annotations

import asyncio
import errno
import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from faqbot.errors import FileSourceError, KnowledgeMissing
from faqbot.knowledge.files.atomic_write import put, take_away
from faqbot.knowledge.files.write_settling import PATIENCE_SECONDS, SETTLE_SECONDS, Mark, Settling
from faqbot.model.entries import Place, Problem

BESIDE = ("synonyms.yaml", "facts.yaml", "groups.yaml", "automations.yaml", "evaluation.yaml")
_SUFFIXES = {".yaml", ".yml"}
_TABLES = {".xlsx", ".xlsm", ".xls", ".csv"}
# No dot or tilde first: such files are not read. No characters that some system or YAML tool stumbles over.
_FILE_NAME = re.compile(r"faq/[^/\\:*?\"<>|\x00-\x1f\x7f.~\s][^/\\:*?\"<>|\x00-\x1f\x7f]*\.ya?ml")
_TICK = 0.01  # seconds; so that the last look does not come a moment too early
_LONGEST_NAME = 200  # bytes; most systems allow 255

_REASONS = {errno.EACCES: "没有读的权限", errno.EPERM: "没有读的权限", errno.EIO: "磁盘读不出来"}

Version = tuple[tuple[str, int, int, int], ...]


class FolderSource:
    """Reads `faq/*.yaml` and the files beside it; names are relative to the folder, `faq/leave.yaml`.

    A file that is being written is not served: its content from before is, until the new one has settled.
    """

    def __init__(
        self,
        folder: Path,
        *,
        settle: float = SETTLE_SECONDS,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._folder = folder
        self._settling = Settling(settle, patience)
        self._patience = patience
        self._clock = clock
        self._wall = wall
        self._sleep = sleep
        self._kept: dict[str, tuple[Mark, bytes]] = {}
        self._unread: dict[str, str] = {}  # name → why
        self._told: Version | None = None
        self._lock = threading.Lock()

    @property
    def label(self) -> str:
        """What stands before a name in messages to people."""
        return str(self._folder)

    async def version(self) -> Version:
        """Change whenever a file is written, added, removed or renamed. Raises KnowledgeMissing."""
        return await asyncio.to_thread(self._fingerprint)

    async def read(self) -> Mapping[str, bytes]:
        return await asyncio.to_thread(self.read_now)

    async def write(self, name: str, content: bytes, expected: bytes | None) -> None:
        """Put `content` in the place of `expected` (None: a new file). Raises Conflict, ShelfError."""
        await asyncio.to_thread(self.write_now, name, content, expected)

    async def delete(self, name: str, expected: bytes) -> None:
        """Delete the file that holds `expected`. Raises Conflict, ShelfError."""
        await asyncio.to_thread(self.delete_now, name, expected)

    async def write_all(self, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
        """Write what differs, unless somebody changed it meanwhile; on failure take back what was written before it.

        Raises ShelfError.
        """
        await asyncio.to_thread(self._write_all_now, before, after)

    async def remarks(self) -> list[Problem]:
        """An error for each file that could not be read the last time, a warning for each that lies where none is."""
        unread = [
            Problem(Place(f"{self.label}/{name}", 1), f"读不了这个文件（{why}），请让机器人能读它，或者重新放一份")
            for name, why in sorted(self._unread.items())
        ]
        return unread + await asyncio.to_thread(self._misplaced)

    def _misplaced(self) -> list[Problem]:
        """Files that somebody may think the bot answers from."""
        faq = self._folder / "faq"
        try:
            aside = [p for p in self._folder.iterdir() if p.suffix in _SUFFIXES and p.name not in BESIDE]
            below = [p for p in faq.rglob("*/*") if p.suffix in _SUFFIXES]
            tables = [p for p in faq.iterdir() if p.suffix.lower() in _TABLES]
        except OSError:
            # What is gone by now misleads nobody.
            return []
        why = {path: "这里的知识文件不读，请移到 faq 文件夹里" for path in (*aside, *below)}
        why |= dict.fromkeys(tables, "表格不直接读，请在控制台的「表格」里上传，或者用 faqbot import 导入")
        shown = sorted(path for path in why if path.is_file() and not _hidden(path.relative_to(self._folder)))
        return [Problem(Place(str(path), 1), why[path], is_error=False) for path in shown]

    def write_now(self, name: str, content: bytes, expected: bytes | None) -> None:
        path = self._path_of(name)
        with self._lock:
            put(path, content, expected, name)
            # Our own file is complete: nobody has to wait for it.
            self._kept[name] = (_mark(path), content)
            self._settling.forget(name)

    def delete_now(self, name: str, expected: bytes) -> None:
        path = self._path_of(name)
        with self._lock:
            take_away(path, expected, name)
            self._kept.pop(name, None)
            self._settling.forget(name)

    def _write_all_now(self, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
        changed = sorted(name for name, content in after.items() if before.get(name) != content)
        done: list[str] = []
        try:
            for name in changed:
                self.write_now(name, after[name], before.get(name))
                done.append(name)
        except FileSourceError as exc:
            if len(changed) == 1:
                raise
            if stuck := [name for name in done if not self._taken_back(name, before.get(name), after[name])]:
                raise FileSourceError(f"{exc}。但是 {'、'.join(stuck)} 已经写好，退不回去，请再来一次") from exc
            raise FileSourceError(f"{exc}。这次什么都没有写，请再来一次") from exc

    def _taken_back(self, name: str, before: bytes | None, now: bytes) -> bool:
        try:
            if before is None:
                self.delete_now(name, now)
            else:
                self.write_now(name, before, now)
        except FileSourceError:
            return False
        return True

    def read_now(self) -> dict[str, bytes]:
        """Read all files. One that vanishes meanwhile is left out; one that cannot be read stays as it was, and is left
        out where nothing is known of it. Raises KnowledgeMissing."""
        with self._lock:
            first = not self._kept
        if first:
            self._wait_for_all()
        with self._lock:
            marks, _ = self._survey()
            self._unread.clear()
            for name, mark in marks.items():
                self._take(name, mark)
            for name in [name for name in self._kept if name not in marks]:
                del self._kept[name]
                self._settling.forget(name)
            return {name: content for name, (_, content) in sorted(self._kept.items(), key=faq_first)}

    # -- what is there -----------------------------------------------------------------------

    def _fingerprint(self) -> Version:
        if self._told is None:
            self._wait_for_all()
        version, wait = self._look()
        if wait and version == self._told:
            # A short wait now saves a whole round of the poll; other files that changed are not kept waiting.
            self._sleep(wait + _TICK)
            version, _ = self._look()
        self._told = version
        return version

    def _look(self) -> tuple[Version, float]:
        with self._lock:
            marks, wait = self._survey()
            # Leave to read a file is given without touching what it holds.
            left = [(name, _changed_at(self._folder / name), 0, 0) for name in sorted(self._unread)]
        return (*((name, *mark) for name, mark in sorted(marks.items()) if mark), *left), wait

    def _wait_for_all(self) -> None:
        """At the start there is nothing to serve instead, so every file is waited for."""
        until = self._clock() + self._patience
        while (wait := self._look()[1]) and self._clock() < until:
            self._sleep(wait + _TICK)

    def _survey(self) -> tuple[dict[str, Mark], float]:
        """The files to serve, each with the mark of its settled state, and how long to wait for the others."""
        found = {name: mark for path in self._paths() if (mark := _mark(path)) for name in [self._name(path)]}
        now, wall = self._clock(), self._wall()
        longest = 0.0
        for name in {*found, *self._kept}:
            kept = self._kept[name][0] if name in self._kept else None
            mark = found.get(name)
            if mark == kept:
                self._settling.forget(name)
                continue
            if wait := self._settling.wait(name, mark, now, wall):
                longest = max(longest, wait)
                found.pop(name, None)
                if kept:
                    found[name] = kept
        return dict(found), longest

    def _take(self, name: str, mark: Mark) -> None:
        """Keep the content of a file, unless it changes while it is read."""
        if name in self._kept and self._kept[name][0] == mark:
            return
        path = self._folder / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as exc:
            self._unread[name] = _REASONS.get(exc.errno or 0, exc.strerror or type(exc).__name__)
            return
        if _mark(path) == mark:
            self._kept[name] = (mark, content)
            self._settling.forget(name)

    def _paths(self) -> list[Path]:
        faq = self._folder / "faq"
        if not faq.is_dir():
            raise KnowledgeMissing(
                f"找不到知识目录 {faq}：请在 {self._folder} 下建 faq 文件夹放入 *.yaml，"
                "或用 FAQBOT_KNOWLEDGE 指向已有的目录"
            )
        paths = [p for p in faq.iterdir() if p.suffix in _SUFFIXES and not _hidden(Path(p.name))]
        return sorted(p for p in paths if p.is_file()) + [
            path for name in BESIDE if (path := self._folder / name).is_file()
        ]

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _path_of(self, name: str) -> Path:
        """The file a name stands for, links followed. Raises ShelfError for what is no knowledge file of ours."""
        must_be_ours(name)
        path = self._folder / name
        try:
            real = path.resolve()
        except (OSError, RuntimeError) as exc:
            raise FileSourceError(f"{name} 是走不通的链接，不能在这里改") from exc
        if not real.is_relative_to(self._folder.resolve()):
            raise FileSourceError(f"{name} 是指向知识目录以外的链接，不能在这里改")
        if real.exists() and not real.is_file():
            raise FileSourceError(f"{name} 不是文件，不能写")
        return real


def _hidden(name: Path) -> bool:
    """Whether it is the business of another program only."""
    return any(part.startswith((".", "~")) for part in name.parts)


def _mark(path: Path) -> Mark:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_ctime_ns
    except OSError:
        return 0


def must_be_ours(name: str) -> None:
    """Raise ShelfError for what is no name of a knowledge file, such as a path out of the folder."""
    if name not in BESIDE and not (_FILE_NAME.fullmatch(name) and _is_short_text(name)):
        raise FileSourceError(f"不能写“{name[:60]}”：只能写 faq/名字.yaml 和 {'、'.join(BESIDE)}")


def _is_short_text(name: str) -> bool:
    try:
        return len(name.encode()) <= _LONGEST_NAME and name == name.strip()
    except UnicodeEncodeError:
        return False


def faq_first(item: tuple[str, object]) -> tuple[bool, str]:
    """The order of files, given with anything else: entries first."""
    return item[0] in BESIDE, item[0]
