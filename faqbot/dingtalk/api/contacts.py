"""Read people and departments of the contacts over the server API, and add or change a person.

Contacts calls are free of the monthly quota (platform notes, contacts).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from faqbot.dingtalk.api.client import OpenApi
from faqbot.errors import DeliveryError
from faqbot.model.org_chart import ROOT, Department, Employee, Tree

USER_GET = "/topapi/v2/user/get"
USER_BY_MOBILE = "/topapi/v2/user/getbymobile"
USER_BY_UNIONID = "/topapi/user/getbyunionid"
USER_LIST = "/topapi/v2/user/list"
USER_CREATE = "/topapi/v2/user/create"
USER_UPDATE = "/topapi/v2/user/update"
DEPARTMENT_GET = "/topapi/v2/department/get"
DEPARTMENTS_BELOW = "/topapi/v2/department/listsub"
SCOPES = "/auth/scopes"

NO_SUCH_PERSON_CODES = {"33012", "60121"}
OUT_OF_SCOPE_CODES = {"50002", "50004"}
_PAGE_SIZE = 100


async def user(api: OpenApi, userid: str) -> Employee | None:
    """Return the person with this userId; None if there is none. Raises DeliveryError and its children."""
    row = await _result(api, USER_GET, {"userid": userid})
    return _employee(row) if row else None


async def userid_by_mobile(api: OpenApi, mobile: str) -> str | None:
    """Return the userId of the person with this mobile; None if there is none. Raises DeliveryError, its children."""
    row = await _result(api, USER_BY_MOBILE, {"mobile": mobile})
    return str(row["userid"]) if row and row.get("userid") else None


async def userid_by_unionid(api: OpenApi, unionid: str) -> str | None:
    """Return the userId of the person with this unionId; None if there is none. Raises DeliveryError, its children."""
    row = await _result(api, USER_BY_UNIONID, {"unionid": unionid})
    return str(row["userid"]) if row and row.get("userid") else None


async def departments_of(api: OpenApi, userid: str) -> tuple[int, ...]:
    """Return a person's departments without their parents, which `ContactsCache.departments_of` adds."""
    person = await user(api, userid)
    return person.departments if person else ()


async def members(api: OpenApi, dept_id: int) -> tuple[Employee, ...]:
    """Return the people of one department, without those of its subdepartments.

    Their supervisors are missing: only `user` returns them.

    Raises DeliveryError and its children.
    """
    people: list[Employee] = []
    cursor = 0
    while True:
        page = await _result(api, USER_LIST, {"dept_id": dept_id, "cursor": cursor, "size": _PAGE_SIZE}) or {}
        people += (_member(item, dept_id) for item in page.get("list") or ())
        if not page.get("has_more"):
            return tuple(people)
        cursor = int(page["next_cursor"])


async def subdepartments(api: OpenApi, dept_id: int) -> tuple[Department, ...]:
    """Return the departments one level below. Raises DeliveryError and its children."""
    answer = await api.old(DEPARTMENTS_BELOW, {"dept_id": dept_id})
    return tuple(
        Department(int(d["dept_id"]), str(d["name"]), int(d.get("parent_id", dept_id))) for d in answer["result"] or ()
    )


async def tree(api: OpenApi, company: str = "全公司") -> Tree:
    """Return all departments that the app may see, with one call for each. Raises DeliveryError and its children."""
    departments = {ROOT: Department(ROOT, company, ROOT)}
    try:
        first = await subdepartments(api, ROOT)
    except DeliveryError as exc:
        if exc.code not in OUT_OF_SCOPE_CODES:
            raise
        first = await _visible_roots(api)
    unvisited = list(first)
    while unvisited:
        department = unvisited.pop()
        if department.id not in departments:
            departments[department.id] = department
            unvisited += await subdepartments(api, department.id)
    return Tree(departments)


async def _visible_roots(api: OpenApi) -> tuple[Department, ...]:
    """Return the departments that the app was granted where it may not see the whole company."""
    scopes = (await api.old(SCOPES, None)).get("auth_org_scopes") or {}
    roots = []
    for dept_id in scopes.get("authed_dept") or ():
        department = (await api.old(DEPARTMENT_GET, {"dept_id": dept_id}))["result"]
        # Its parents cannot be seen, so it becomes a child of the root.
        roots.append(Department(int(dept_id), str(department["name"]), ROOT))
    return tuple(roots)


async def create(api: OpenApi, fields: Mapping[str, Any]) -> str:
    """Add a person and return the userId. Raises DeliveryError with the code of the reason."""
    answer = await api.old(USER_CREATE, fields)
    return str(answer["result"]["userid"])


async def set_departments(api: OpenApi, userid: str, departments: Sequence[int]) -> None:
    """Replace all departments of a person. Raises DeliveryError and its children."""
    await api.old(USER_UPDATE, {"userid": userid, "dept_id_list": join_ids(departments)})


def join_ids(departments: Sequence[int]) -> str:
    """Join department ids into the one text that DingTalk expects."""
    return ",".join(map(str, departments))


async def _result(api: OpenApi, path: str, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    try:
        answer = await api.old(path, body)
    except DeliveryError as exc:
        if exc.code in NO_SUCH_PERSON_CODES:
            return None
        raise
    result = answer.get("result")
    return result if isinstance(result, Mapping) else None


def _employee(row: Mapping[str, Any]) -> Employee:
    """Read a person. Fields that the app has no permission for are missing without an error."""
    return Employee(
        userid=str(row["userid"]),
        name=str(row.get("name") or ""),
        departments=tuple(int(d) for d in row.get("dept_id_list") or ()),
        leads=tuple(int(d["dept_id"]) for d in row.get("leader_in_dept") or () if d.get("leader")),
        supervisor=str(row.get("manager_userid") or ""),
        mobile=str(row.get("mobile") or ""),
        title=str(row.get("title") or ""),
        unionid=str(row.get("unionid") or ""),
    )


def _member(row: Mapping[str, Any], dept_id: int) -> Employee:
    """Read a person of a list, where `leader` refers to the department of the list."""
    person = _employee(row)
    return replace(person, leads=(dept_id,)) if row.get("leader") else person
