"""The company as its contacts tell it: departments as a tree, the people in them, and who leads whom. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from faqbot.errors import FaqbotError

ROOT = 1


class NoSuchDepartment(FaqbotError):
    """The words mean no department, or several; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Department:
    """One department; the root, the company itself, is its own parent."""

    id: int
    name: str
    parent: int


@dataclass(frozen=True, slots=True)
class Employee:
    """One person in the contacts. Fields the app may not read are empty: `mobile` above all."""

    userid: str
    name: str
    departments: tuple[int, ...] = ()
    leads: tuple[int, ...] = ()
    supervisor: str = ""
    mobile: str = ""
    title: str = ""
    unionid: str = ""


@dataclass(frozen=True)
class Tree:
    """All departments the app may see, by id."""

    departments: Mapping[int, Department]

    @cached_property
    def _children(self) -> Mapping[int, Sequence[int]]:
        found: dict[int, list[int]] = {}
        for department in self.departments.values():
            if department.parent != department.id:
                found.setdefault(department.parent, []).append(department.id)
        return found

    def name(self, dept_id: int) -> str:
        found = self.departments.get(dept_id)
        return found.name if found else f"部门 {dept_id}"

    def upwards(self, dept_id: int) -> Iterator[int]:
        """The department itself, then its parents up to the root."""
        seen: set[int] = set()
        while dept_id not in seen:
            seen.add(dept_id)
            yield dept_id
            found = self.departments.get(dept_id)
            if found is None:
                return
            dept_id = found.parent

    def below(self, dept_id: int) -> Iterator[int]:
        """The department itself, then everything below it, depth first."""
        yield dept_id
        for child in self._children.get(dept_id, ()):
            yield from self.below(child)

    def with_parents(self, departments: Iterable[int]) -> tuple[int, ...]:
        """The departments and the parents of each, every one once."""
        return tuple(dict.fromkeys(above for dept_id in departments for above in self.upwards(dept_id)))

    def path(self, dept_id: int) -> str:
        """`研发中心/后端组`: from below the root down to the department."""
        names = [self.name(above) for above in self.upwards(dept_id) if above != ROOT]
        return "/".join(reversed(names)) or self.name(dept_id)

    def find(self, words: str) -> int:
        """The id of the department that is called so, by number, name or path. Raises NoSuchDepartment."""
        wanted = words.strip()
        if wanted.isascii() and wanted.isdigit():
            # A department outside the app's scope is not in the tree; DingTalk says so when it is used.
            return int(wanted)
        found = self._called([wanted]) or self._called(re.split(r"[/>／＞]", wanted))
        if len(found) == 1:
            return found[0]
        if found:
            paths = "、".join(self.path(dept_id) for dept_id in found[:5])
            raise NoSuchDepartment(f"叫“{wanted}”的部门不止一个：{paths}。请写全路径，或者写部门编号")
        raise NoSuchDepartment(f"通讯录里没有叫“{wanted}”的部门{self._near(wanted)}")

    def _called(self, path: Sequence[str]) -> list[int]:
        """Those whose name, with as many parents' names before it as are given, is this."""
        upwards = [folded(part) for part in reversed(path) if part.strip()]
        if not upwards:
            return []
        return [
            dept_id
            for dept_id in self.departments
            if [folded(self.name(above)) for above in self.upwards(dept_id)][: len(upwards)] == upwards
        ]

    def _near(self, words: str) -> str:
        near = sorted(
            (d.name for d in self.departments.values() if set(d.name) & set(words)),
            key=lambda name: (-len(set(name) & set(words)), name),
        )
        return f"。名字相近的有：{'、'.join(near[:3])}" if near else ""


def folded(name: str) -> str:
    """A name as it is compared: width, case and blanks do not matter."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", name)).casefold()


@dataclass(frozen=True, slots=True)
class Teams:
    """Whose people are whose, by the supervisor's userId; `alone` are those who have no supervisor."""

    of: Mapping[str, tuple[Employee, ...]]
    alone: tuple[Employee, ...]


def teams(people: Sequence[Employee], tree: Tree) -> Teams:
    """Each under the supervisor the contacts name, else under the leader of their department or of one above it."""
    leaders: dict[int, list[str]] = {}
    for person in people:
        for dept_id in person.leads:
            leaders.setdefault(dept_id, []).append(person.userid)
    found: dict[str, list[Employee]] = {}
    alone = []
    for person in people:
        above = [person.supervisor] if person.supervisor else _leaders_above(person, leaders, tree)
        above = [userid for userid in above if userid != person.userid]
        for userid in above:
            found.setdefault(userid, []).append(person)
        if not above:
            alone.append(person)
    return Teams({userid: tuple(team) for userid, team in found.items()}, tuple(alone))


def _leaders_above(person: Employee, leaders: Mapping[int, Sequence[str]], tree: Tree) -> Sequence[str]:
    for home in person.departments:
        for dept_id in tree.upwards(home):
            others = [userid for userid in leaders.get(dept_id, ()) if userid != person.userid]
            if others:
                return others
    return ()
