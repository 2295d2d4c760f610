"""Reads and writes tables and folders of knowledge on disk, for import and export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from faqbot.errors import FaqbotError
from faqbot.knowledge.files.atomic_write import replace_file
from faqbot.knowledge.spreadsheet.comparison import known_entries, oversized_cells, table_rows
from faqbot.knowledge.spreadsheet.workbook import write_table


class PlaceError(FaqbotError):
    """A table or folder does not exist, or must not be written: another place has to be named."""


def read_file(path: Path) -> bytes:
    """Return the bytes of a table. Raises PlaceError."""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise PlaceError(f"读不到 {path}：{exc.strerror}") from exc


def save_report(path: Path, content: bytes) -> None:
    """Write a table that does not exist yet. Raises FileSourceError."""
    replace_file(path, content, None, str(path))


def export_table(
    files: Mapping[str, bytes], path: Path, *, force: bool, progress: Callable[[float], object]
) -> tuple[list[str], int]:
    """Write all entries to a table, and return the problems and the number of entries; with problems write nothing.

    Raises PlaceError, SheetError, FileSourceError.
    """
    if path.exists() and not force:
        raise PlaceError(f"{path} 已经有了；要覆盖请加 --force")
    problems, content, count = make_table(files, path.name, progress)
    if not problems:
        replace_file(path, content, read_file(path) if path.exists() else None, str(path))
    return problems, count


def make_table(
    files: Mapping[str, bytes], name: str, progress: Callable[[float], object]
) -> tuple[list[str], bytes, int]:
    """Return problems, table and number of entries; the kind of table is the ending of `name`, and problems leave none.

    Raises SheetError.
    """
    known, problems = known_entries(files)
    messages = [f"{p.place}: 错误：{p.message}" for p in problems]
    if name.casefold().endswith(".xlsx"):
        messages += oversized_cells(known)
    if messages:
        return [*messages, "表格会不完整，所以没有导出；请先改好（faqbot check）。"], b"", 0
    return [], write_table(name, table_rows(known), progress), len(known)


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files as they are into a folder that is empty or does not exist yet. Raises PlaceError."""
    if odd := [name for name in files if not _is_inside(name)]:
        raise PlaceError(f"文件名“{odd[0]}”不在知识目录里")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise PlaceError(f"{folder} 不是空目录；请换一个还没有的目录")
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    except OSError as exc:
        raise PlaceError(f"写不了 {folder}：{exc.strerror}") from exc


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name
