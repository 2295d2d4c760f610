"""Cache of contacts, refreshed daily: people, departments, and memberships including parent departments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from faqbot.dingtalk.api import contacts
from faqbot.dingtalk.api.client import OpenApi
from faqbot.errors import DeliveryError
from faqbot.model.org_chart import ROOT, Department, Employee, NoSuchDepartment, Tree, folded
from faqbot.store.json_records import from_json, to_json
from faqbot.store.protocol import NoteStore

DAY_SECONDS = 86400.0
_TREE = "contacts:tree"
_EVERYBODY = "contacts:everybody"


class ContactsCache:
    """Replicas share the cache, which holds no mobile numbers. Use `api` for calls whose answer must be fresh."""

    def __init__(self, api: OpenApi, notes: NoteStore) -> None:
        self.api = api
        self._notes = notes

    async def tree(self, *, fresh: bool = False) -> Tree:
        """Return all departments. Raises DeliveryError and its children, StoreError."""
        cached = None if fresh else await self._notes.note(_TREE)
        if cached is not None:
            departments = [Department(*row) for row in json.loads(cached)]
            return Tree({d.id: d for d in departments})
        tree = await contacts.tree(self.api)
        rows = [(d.id, d.name, d.parent) for d in tree.departments.values()]
        await self._notes.put_note(_TREE, json.dumps(rows, ensure_ascii=False), DAY_SECONDS)
        return tree

    async def person(self, userid: str, *, fresh: bool = False) -> Employee | None:
        """Return a person without the mobile number; None if the company has no such person.

        Raises DeliveryError and its children, StoreError.
        """
        key = f"contacts:person:{userid}"
        cached = None if fresh else await self._notes.note(key)
        if cached is not None:
            return from_json(Employee, cached)
        person = await contacts.user(self.api, userid)
        if person is None:
            return None
        person = replace(person, mobile="")
        await self._notes.put_note(key, to_json(person), DAY_SECONDS)
        return person

    async def departments_of(self, userid: str) -> tuple[int, ...]:
        """Return the departments of a person and all their parents; nothing for a stranger.

        Raises DeliveryError and its children, StoreError.
        """
        person = await self.person(userid)
        return (await self.tree()).with_parents(person.departments) if person else ()

    async def find_departments(self, words: Sequence[str]) -> tuple[int, ...]:
        """Return the departments of these numbers, names or paths; look an unknown name up afresh.

        Raises NoSuchDepartment, DeliveryError and its children, StoreError.
        """
        if all(word.strip().isascii() and word.strip().isdigit() for word in words):
            return tuple(dict.fromkeys(int(word) for word in words))
        try:
            tree = await self.tree()
            return tuple(dict.fromkeys(tree.find(word) for word in words))
        except NoSuchDepartment:
            tree = await self.tree(fresh=True)
            return tuple(dict.fromkeys(tree.find(word) for word in words))

    async def people_below(self, departments: Sequence[int]) -> tuple[Employee, ...]:
        """Return everybody in these departments and below, each once; without supervisors, as `contacts.members`.

        Raises DeliveryError and its children, StoreError.
        """
        tree = await self.tree()
        department_ids = dict.fromkeys(below for dept_id in departments for below in tree.below(dept_id))
        people: dict[str, Employee] = {}
        for dept_id in department_ids:
            for person in await self._members(dept_id):
                other = people.get(person.userid)
                leads = (*other.leads, *person.leads) if other else person.leads
                people[person.userid] = replace(person, leads=leads)
        return tuple(people.values())

    async def find_people(self, name: str) -> tuple[Employee, ...]:
        """Return the people of this name or userId; look an unknown name up afresh.

        Raises DeliveryError and its children, StoreError.
        """
        for fresh in (False, True):
            everybody = await self._everybody(fresh=fresh)
            people = tuple(p for p in everybody if name == p.userid or folded(name) == folded(p.name))
            if people:
                return people
        return ()

    async def _everybody(self, *, fresh: bool) -> tuple[Employee, ...]:
        cached = None if fresh else await self._notes.note(_EVERYBODY)
        if cached is not None:
            return tuple(Employee(userid, name, tuple(departments)) for userid, name, departments in json.loads(cached))
        people = await self.people_below((ROOT,))
        rows = [(p.userid, p.name, p.departments) for p in people]
        await self._notes.put_note(_EVERYBODY, json.dumps(rows, ensure_ascii=False), DAY_SECONDS)
        return people

    async def _members(self, dept_id: int) -> tuple[Employee, ...]:
        try:
            return await contacts.members(self.api, dept_id)
        except DeliveryError as exc:
            # An app that may see only a part of the company may not list the root.
            if dept_id == ROOT and exc.code in contacts.OUT_OF_SCOPE_CODES:
                return ()
            raise
