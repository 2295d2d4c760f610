"""Finds and replaces links to local picture files in an answer: `![](假期流程.png)`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# Types that all clients of DingTalk show, and those that some do not.
COMMON_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif"}
TYPES = COMMON_TYPES | {".bmp": "image/bmp", ".webp": "image/webp"}
# Endings of pictures that no client shows in a message.
_NOT_SHOWN = frozenset({".svg", ".tif", ".tiff", ".heic", ".psd", ".ico", ".avif"})
_PICTURE = re.compile(r"!\[([^\[\]]*)\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)*)\)")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|@", re.IGNORECASE)
# A name is a path below the knowledge: no drive, no step up, no hidden file.
_CHARACTER = r"[^/\\:*?\"<>|\x00-\x1f\x7f]"
_NAME = re.compile(rf"(?:(?!\.){_CHARACTER}+/)*(?!\.){_CHARACTER}+")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of an answer; `name` is that of its file."""

    name: str

    @property
    def missing(self) -> str:
        """Text in the place of a picture that cannot be shown."""
        return f"（图片暂时显示不了：{self.name}）"


def is_local(address: str) -> bool:
    """Return True if an address is a file beside the knowledge rather than one on the web or at DingTalk."""
    return not _ELSEWHERE.match(address) and suffix_of(address) != ""


def suffix_of(name: str) -> str:
    """Return the suffix of a picture's name in small letters; empty if it is not a picture."""
    dot = name.rfind(".")
    ending = name[dot:].lower() if dot > 0 else ""
    return ending if ending in TYPES or ending in _NOT_SHOWN else ""


def is_safe_name(name: str) -> bool:
    """Return True if a name stays below the folder it is looked up in."""
    return _NAME.fullmatch(name) is not None


def local_pictures(text: str) -> Iterator[Picture]:
    for match in _PICTURE.finditer(text) if "![" in text else ():
        if is_local(match[2]):
            yield Picture(match[2])


def fill_addresses(text: str, addresses: Mapping[str, str]) -> str:
    """Return the text with the addresses of its local pictures; those without one are replaced by words."""

    def replaced(match: re.Match[str]) -> str:
        picture = Picture(match[2])
        if not is_local(picture.name):
            return match[0]
        address = addresses.get(picture.name, "")
        return f"![{match[1]}]({address})" if address else picture.missing

    return _PICTURE.sub(replaced, text)


def replace_by_names(text: str) -> str:
    """Return the text with the names of its local pictures, for messages that show no pictures."""
    return _PICTURE.sub(lambda m: f"（图片：{m[1].strip() or m[2]}）" if is_local(m[2]) else m[0], text)
