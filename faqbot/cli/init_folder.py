"""Creates a starter folder: a few sample knowledge files and a `.env` to fill in. Existing files are not touched."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from faqbot.errors import FaqbotError
from faqbot.settings import SECRET_NAMES, TABLE

_STARTER = Path(__file__).parent / "starter"
_REQUIRED_NAMES = ("DINGTALK_CLIENT_ID", "DINGTALK_CLIENT_SECRET")
_HEAD = """\
# faqbot 的设置。这个文件里有密钥：不要发给别人，不要放进代码仓库。
# 去掉一行最前面的“# ”，它就生效；留着“# ”用的是默认值。等号后面空着等于没有设置。
"""


@dataclass(frozen=True, slots=True)
class CreatedFolder:
    """The files that were created, and those that existed and were not touched; names are relative to the folder."""

    created: tuple[str, ...]
    existing: tuple[str, ...]


def create_folder(folder: Path) -> CreatedFolder:
    """Create the missing files of a folder, which may not exist yet. Raises FaqbotError if it cannot be written.

    An existing knowledge folder is left as it is: samples must not get in among real answers.
    """
    created: list[str] = []
    existing: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(folder / "knowledge"):
            existing.append("knowledge")
        else:
            for source in sorted((_STARTER / "knowledge").rglob("*.yaml")):
                name = source.relative_to(_STARTER).as_posix()
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (created if _write(folder / name, source.read_bytes(), 0o644) else existing).append(name)
        (created if _write(folder / ".env", dotenv_text().encode(), 0o600) else existing).append(".env")
    except OSError as exc:
        raise FaqbotError(f"写不了 {exc.filename or folder}：{exc.strerror}") from exc
    return CreatedFolder(tuple(created), tuple(existing))


def dotenv_text() -> str:
    """Return the text of `.env`: each setting with its meaning; all but the required ones are commented out."""
    parts = [_HEAD]
    for name, default, meaning in TABLE:
        value = "" if name in SECRET_NAMES or not default.isascii() else default
        parts.append(f"\n# {meaning.replace('`', '')}\n{'' if name in _REQUIRED_NAMES else '# '}{name}={value}\n")
    return "".join(parts)


def _write(path: Path, content: bytes, mode: int) -> bool:
    """Write a new file; return False if the name exists."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return True
