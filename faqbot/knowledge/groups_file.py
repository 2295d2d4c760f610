"""Parses `groups.yaml`: who owns which answers (`people`), and the settings of single conversations. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from datetime import time

from faqbot.model.entries import NO_TOPIC, Entry, Place, Problem
from faqbot.model.group_settings import Groups, GroupSettings, Hours
from faqbot.yamltext import key_names
from faqbot.yamltext.field_reader import FieldReader
from faqbot.yamltext.nodes import Mapping, Node, Scalar

_HOURS = re.compile(r"(\d{1,2})(?::(\d{1,2}))?\s*(?:-|~|至|到)\s*(\d{1,2})(?::(\d{1,2}))?")
_DASHES = dict.fromkeys(map(ord, "—–−―"), "-")
# Conversations and owners may have any name, so a wide colon is repaired behind any first word.
_WIDE_COLON = re.compile(r"^( *)([^\s:：#\"'\[\]{}-][^\s:：]*)\s*：[ \u3000]*")
_BLOCK = re.compile(r":\s*[|>][+-]?\d?[+-]?\s*(?:#.*)?$")


def parse_groups(name: str, raw: bytes) -> tuple[Groups, list[Problem]]:
    """Read `groups.yaml`: `people`, and conversations under `groups` or by their number at the top."""
    reader = _GroupsReader(name)
    text = reader.decode(raw)
    return (Groups() if text is None else reader.read(text)), reader.problems


def match_entries(groups: Groups, entries: Iterable[Entry], file: str) -> tuple[Groups, list[Problem]]:
    """Return the groups that know which owners are userIds, and warnings of owners and topics that do not exist."""
    entries = list(entries)
    problems: list[Problem] = []
    missing: dict[str, Entry] = {}
    direct: set[str] = set()
    for entry in entries:
        owner = entry.owner.strip()
        if owner and not groups.owner_userids(owner):
            missing.setdefault(owner, entry)
        elif owner and owner not in groups.people:
            direct.add(owner)
    # Without any people the company has not begun to use them, so nothing is missing.
    for owner, entry in missing.items() if groups.people else ():
        message = f"负责人“{owner[:40]}”在 {file} 的 people（人员）里没有，需要找人时找不到；请写上他们的 userid"
        problems.append(Problem(entry.place, message, is_error=False))
    topics = {entry.topic or NO_TOPIC for entry in entries}
    for number, settings in groups.conversations.items():
        for topic in settings.topics:
            if topic not in topics:
                message = (
                    f"群“{number[:40]}”的主题“{topic[:40]}”没有条目；现有的主题：{'、'.join(sorted(topics))[:120]}"
                )
                problems.append(Problem(Place(file, 1), message, is_error=False))
    return replace(groups, direct=frozenset(direct)), problems


class _GroupsReader(FieldReader):
    __slots__ = ()

    def read(self, text: str) -> Groups:
        root = self.parse_text(self._repaired(text))
        if root is None or (isinstance(root, Scalar) and not root.value.strip()):
            return Groups()
        if not isinstance(root, Mapping):
            self.error(root.line, "groups.yaml 应写成“people:”（人员）和“groups:”（群），下面每行一个")
            return Groups()
        by_number = [pair for pair in root.pairs if pair[0].value.strip().startswith("cid")]
        rest = replace(root, pairs=[pair for pair in root.pairs if pair not in by_number])
        pairs = self.known_pairs(rest, key_names.GROUPS_KEYS, "文件开头")
        conversations: dict[str, GroupSettings] = {}
        listed = self._mapping(*pairs["groups"], "cidXXX: {topics: [休假]}") if "groups" in pairs else None
        if listed:
            self._conversations(listed, conversations)
        self._conversations(replace(root, pairs=by_number), conversations)
        return Groups(self._people(pairs.get("people")), conversations)

    def _repaired(self, text: str) -> str:
        """Return the text with wide colons behind keys and tabs before them repaired; each is reported."""
        lines = text.split("\n")
        block: int | None = None
        for number, line in enumerate(lines, 1):
            indent = line[: len(line) - len(line.lstrip())]
            plain = indent.replace("\t", "  ").replace("\u3000", "  ").replace("\u00a0", " ") + line.lstrip()
            column = len(plain) - len(plain.lstrip())
            if block is not None and (not plain.strip() or column > block):
                continue
            fixed = _with_plain_colon(plain).rstrip() if plain.strip() else line
            block = column if _BLOCK.search(fixed) else None
            if fixed.rstrip() != line.rstrip():
                reason = "全角冒号要改成半角冒号加空格" if "：" in line else "缩进请用普通空格"
                self.warn(number, f"{reason}（已按“{fixed.strip()[:60]}”理解）", fixed)
                lines[number - 1] = fixed
        return "\n".join(lines)

    def _mapping(self, key: Scalar, node: Node, example: str) -> Mapping | None:
        if isinstance(node, Mapping):
            return node
        if not isinstance(node, Scalar) or node.value.strip():
            self.error(node.line, f"“{key.value.strip()}”下面每行一个，例如 {example}")
        return None

    def _people(self, pair: tuple[Scalar, Node] | None) -> dict[str, tuple[str, ...]]:
        people: dict[str, tuple[str, ...]] = {}
        listed = self._mapping(*pair, "休假组: [userid]") if pair else None
        for key, value in self.pairs(listed) if listed else ():
            people[key.value.strip()] = tuple(dict.fromkeys(self.texts(value, "people")))
            if not people[key.value.strip()]:
                self.warn(key.line, f"“{key.value.strip()}”下面没有人，请写上 userid，例如 [userid]")
        return people

    def _conversations(self, listed: Mapping, into: dict[str, GroupSettings]) -> None:
        for key, value in self.pairs(listed):
            number = key.value.strip()
            if number in into:
                self.error(key.line, f"“{number}”重复，前面已有这个群")
                continue
            if not number.startswith("cid"):
                self.warn(key.line, f"“{number[:40]}”不像会话编号（以 cid 开头），这一段不会起作用")
            settings = self._mapping(key, value, "topics: [休假]")
            into[number] = self._settings(settings) if settings else GroupSettings()

    def _settings(self, node: Mapping) -> GroupSettings:
        values = {key: value for key, (_, value) in self.known_pairs(node, key_names.GROUP_KEYS, "群").items()}
        return GroupSettings(
            topics=tuple(dict.fromkeys(self.texts(values.get("topics"), "topics"))),
            greeting=self.text(values.get("greeting"), "greeting"),
            contact=self.text(values.get("contact"), "contact"),
            quiet=self._quiet(values.get("quiet")),
        )

    def _quiet(self, node: Node | None) -> Hours | None:
        if node is None or (isinstance(node, Scalar) and not node.value.strip()):
            return None
        if isinstance(node, Mapping):
            ends = {key: value for key, (_, value) in self.known_pairs(node, key_names.PERIOD_KEYS, "安静时段").items()}
            text = f"{self.text(ends.get('from'), 'from')}-{self.text(ends.get('until'), 'until')}"
        else:
            text = self.text(node, "quiet")
        hours = hours_of(text)
        if hours is None:
            self.error(node.line, f'安静时段“{text[:30]}”读不懂，请写成 quiet: "22:00-8:00"')
        return hours


def _with_plain_colon(line: str) -> str:
    """Return the line with the wide colon behind its key as a plain one.

    A bare text that goes on with a plain colon is left alone: the wide one belongs to the name, as in `0：: [userid]`.
    """
    match = _WIDE_COLON.match(line)
    rest = line[match.end() :].partition(" #")[0] if match else ""
    if match is None or (rest[:1] not in tuple("\"'[{|>") and re.search(r":(?:\s|$)", rest)):
        return line
    return f"{match[1]}{match[2]}: {line[match.end() :]}"


def hours_of(text: str) -> Hours | None:
    """Read `22:00-8:00`, `22 点至 8 点` and the like; return None for anything else."""
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES).replace("点", ":00").replace("次日", "")
    match = _HOURS.fullmatch(plain.replace(" ", ""))
    if match is None:
        return None
    hour, minute, until, until_minute = (int(part or 0) for part in match.groups())
    if until == 24:
        until = 0
    if not (hour < 24 and minute < 60 and until < 24 and until_minute < 60):
        return None
    return Hours(time(hour, minute), time(until, until_minute))
