"""A folder to start from: a few exemplary knowledge files and a `.env` to fill in. Nothing that exists is touched."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from faqbot.errors import FaqbotError
from faqbot.settings import SECRET_NAMES, TABLE

_STARTER = Path(__file__).parent / "starter"
_NEEDED = ("DINGTALK_CLIENT_ID", "DINGTALK_CLIENT_SECRET")
_HEAD = """\
# faqbot 的设置。这个文件里有密钥：不要发给别人，不要放进代码仓库。
# 去掉一行最前面的“# ”，它就生效；留着“# ”用的是默认值。等号后面空着等于没有设置。
"""


@dataclass(frozen=True, slots=True)
class Started:
    """What was made, and what was there already and stayed as it was; names are relative to the folder."""

    made: tuple[str, ...]
    left: tuple[str, ...]


def start(folder: Path) -> Started:
    """Make what is missing in a folder, which may not exist yet. Raises FaqbotError where it cannot be written.

    A folder of knowledge that exists is left alone as a whole: examples must not slip in among real answers.
    """
    made: list[str] = []
    left: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(folder / "knowledge"):
            left.append("knowledge")
        else:
            for source in sorted((_STARTER / "knowledge").rglob("*.yaml")):
                name = source.relative_to(_STARTER).as_posix()
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (made if _write(folder / name, source.read_bytes(), 0o644) else left).append(name)
        (made if _write(folder / ".env", env_text().encode(), 0o600) else left).append(".env")
    except OSError as exc:
        raise FaqbotError(f"写不了 {exc.filename or folder}：{exc.strerror}") from exc
    return Started(tuple(made), tuple(left))


def env_text() -> str:
    """The `.env`: every setting with its meaning; those that are needed wait to be filled in, the others sleep."""
    parts = [_HEAD]
    for name, default, meaning in TABLE:
        value = "" if name in SECRET_NAMES or not default.isascii() else default
        parts.append(f"\n# {meaning.replace('`', '')}\n{'' if name in _NEEDED else '# '}{name}={value}\n")
    return "".join(parts)


def _write(path: Path, content: bytes, mode: int) -> bool:
    """Write a new file; False where there is one of that name."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return True
