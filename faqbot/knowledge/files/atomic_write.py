"""Putting one file in place, or taking it away, in one step and only if nobody changed it meanwhile."""

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


def put(path: Path, content: bytes, expected: bytes | None, name: str) -> None:
    """Replace the file that holds `expected` (None: there is none). Raises Conflict, ShelfError."""
    with _told(name), _alone(path.parent):
        _must_hold(path, expected, name)
        mode = _writable_mode(path, name) if expected is not None else None
        # The name starts with a dot, so that nobody reads it, whatever happens to us.
        temporary = path.parent / f".~{secrets.token_hex(8)}.tmp"
        try:
            _write(temporary, content, path if mode is not None else None, mode)
            _must_hold(path, expected, name)
            if expected is None:
                _appear(temporary, path, name)
            else:
                os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)


def take_away(path: Path, expected: bytes, name: str) -> None:
    """Delete the file that holds `expected`. Raises Conflict, ShelfError."""
    with _told(name), _alone(path.parent):
        _must_hold(path, expected, name)
        _writable_mode(path, name)
        path.unlink()
        _sync_folder(path.parent)


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise FileSourceError(f"写不了 {name}：{_REASONS.get(exc.errno or 0, exc.strerror)}，文件没有改动") from exc


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other writers of ours out of a folder, in this process and in others, where the system can do that.

    Between looking at a file and replacing it somebody else might look too, and both would think that they may write.
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


def _must_hold(path: Path, expected: bytes | None, name: str) -> None:
    try:
        present = path.read_bytes()
    except FileNotFoundError:
        present = None
    if present != expected:
        raise conflict(name, expected, present)


def conflict(name: str, expected: bytes | None, present: bytes | None) -> FileConflict:
    """What to say when a file does not hold what was expected; None is no file."""
    if present is None:
        return FileConflict(f"{name} 刚刚被别人删除或改名了，没有保存", present=None)
    if expected is None:
        return FileConflict(f"{name} 已经有了，没有覆盖", present=present)
    return FileConflict(f"{name} 刚刚被别人改过，没有保存；请看过新的内容后再改", present=present)


def _writable_mode(path: Path, name: str) -> int:
    """The permissions of a file; one without any leave to write stays as it is, also for an administrator."""
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


def _appear(temporary: Path, path: Path, name: str) -> None:
    """Give the new file its name, unless a file of that name has appeared."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        _must_hold(path, None, name)
    except OSError:
        # Some network disks know no links.
        os.replace(temporary, path)


def _sync_folder(folder: Path) -> None:
    """Make the new name outlive a power cut, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
