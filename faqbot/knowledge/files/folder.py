"""Reads and writes the knowledge files of a folder as bytes, without parsing them."""

from __future__ import annotations

import asyncio
import errno
import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from faqbot.errors import FileSourceError, KnowledgeMissing
from faqbot.knowledge.files.atomic_write import delete_file, replace_file
from faqbot.knowledge.files.debounce import PATIENCE_SECONDS, SETTLE_SECONDS, FileStamp, WriteDebounce
from faqbot.model.entries import Place, Problem

OTHER_FILES = ("synonyms.yaml", "facts.yaml", "groups.yaml", "automations.yaml", "evaluation.yaml")
_SUFFIXES = {".yaml", ".yml"}
_TABLES = {".xlsx", ".xlsm", ".xls", ".csv"}
# No dot or tilde first, as such files are not read, and no characters that some system or YAML tool cannot handle.
_FILE_NAME = re.compile(r"faq/[^/\\:*?\"<>|\x00-\x1f\x7f.~\s][^/\\:*?\"<>|\x00-\x1f\x7f]*\.ya?ml")
# Added to each wait, so that the next look does not come a moment too early.
_MARGIN_SECONDS = 0.01
# Most systems allow 255.
_MAX_NAME_BYTES = 200

_REASONS = {errno.EACCES: "没有读的权限", errno.EPERM: "没有读的权限", errno.EIO: "磁盘读不出来"}

Version = tuple[tuple[str, int, int, int], ...]


