"""Command 名单: list the people of a department, for administrators."""

from __future__ import annotations

from collections.abc import Collection

from faqbot.access.authorization import not_possible, refusal
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.errors import DeliveryError
from faqbot.markup.escaping import escape_markdown
from faqbot.model.commands import Command, CommandResult
from faqbot.model.messages import Message
from faqbot.model.org_chart import Employee, NoSuchDepartment, Tree

_MAX_NAMES = 200


class MembersCommand:
    """Lists the people of a department and of those below it."""

    def __init__(self, contacts: ContactsCache, admins: Collection[str]) -> None:
        self._contacts = contacts
        self._admins = admins

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        if no := refusal(message, self._admins, "查名单"):
            return no
        try:
            (dept_id,) = await self._contacts.find_departments([command.text])
            tree = await self._contacts.tree()
            people = await self._contacts.people_below([dept_id])
        except (NoSuchDepartment, DeliveryError) as exc:
            return not_possible("查名单", exc)
        return CommandResult("名单", _list(tree, dept_id, people))


def _list(tree: Tree, dept_id: int, people: Collection[Employee]) -> str:
    lines = [f"**{escape_markdown(tree.path(dept_id))}**（含下级）共 {len(people)} 人："]
    names_left = _MAX_NAMES
    for below in tree.below(dept_id):
        names = [_name(person, below) for person in people if below in person.departments]
        if names and names_left > 0:
            name_list = "、".join(names[:names_left]) + ("…" if len(names) > names_left else "")
            lines.append(f"- {escape_markdown(tree.name(below))}（{len(names)}）：{name_list}")
            names_left -= len(names)
    if names_left <= 0:
        lines.append("人太多，只列出一部分；请写更小的部门。")
    return "\n".join([lines[0], "", *lines[1:]])


def _name(person: Employee, dept_id: int) -> str:
    notes = [escape_markdown(person.title, 20)] if person.title else []
    notes += ["负责人"] if dept_id in person.leads else []
    return escape_markdown(person.name) + (f"（{'，'.join(notes)}）" if notes else "")
