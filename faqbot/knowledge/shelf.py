"""Where the text of the knowledge lives: a folder of files. Bytes in, nothing understood."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from faqbot.errors import KnowledgeMissing

BESIDE = ("synonyms.yaml", "facts.yaml", "groups.yaml", "automations.yaml")
_SUFFIXES = {".yaml", ".yml"}


class FolderShelf:
    """Reads `faq/*.yaml` and the files beside it; names are relative to the folder, `faq/leave.yaml`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def label(self) -> str:
        """What stands before a name in messages to people."""
        return str(self._folder)

    async def version(self) -> tuple[tuple[str, int, int], ...]:
        """Change whenever a file is written, added, removed or renamed. Raises KnowledgeMissing."""
        return await asyncio.to_thread(self._fingerprint)

    async def read(self) -> Mapping[str, bytes]:
        return await asyncio.to_thread(self.read_now)

    def read_now(self) -> dict[str, bytes]:
        """Read all files. A file that vanishes meanwhile is left out; raises KnowledgeMissing."""
        found: dict[str, bytes] = {}
        for path in self._paths():
            try:
                found[self._name(path)] = path.read_bytes()
            except FileNotFoundError:
                continue
        return found

    def _fingerprint(self) -> tuple[tuple[str, int, int], ...]:
        marks: list[tuple[str, int, int]] = []
        for path in self._paths():
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            marks.append((self._name(path), stat.st_mtime_ns, stat.st_size))
        return tuple(marks)

    def _paths(self) -> list[Path]:
        faq = self._folder / "faq"
        if not faq.is_dir():
            raise KnowledgeMissing(
                f"找不到知识目录 {faq}：请在 {self._folder} 下建 faq 文件夹放入 *.yaml，"
                "或用 FAQBOT_KNOWLEDGE 指向已有的目录"
            )
        paths = [p for p in faq.iterdir() if p.suffix in _SUFFIXES and not p.name.startswith((".", "~"))]
        return sorted(p for p in paths if p.is_file()) + [
            path for name in BESIDE if (path := self._folder / name).is_file()
        ]

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()