class FolderSource:
    """Reads `faq/*.yaml` and the files beside it; names are relative to the folder, `faq/leave.yaml`.

    While a file is being written its old content is served, until the new one has settled.
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
        self._debounce = WriteDebounce(settle, patience)
        self._patience = patience
        self._clock = clock
        self._wall = wall
        self._sleep = sleep
        self._files: dict[str, tuple[FileStamp, bytes]] = {}
        self._unreadable: dict[str, str] = {}  # name → reason
        self._last_version: Version | None = None
        self._lock = threading.Lock()

    @property
    def label(self) -> str:
        """Name of the place, shown before a file name in messages to people."""
        return str(self._folder)

    async def version(self) -> Version:
        """Return a value that changes when a file is written, added, removed or renamed. Raises KnowledgeMissing."""
        return await asyncio.to_thread(self._fingerprint)

    async def read(self) -> Mapping[str, bytes]:
        return await asyncio.to_thread(self.read_now)

    async def write(self, name: str, content: bytes, expected: bytes | None) -> None:
        """Replace the file that holds `expected` (None: there is none). Raises FileConflict, FileSourceError."""
        await asyncio.to_thread(self.write_now, name, content, expected)

    async def delete(self, name: str, expected: bytes) -> None:
        """Delete the file that holds `expected`. Raises FileConflict, FileSourceError."""
        await asyncio.to_thread(self.delete_now, name, expected)

    async def write_all(self, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
        """Write the files that differ, unless somebody changed them meanwhile; roll back if one cannot be written.

        Raises FileSourceError.
        """
        await asyncio.to_thread(self._write_all_now, before, after)

    async def problems(self) -> list[Problem]:
        """Return an error for each file that could not be read the last time, a warning for each that is misplaced."""
        unreadable = [
            Problem(Place(f"{self.label}/{name}", 1), f"读不了这个文件（{why}），请让机器人能读它，或者重新放一份")
            for name, why in sorted(self._unreadable.items())
        ]
        return unreadable + await asyncio.to_thread(self._misplaced)

    def _misplaced(self) -> list[Problem]:
        """Warn of files that look like knowledge but are not read where they are."""
        faq = self._folder / "faq"
        try:
            beside = [p for p in self._folder.iterdir() if p.suffix in _SUFFIXES and p.name not in OTHER_FILES]
            below = [p for p in faq.rglob("*/*") if p.suffix in _SUFFIXES]
            tables = [p for p in faq.iterdir() if p.suffix.lower() in _TABLES]
        except OSError:
            # The folder is gone, so no file in it can mislead.
            return []
        reasons = {path: "这里的知识文件不读，请移到 faq 文件夹里" for path in (*beside, *below)}
        reasons |= dict.fromkeys(tables, "表格不直接读，请在控制台的「表格」里上传，或者用 faqbot import 导入")
        misplaced = sorted(path for path in reasons if path.is_file() and not _hidden(path.relative_to(self._folder)))
        return [Problem(Place(str(path), 1), reasons[path], is_error=False) for path in misplaced]

    def write_now(self, name: str, content: bytes, expected: bytes | None) -> None:
        path = self._path_of(name)
        with self._lock:
            replace_file(path, content, expected, name)
            # Our own write is complete, so it need not settle.
            self._files[name] = (_stamp(path), content)
            self._debounce.forget(name)

    def delete_now(self, name: str, expected: bytes) -> None:
        path = self._path_of(name)
        with self._lock:
            delete_file(path, expected, name)
            self._files.pop(name, None)
            self._debounce.forget(name)

    def _write_all_now(self, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
        changed = sorted(name for name, content in after.items() if before.get(name) != content)
        written_names: list[str] = []
        try:
            for name in changed:
                self.write_now(name, after[name], before.get(name))
                written_names.append(name)
        except FileSourceError as exc:
            if len(changed) == 1:
                raise
            if stuck := [name for name in written_names if not self._rolled_back(name, before.get(name), after[name])]:
                raise FileSourceError(f"{exc}。但是 {'、'.join(stuck)} 已经写好，退不回去，请再来一次") from exc
            raise FileSourceError(f"{exc}。这次什么都没有写，请再来一次") from exc

    def _rolled_back(self, name: str, before: bytes | None, now: bytes) -> bool:
        try:
            if before is None:
                self.delete_now(name, now)
            else:
                self.write_now(name, before, now)
        except FileSourceError:
            return False
        return True

    def read_now(self) -> dict[str, bytes]:
        """Read all files. Raises KnowledgeMissing.

        A file that vanishes meanwhile is left out; one that cannot be read keeps its last content, if it has any.
        """
        with self._lock:
            first = not self._files
        if first:
            self._wait_until_settled()
        with self._lock:
            stamps, _ = self._survey()
            self._unreadable.clear()
            for name, stamp in stamps.items():
                self._load(name, stamp)
            for name in [name for name in self._files if name not in stamps]:
                del self._files[name]
                self._debounce.forget(name)
            return {name: content for name, (_, content) in sorted(self._files.items(), key=entries_first)}

    # -- polling -----------------------------------------------------------------------

    def _fingerprint(self) -> Version:
        if self._last_version is None:
            self._wait_until_settled()
        version, wait = self._scan()
        if wait and version == self._last_version:
            # A short wait now saves a whole poll interval; it delays no other file, as none has changed.
            self._sleep(wait + _MARGIN_SECONDS)
            version, _ = self._scan()
        self._last_version = version
        return version

    def _scan(self) -> tuple[Version, float]:
        with self._lock:
            stamps, wait = self._survey()
            # Permission to read a file may be given without changing its content.
            unreadable = [(name, _changed_at(self._folder / name), 0, 0) for name in sorted(self._unreadable)]
        return (*((name, *stamp) for name, stamp in sorted(stamps.items()) if stamp), *unreadable), wait

    def _wait_until_settled(self) -> None:
        """Wait for every file: at the start there is no older content to serve."""
        until = self._clock() + self._patience
        while (wait := self._scan()[1]) and self._clock() < until:
            self._sleep(wait + _MARGIN_SECONDS)

    def _survey(self) -> tuple[dict[str, FileStamp], float]:
        """Return the stamps of the files to serve, and the seconds until the longest of the others has settled."""
        stamps = {name: stamp for path in self._paths() if (stamp := _stamp(path)) for name in [self._name(path)]}
        now, wall = self._clock(), self._wall()
        longest = 0.0
        for name in {*stamps, *self._files}:
            served = self._files[name][0] if name in self._files else None
            stamp = stamps.get(name)
            if stamp == served:
                self._debounce.forget(name)
                continue
            if wait := self._debounce.remaining(name, stamp, now, wall):
                longest = max(longest, wait)
                stamps.pop(name, None)
                if served:
                    stamps[name] = served
        return dict(stamps), longest

    def _load(self, name: str, stamp: FileStamp) -> None:
        """Load the content of a file, unless it changes while it is read."""
        if name in self._files and self._files[name][0] == stamp:
            return
        path = self._folder / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as exc:
            self._unreadable[name] = _REASONS.get(exc.errno or 0, exc.strerror or type(exc).__name__)
            return
        if _stamp(path) == stamp:
            self._files[name] = (stamp, content)
            self._debounce.forget(name)

    def _paths(self) -> list[Path]:
        faq = self._folder / "faq"
        if not faq.is_dir():
            raise KnowledgeMissing(
                f"找不到知识目录 {faq}：请在 {self._folder} 下建 faq 文件夹放入 *.yaml，"
                "或用 FAQBOT_KNOWLEDGE 指向已有的目录"
            )
        paths = [p for p in faq.iterdir() if p.suffix in _SUFFIXES and not _hidden(Path(p.name))]
        return sorted(p for p in paths if p.is_file()) + [
            path for name in OTHER_FILES if (path := self._folder / name).is_file()
        ]

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _path_of(self, name: str) -> Path:
        """Return the path of a name, links followed. Raises FileSourceError if it is not that of a knowledge file."""
        check_file_name(name)
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
    """Return True for names of temporary and private files of other programs."""
    return any(part.startswith((".", "~")) for part in name.parts)


def _stamp(path: Path) -> FileStamp:
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


def check_file_name(name: str) -> None:
    """Raise FileSourceError if `name` is not that of a knowledge file, such as a path out of the folder."""
    if name not in OTHER_FILES and not (_FILE_NAME.fullmatch(name) and _is_short_text(name)):
        raise FileSourceError(f"不能写“{name[:60]}”：只能写 faq/名字.yaml 和 {'、'.join(OTHER_FILES)}")


def _is_short_text(name: str) -> bool:
    try:
        return len(name.encode()) <= _MAX_NAME_BYTES and name == name.strip()
    except UnicodeEncodeError:
        return False


def entries_first(item: tuple[str, object]) -> tuple[bool, str]:
    """Return the sort key of a pair that begins with a file name: files with entries come first."""
    return item[0] in OTHER_FILES, item[0]
