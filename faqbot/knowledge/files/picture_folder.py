"""Finds image files beside the knowledge by name, never outside the folder, and reports unusable ones."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from pathlib import Path

from faqbot.markup.picture_links import COMMON_TYPES, TYPES, Picture, is_safe_name, local_pictures, suffix_of
from faqbot.model.entries import Entry, Problem

# DingTalk takes no larger pictures.
MAX_PICTURE_BYTES = 20 * 1024 * 1024
# Larger ones open slowly on phones.
_SLOW_BYTES = 2 * 1024 * 1024
# First bytes of files of each kind.
_SIGNATURES = {
    ".png": (b"\x89PNG",), ".jpg": (b"\xff\xd8",), ".jpeg": (b"\xff\xd8",), ".gif": (b"GIF8",), ".bmp": (b"BM",),
    ".webp": (b"RIFF",),
}  # fmt: skip


class PictureFolder:
    """The pictures in `faq/` and, second, in the folder itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: str) -> Path | None:
        """Return the path of a picture that can be shown; None if there is none or it lies outside the folder."""
        if not is_safe_name(name) or suffix_of(name) not in TYPES:
            return None
        root = self._folder.resolve()
        for place in (self._folder / "faq", self._folder):
            try:
                path = (place / name).resolve()
                if path.is_relative_to(root) and path.is_file():
                    return path
            except (OSError, RuntimeError):
                continue
        return None

    def version(self) -> Hashable:
        """Return a value that changes when pictures are added, removed or changed."""
        stamps: list[tuple[str, int, int]] = []
        for place in (self._folder, self._folder / "faq"):
            try:
                paths = [path for path in place.iterdir() if path.suffix.lower() in TYPES]
                stamps += [(str(path), stat.st_mtime_ns, stat.st_size) for path in paths for stat in [path.stat()]]
            except OSError:
                continue
        return tuple(sorted(stamps))

    def problems(self, entries: Iterable[Entry]) -> list[Problem]:
        """Warn of pictures that employees will not see."""
        problems: list[Problem] = []
        objections: dict[str, str] = {}
        for entry in entries:
            text = "\n".join((entry.answer, *entry.variants.values()))
            for picture in dict.fromkeys(local_pictures(text)):
                if picture.name not in objections:
                    objections[picture.name] = self._objection(picture)
                if objections[picture.name]:
                    problems.append(Problem(entry.place, objections[picture.name], is_error=False))
        return problems

    def _objection(self, picture: Picture) -> str:
        name, suffix = picture.name, suffix_of(picture.name)
        quoted = f"图片“{name[:60]}”"
        if suffix not in TYPES:
            return f"{quoted}的格式在消息里显示不出来，请换成 png 或 jpg"
        if not is_safe_name(name):
            return f"{quoted}应和知识文件放在一起，只写文件名"
        path = self.find(name)
        if path is None:
            return f"{quoted}找不到，员工会看到“{picture.missing}”；请把它放在知识文件旁边，名字要完全一样"
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                first_bytes = file.read(16)
        except OSError:
            return f"{quoted}读不了，请检查文件的权限"
        if not first_bytes.startswith(_SIGNATURES[suffix]):
            return f"{quoted}的内容不是 {suffix[1:]} 图片，请重新导出"
        if size > MAX_PICTURE_BYTES:
            return f"{quoted}有 {size / 1024 / 1024:.0f} MB，钉钉最多收 20 MB，请压缩"
        if suffix not in COMMON_TYPES:
            return f"{quoted}是 {suffix[1:]} 格式，有的手机上显示不出来，建议换成 png 或 jpg"
        if size > _SLOW_BYTES:
            return f"{quoted}有 {size / 1024 / 1024:.1f} MB，手机上打开慢，建议压缩到 2 MB 以下"
        return ""
