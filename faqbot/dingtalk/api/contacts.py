"""The contacts over the server API: people, departments, and the calls that add and change a person.

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

NOBODY = {"33012", "60121"}
OUT_OF_SCOPE = {"50002", "50004"}
_PAGE = 100


async def user(api: OpenApi, userid: str) -> Employee | None:
    """The person with this userId; None if the company has none. Raises DeliveryError and its children."""
    found = await _result(api, USER_GET, {"userid": userid})
    return _employee(found) if found else None


async def userid_by_mobile(api: OpenApi, mobile: str) -> str | None:
    """Whose mobile this is; None if nobody's. Raises DeliveryError and its children."""
    found = await _result(api, USER_BY_MOBILE, {"mobile": mobile})
    return str(found["userid"]) if found and found.get("userid") else None


async def userid_by_unionid(api: OpenApi, unionid: str) -> str | None:
    """Whose unionId this is; None if nobody's. Raises DeliveryError and its children."""
    found = await _result(api, USER_BY_UNIONID, {"unionid": unionid})
    return str(found["userid"]) if found and found.get("userid") else None


async def departments_of(api: OpenApi, userid: str) -> tuple[int, ...]:
    """The departments a person stands in, without their parents: `Directory.departments_of` adds those."""
    found = await user(api, userid)
    return found.departments if found else ()


async def members(api: OpenApi, dept_id: int) -> tuple[Employee, ...]:
    """The people of one department, those below it not; without supervisors, which only `user` tells.

    Raises DeliveryError and its children.
    """
    people: list[Employee] = []
    cursor = 0
    while True:
        page = await _result(api, USER_LIST, {"dept_id": dept_id, "cursor": cursor, "size": _PAGE}) or {}
        people += (_member(item, dept_id) for item in page.get("list") or ())
        if not page.get("has_more"):
            return tuple(people)
        cursor = int(page["next_cursor"])


async def below(api: OpenApi, dept_id: int) -> tuple[Department, ...]:
    """The departments one level below. Raises DeliveryError and its children."""
    answer = await api.old(DEPARTMENTS_BELOW, {"dept_id": dept_id})
    return tuple(
        Department(int(d["dept_id"]), str(d["name"]), int(d.get("parent_id", dept_id))) for d in answer["result"] or ()
    )


async def tree(api: OpenApi, company: str = "全公司") -> Tree:
    """All departments the app may see, level by level, one call for each. Raises DeliveryError and its children."""
    found = {ROOT: Department(ROOT, company, ROOT)}
    try:
        first = await below(api, ROOT)
    except DeliveryError as exc:
        if exc.code not in OUT_OF_SCOPE:
            raise
        first = await _tops(api)
    waiting = list(first)
    while waiting:
        department = waiting.pop()
        if department.id not in found:
            found[department.id] = department
            waiting += await below(api, department.id)
    return Tree(found)


async def _tops(api: OpenApi) -> tuple[Department, ...]:
    """The departments the app was given where it may not see the whole company."""
    scopes = (await api.old(SCOPES, None)).get("auth_org_scopes") or {}
    tops = []
    for dept_id in scopes.get("authed_dept") or ():
        shown = (await api.old(DEPARTMENT_GET, {"dept_id": dept_id}))["result"]
        # What is above it cannot be seen; it hangs from the root.
        tops.append(Department(int(dept_id), str(shown["name"]), ROOT))
    return tuple(tops)


async def create(api: OpenApi, fields: Mapping[str, Any]) -> str:
    """Add a person; the userId. Raises DeliveryError with the code that says why not."""
    answer = await api.old(USER_CREATE, fields)
    return str(answer["result"]["userid"])


async def put_into(api: OpenApi, userid: str, departments: Sequence[int]) -> None:
    """Set all the departments a person stands in. Raises DeliveryError and its children."""
    await api.old(USER_UPDATE, {"userid": userid, "dept_id_list": joined(departments)})


def joined(departments: Sequence[int]) -> str:
    """Departments as DingTalk wants them when it is told: one text."""
    return ",".join(map(str, departments))


async def _result(api: OpenApi, path: str, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    try:
        answer = await api.old(path, body)
    except DeliveryError as exc:
        if exc.code in NOBODY:
            return None
        raise
    result = answer.get("result")
    return result if isinstance(result, Mapping) else None


def _employee(found: Mapping[str, Any]) -> Employee:
    """Fields the app has no permission for are simply missing."""
    return Employee(
        userid=str(found["userid"]),
        name=str(found.get("name") or ""),
        departments=tuple(int(d) for d in found.get("dept_id_list") or ()),
        leads=tuple(int(d["dept_id"]) for d in found.get("leader_in_dept") or () if d.get("leader")),
        supervisor=str(found.get("manager_userid") or ""),
        mobile=str(found.get("mobile") or ""),
        title=str(found.get("title") or ""),
        unionid=str(found.get("unionid") or ""),
    )


def _member(found: Mapping[str, Any], dept_id: int) -> Employee:
    """A list says `leader` for the department that was asked for."""
    person = _employee(found)
    return replace(person, leads=(dept_id,)) if found.get("leader") else person
