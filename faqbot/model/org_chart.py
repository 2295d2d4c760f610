"""Org chart: the tree of departments, the employees in them, and who supervises whom. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from faqbot.errors import FaqbotError

ROOT = 1


class NoSuchDepartment(FaqbotError):
    """The words match no department or several; the message lists the candidates."""


@dataclass(frozen=True, slots=True)
class Department:
    """One department. The root, which is the company itself, is its own parent."""

    id: int
    name: str
    parent: int


@dataclass(frozen=True, slots=True)
class Employee:
    """One person in the contacts.

    leads: the ids of the departments they lead. Fields that the app may not read are empty, `mobile` above all.
    """

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
    """The departments that the app may see, by id."""

    departments: Mapping[int, Department]

    @cached_property
    def _children(self) -> Mapping[int, Sequence[int]]:
        children: dict[int, list[int]] = {}
        for department in self.departments.values():
            if department.parent != department.id:
                children.setdefault(department.parent, []).append(department.id)
        return children

    def name(self, dept_id: int) -> str:
        department = self.departments.get(dept_id)
        return department.name if department else f"部门 {dept_id}"

    def upwards(self, dept_id: int) -> Iterator[int]:
        """Yield the department, then its parents up to the root."""
        visited: set[int] = set()
        while dept_id not in visited:
            visited.add(dept_id)
            yield dept_id
            department = self.departments.get(dept_id)
            if department is None:
                return
            dept_id = department.parent

    def below(self, dept_id: int) -> Iterator[int]:
        """Yield the department, then all departments below it, depth first."""
        yield dept_id
        for child in self._children.get(dept_id, ()):
            yield from self.below(child)

    def with_parents(self, departments: Iterable[int]) -> tuple[int, ...]:
        """Return the departments and all their parents, each once."""
        return tuple(dict.fromkeys(above for dept_id in departments for above in self.upwards(dept_id)))

    def path(self, dept_id: int) -> str:
        """Return the path from below the root down to the department, such as `研发中心/后端组`."""
        names = [self.name(above) for above in self.upwards(dept_id) if above != ROOT]
        return "/".join(reversed(names)) or self.name(dept_id)

    def find(self, words: str) -> int:
        """Find the id of a department by its number, name or path. Raises NoSuchDepartment."""
        name = words.strip()
        if name.isascii() and name.isdigit():
            # A department outside the app's scope is not in the tree; DingTalk refuses it when it is used.
            return int(name)
        matches = self._ending_with([name]) or self._ending_with(re.split(r"[/>／＞]", name))
        if len(matches) == 1:
            return matches[0]
        if matches:
            paths = "、".join(self.path(dept_id) for dept_id in matches[:5])
            raise NoSuchDepartment(f"叫“{name}”的部门不止一个：{paths}。请写全路径，或者写部门编号")
        raise NoSuchDepartment(f"通讯录里没有叫“{name}”的部门{self._suggestions(name)}")

    def _ending_with(self, path: Sequence[str]) -> list[int]:
        """Find the departments whose path ends with these names."""
        upwards = [folded(part) for part in reversed(path) if part.strip()]
        if not upwards:
            return []
        return [
            dept_id
            for dept_id in self.departments
            if [folded(self.name(above)) for above in self.upwards(dept_id)][: len(upwards)] == upwards
        ]

    def _suggestions(self, words: str) -> str:
        near = sorted(
            (d.name for d in self.departments.values() if set(d.name) & set(words)),
            key=lambda name: (-len(set(name) & set(words)), name),
        )
        return f"。名字相近的有：{'、'.join(near[:3])}" if near else ""


def folded(name: str) -> str:
    """Normalise a name for comparison: width, case and blanks do not matter."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", name)).casefold()


@dataclass(frozen=True, slots=True)
class Teams:
    """The employees by their supervisor's userId; `alone` are those without a supervisor."""

    of: Mapping[str, tuple[Employee, ...]]
    alone: tuple[Employee, ...]


def teams(people: Sequence[Employee], tree: Tree) -> Teams:
    """Group employees by supervisor: the one in the contacts, else the leaders of the nearest department above."""
    leaders: dict[int, list[str]] = {}
    for person in people:
        for dept_id in person.leads:
            leaders.setdefault(dept_id, []).append(person.userid)
    by_supervisor: dict[str, list[Employee]] = {}
    alone = []
    for person in people:
        above = [person.supervisor] if person.supervisor else _leaders_above(person, leaders, tree)
        above = [userid for userid in above if userid != person.userid]
        for userid in above:
            by_supervisor.setdefault(userid, []).append(person)
        if not above:
            alone.append(person)
    return Teams({userid: tuple(team) for userid, team in by_supervisor.items()}, tuple(alone))


def _leaders_above(person: Employee, leaders: Mapping[int, Sequence[str]], tree: Tree) -> Sequence[str]:
    for home in person.departments:
        for dept_id in tree.upwards(home):
            others = [userid for userid in leaders.get(dept_id, ()) if userid != person.userid]
            if others:
                return others
    return ()
