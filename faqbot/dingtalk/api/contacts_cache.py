"""The contacts looked up once a day: who stands in which departments, parents included."""

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

DAY = 86400.0
_TREE = "contacts:tree"
_EVERYBODY = "contacts:everybody"


class ContactsCache:
    """`api` for calls that must be fresh; what is remembered is shared between replicas, without mobile numbers."""

    def __init__(self, api: OpenApi, notes: NoteStore) -> None:
        self.api = api
        self._notes = notes

    async def tree(self, *, fresh: bool = False) -> Tree:
        """All departments. Raises DeliveryError and its children, StoreError."""
        kept = None if fresh else await self._notes.note(_TREE)
        if kept is not None:
            departments = [Department(*row) for row in json.loads(kept)]
            return Tree({d.id: d for d in departments})
        found = await contacts.tree(self.api)
        rows = [(d.id, d.name, d.parent) for d in found.departments.values()]
        await self._notes.put_note(_TREE, json.dumps(rows, ensure_ascii=False), DAY)
        return found

    async def person(self, userid: str, *, fresh: bool = False) -> Employee | None:
        """Somebody without their mobile; None if the company has no such person.

        Raises DeliveryError and its children, StoreError.
        """
        key = f"contacts:person:{userid}"
        kept = None if fresh else await self._notes.note(key)
        if kept is not None:
            return from_json(Employee, kept)
        found = await contacts.user(self.api, userid)
        if found is None:
            return None
        found = replace(found, mobile="")
        await self._notes.put_note(key, to_json(found), DAY)
        return found

    async def departments_of(self, userid: str) -> tuple[int, ...]:
        """The departments a person stands in and all that those belong to; nothing for a stranger.

        Raises DeliveryError and its children, StoreError.
        """
        person = await self.person(userid)
        return (await self.tree()).with_parents(person.departments) if person else ()

    async def find_departments(self, words: Sequence[str]) -> tuple[int, ...]:
        """The departments that are called so, by number, name or path; a new one is found at once.

        Raises NoSuchDepartment, DeliveryError and its children, StoreError.
        """
        if all(word.strip().isascii() and word.strip().isdigit() for word in words):
            return tuple(dict.fromkeys(int(word) for word in words))
        try:
            known = await self.tree()
            return tuple(dict.fromkeys(known.find(word) for word in words))
        except NoSuchDepartment:
            known = await self.tree(fresh=True)
            return tuple(dict.fromkeys(known.find(word) for word in words))

    async def people_below(self, departments: Sequence[int]) -> tuple[Employee, ...]:
        """Everybody in these departments and below them, each once; without supervisors, as in `contacts.members`.

        Raises DeliveryError and its children, StoreError.
        """
        known = await self.tree()
        wanted = dict.fromkeys(below for dept_id in departments for below in known.below(dept_id))
        people: dict[str, Employee] = {}
        for dept_id in wanted:
            for person in await self._members(dept_id):
                before = people.get(person.userid)
                leads = (*before.leads, *person.leads) if before else person.leads
                people[person.userid] = replace(person, leads=leads)
        return tuple(people.values())

    async def named(self, words: str) -> tuple[Employee, ...]:
        """Those of this name, or the one of this userId; looked up once a day, a name nobody has at once.

        Raises DeliveryError and its children, StoreError.
        """
        for fresh in (False, True):
            everybody = await self._everybody(fresh=fresh)
            found = tuple(p for p in everybody if words == p.userid or folded(words) == folded(p.name))
            if found:
                return found
        return ()

    async def _everybody(self, *, fresh: bool) -> tuple[Employee, ...]:
        kept = None if fresh else await self._notes.note(_EVERYBODY)
        if kept is not None:
            return tuple(Employee(userid, name, tuple(at)) for userid, name, at in json.loads(kept))
        found = await self.people_below((ROOT,))
        rows = [(p.userid, p.name, p.departments) for p in found]
        await self._notes.put_note(_EVERYBODY, json.dumps(rows, ensure_ascii=False), DAY)
        return found

    async def _members(self, dept_id: int) -> tuple[Employee, ...]:
        try:
            return await contacts.members(self.api, dept_id)
        except DeliveryError as exc:
            # Where the app may see a part of the company only, the root is not in it.
            if dept_id == ROOT and exc.code in contacts.OUT_OF_SCOPE:
                return ()
            raise
