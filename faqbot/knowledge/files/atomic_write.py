"""Replaces or deletes one file in one step, and only if nobody changed it meanwhile (compare-and-swap)."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from faqbot.errors import FileConflict, FileSourceError

_REASONS = {
    errno.ENOSPC: "磁盘满了",
    errno.EDQUOT: "磁盘配额用完了",
    errno.EROFS: "磁盘是只读的",
    errno.EACCES: "没有写的权限",
    errno.EPERM: "没有写的权限",
    errno.ENOENT: "没有这个文件夹",
    errno.ENOTDIR: "没有这个文件夹",
}


def replace_file(path: Path, content: bytes, expected: bytes | None, name: str) -> None:
    """Replace the file that holds `expected` (None: there is none). Raises FileConflict, FileSourceError."""
    with _explained(name), _locked(path.parent):
        _check_content(path, expected, name)
        mode = _writable_mode(path, name) if expected is not None else None
        # A name with a dot first is read by nobody, even if this process is killed before it is removed.
        temporary = path.parent / f".~{secrets.token_hex(8)}.tmp"
        try:
            _write(temporary, content, path if mode is not None else None, mode)
            _check_content(path, expected, name)
            if expected is None:
                _link(temporary, path, name)
            else:
                os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)


def delete_file(path: Path, expected: bytes, name: str) -> None:
    """Delete the file that holds `expected`. Raises FileConflict, FileSourceError."""
    with _explained(name), _locked(path.parent):
        _check_content(path, expected, name)
        _writable_mode(path, name)
        path.unlink()
        _sync_folder(path.parent)


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise FileSourceError(f"写不了 {name}：{_REASONS.get(exc.errno or 0, exc.strerror)}，文件没有改动") from exc


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other writers of this program out of a folder, in this process and in others, where the system can do it.

    Without it two writers could both check a file before either replaces it, and both would write.
    """
    handle = None
    with contextlib.suppress(ImportError, OSError):
        from fcntl import LOCK_EX, flock

        handle = os.open(folder, os.O_RDONLY)
        flock(handle, LOCK_EX)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _check_content(path: Path, expected: bytes | None, name: str) -> None:
    try:
        present = path.read_bytes()
    except FileNotFoundError:
        present = None
    if present != expected:
        raise file_conflict(name, expected, present)


def file_conflict(name: str, expected: bytes | None, present: bytes | None) -> FileConflict:
    """Return the error for a file that does not have the expected content; None stands for no file."""
    if present is None:
        return FileConflict(f"{name} 刚刚被别人删除或改名了，没有保存", present=None)
    if expected is None:
        return FileConflict(f"{name} 已经有了，没有覆盖", present=present)
    return FileConflict(f"{name} 刚刚被别人改过，没有保存；请看过新的内容后再改", present=present)


def _writable_mode(path: Path, name: str) -> int:
    """Return the permissions of a file. Raises FileSourceError for a read-only one, even for an administrator."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o222 or not os.access(path, os.W_OK):
        raise FileSourceError(f"{name} 是只读的，没有改动；请先去掉“只读”")
    return mode


def _write(temporary: Path, content: bytes, like: Path | None, mode: int | None) -> None:
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        if like is not None and mode is not None:
            owner = like.stat()
            with contextlib.suppress(OSError):
                os.chown(temporary, owner.st_uid, owner.st_gid)
            os.chmod(temporary, mode)
        os.fsync(file.fileno())


def _link(temporary: Path, path: Path, name: str) -> None:
    """Give the new file its name, unless a file of that name has appeared. Raises FileConflict."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        _check_content(path, None, name)
    except OSError:
        # Some network disks have no hard links.
        os.replace(temporary, path)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the system can do it."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
