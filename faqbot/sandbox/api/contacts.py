"""The fake contacts API: departments, people, and what the app may see and change."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from faqbot.sandbox.api.old_api import OldApi, OldApiRefusal
from faqbot.sandbox.state.world import World

ROOT = 1
_READ, _LIST, _TREE = "qyapi_get_member", "qyapi_get_department_member", "qyapi_get_department_list"
_BY_MOBILE, _WRITE = "qyapi_get_member_by_mobile", "qyapi_manage_addresslist"
_MOBILE = re.compile(r"1[3-9]\d{9}|\+\d{1,4}-\d{5,15}")
_MAX_LENGTHS = {"name": 80, "userid": 64, "job_number": 50, "title": 200, "email": 50, "telephone": 50, "remark": 2000}
_OPTIONAL = ("title", "job_number", "email", "telephone", "work_place", "remark", "hired_date")


@dataclass(slots=True)
class Member:
    """One person of the company."""

    userid: str
    name: str
    mobile: str
    departments: list[int]
    leads: set[int] = field(default_factory=set)
    supervisor: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def unionid(self) -> str:
        return hashlib.sha256(self.userid.encode()).hexdigest()[:24] + "iE"


class Contacts:
    """`scope` are the departments that the app may see, with all below them; None means everything.

    Mobiles in `to_be_invited` are invited (40103) until `accept`; those in `crowded` belong to five companies already.
    `room` is how many people may still be added; -1 means any number.
    """

    def __init__(self, world: World, oapi: OldApi) -> None:
        self._world = world
        self._oapi = oapi
        self.departments: dict[int, tuple[str, int]] = {}
        self.members: dict[str, Member] = {}
        self.scope: set[int] | None = None
        self.to_be_invited: set[str] = set()
        self.pending: dict[str, Member] = {}
        self.crowded: set[str] = set()
        self.room = -1
        # Mobiles need a permission of their own (企业员工手机号信息); without it the field is missing.
        self.shows_mobile = True
        # DingTalk uses two codes for a mobile that belongs to somebody.
        self.mobile_taken = 60104

    def routes(self) -> list[web.RouteDef]:
        post = self._oapi.post
        return [
            post("/topapi/v2/user/get", _READ, self._get),
            post("/topapi/v2/user/getbymobile", _BY_MOBILE, self._by_mobile),
            post("/topapi/user/getbyunionid", _READ, self._by_unionid),
            post("/topapi/v2/user/list", _LIST, self._list),
            post("/topapi/v2/user/create", _WRITE, self._create),
            post("/topapi/v2/user/update", _WRITE, self._update),
            post("/topapi/v2/department/listsub", _TREE, self._below),
            post("/topapi/v2/department/get", _TREE, self._department),
            self._oapi.get("/auth/scopes", self._scopes),
        ]

    # -- the company, as tests and the sandbox set it up -------------------------------------------

    def add_department(self, name: str, parent: int = ROOT) -> int:
        dept_id = 1001 + len(self.departments)
        self.departments[dept_id] = (name, parent)
        return dept_id

    def hire(
        self,
        name: str,
        departments: Iterable[int] = (ROOT,),
        *,
        userid: str = "",
        mobile: str = "",
        leads: Iterable[int] = (),
        supervisor: str = "",
        **more: Any,
    ) -> Member:
        """Add a person, who can from now on write and be written to."""
        userid = userid or f"staff-{len(self.members) + 1:03d}"
        mobile = mobile or _sample_mobile(userid)
        member = Member(userid, name, mobile, list(departments), set(leads), supervisor, dict(more))
        self.members[userid] = member
        if userid not in self._world.people:
            self._world.add_person(userid, name)
        return member

    def accept(self, mobile: str) -> Member:
        """Let an invited person agree to join."""
        member = self.pending.pop(mobile)
        self.to_be_invited.discard(mobile)
        return self.hire(
            member.name, member.departments, userid=member.userid, mobile=mobile, supervisor=member.supervisor
        )

    def everybody(self) -> list[Member]:
        """Return all people of the company. People who only write in the sandbox are in the root department."""
        for person in list(self._world.people.values()):
            if not person.external and person.id not in self.members:
                self.hire(person.name, userid=person.id)
        return list(self.members.values())

    def find(self, userid: str) -> Member | None:
        if userid not in self.members:
            self.everybody()
        return self.members.get(userid)

    def upwards(self, dept_id: int) -> Iterator[int]:
        """Return the department and its parents up to the root."""
        while dept_id != ROOT and dept_id in self.departments:
            yield dept_id
            dept_id = self.departments[dept_id][1]
        yield ROOT

    # -- reading ----------------------------------------------------------------------------------

    def _get(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        member = self._visible(body.get("userid"))
        leads = [{"dept_id": d, "leader": d in member.leads} for d in member.departments]
        return {
            "result": self._as_json(member) | {"leader_in_dept": leads} | _given("manager_userid", member.supervisor)
        }

    def _as_json(self, member: Member) -> dict[str, Any]:
        fields = {
            "userid": member.userid,
            "unionid": member.unionid,
            "name": member.name,
            "dept_id_list": list(member.departments),
            "active": True,
            "admin": False,
            "boss": False,
            **member.more,
        }
        return fields | (_given("mobile", member.mobile) if self.shows_mobile else {})

    def _by_mobile(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        matches = [m for m in self.everybody() if m.mobile == body.get("mobile")]
        if not matches:
            raise OldApiRefusal(60121, "找不到该用户")
        return {"result": {"userid": self._visible(matches[0].userid).userid}}

    def _by_unionid(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        matches = [m for m in self.everybody() if m.unionid == body.get("unionid")]
        if not matches:
            raise OldApiRefusal(60121, "找不到该用户")
        return {"result": {"contact_type": 0, "userid": self._visible(matches[0].userid).userid}}

    def _list(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        dept_id, cursor, size = (body.get(name) for name in ("dept_id", "cursor", "size"))
        if not isinstance(cursor, int) or not isinstance(size, int) or not 1 <= size <= 100:
            raise OldApiRefusal(400002, "参数错误：cursor、size")
        self._check_department(dept_id)
        members = [m for m in self.everybody() if dept_id in m.departments]
        page = [{**self._as_json(m), "leader": dept_id in m.leads} for m in members[cursor : cursor + size]]
        has_more = cursor + size < len(members)
        return {"result": {"list": page, "has_more": has_more} | ({"next_cursor": cursor + size} if has_more else {})}

    def _below(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        parent_id = body.get("dept_id")
        self._check_department(parent_id)
        return {
            "result": [
                {"dept_id": d, "name": name, "parent_id": parent, "create_dept_group": True, "auto_add_user": True}
                for d, (name, parent) in self.departments.items()
                if parent == parent_id
            ]
        }

    def _department(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        dept_id = body.get("dept_id")
        self._check_department(dept_id)
        name, parent = self.departments.get(dept_id, ("", ROOT)) if isinstance(dept_id, int) else ("", ROOT)
        return {"result": {"dept_id": dept_id, "name": name, "parent_id": parent}}

    def _scopes(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        department_ids = [ROOT] if self.scope is None else sorted(self.scope)
        return {"auth_user_field": ["name"], "auth_org_scopes": {"authed_dept": department_ids, "authed_user": []}}

    # -- writing ----------------------------------------------------------------------------------

    def _create(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        departments = self._departments(body.get("dept_id_list"))
        name, mobile = body.get("name"), body.get("mobile")
        if not mobile:
            raise OldApiRefusal(60113, "手机号和邮箱不能都为空")
        if not isinstance(name, str) or not name.strip():
            raise OldApiRefusal(60112, "不合法的姓名")
        _check_lengths(body)
        if not isinstance(mobile, str) or not _MOBILE.fullmatch(mobile):
            raise OldApiRefusal(60103, "手机号码不合法，国外手机号请使用 +xx-xxxxxx 格式")
        self._check_unique(body, mobile)
        if body.get("manager_userid") and self.find(body["manager_userid"]) is None:
            raise OldApiRefusal(60128, "主管不存在")
        if mobile in self.crowded:
            raise OldApiRefusal(40019, "该用户已加入5个未认证企业")
        userid = str(body.get("userid") or f"made-{len(self.members) + len(self.pending) + 1:04d}")
        more = {key: body[key] for key in _OPTIONAL if body.get(key)}
        supervisor = str(body.get("manager_userid") or "")
        if mobile in self.to_be_invited:
            self.pending[mobile] = Member(userid, name, mobile, departments, supervisor=supervisor, more=more)
            raise OldApiRefusal(40103, "已发送邀请，等待对方同意")
        if not self.room:
            raise OldApiRefusal(-1, "系统繁忙")
        self.room -= self.room > 0
        member = self.hire(name, departments, userid=userid, mobile=mobile, supervisor=supervisor, **more)
        return {"result": {"userid": member.userid, "unionId": member.unionid}}

    def _check_unique(self, body: Mapping[str, Any], mobile: str) -> None:
        everybody = self.everybody()
        if body.get("userid") in self.members:
            raise OldApiRefusal(60102, "UserID在公司中已存在")
        if any(m.mobile == mobile for m in everybody):
            raise OldApiRefusal(self.mobile_taken, "手机号码在公司中已存在")
        if body.get("email") and any(m.more.get("email") == body["email"] for m in everybody):
            raise OldApiRefusal(60106, "邮箱在公司中已存在")

    def _update(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        member = self._visible(body.get("userid"))
        if body.get("mobile", member.mobile) != member.mobile:
            raise OldApiRefusal(40022, "企业中的手机号码和登录钉钉的手机号码不一致，暂时不支持修改用户信息")
        if "dept_id_list" in body:
            member.departments = self._departments(body["dept_id_list"])
        return {}

    def _departments(self, text: Any) -> list[int]:
        """Read the departments of a write: one text with commas. Raises Refused."""
        if not isinstance(text, str) or not re.fullmatch(r"\d+(?:,\d+)*", text):
            raise OldApiRefusal(400002, "参数错误：dept_id_list")
        departments = [int(part) for part in text.split(",")]
        if len(departments) > 100:
            raise OldApiRefusal(400002, "参数错误：dept_id_list 最多 100 个")
        for dept_id in departments:
            self._check_department(dept_id)
        return departments

    # -- what the app may see -----------------------------------------------------------------------

    def _check_department(self, dept_id: Any) -> None:
        if dept_id != ROOT and dept_id not in self.departments:
            raise OldApiRefusal(60003, "部门不存在")
        if not self._in_scope([dept_id]):
            raise OldApiRefusal(50004, "企业中的部门不在授权范围")

    def _visible(self, userid: Any) -> Member:
        if not isinstance(userid, str) or not userid:
            raise OldApiRefusal(400002, "参数错误：userid")
        member = self.find(userid)
        if member is None:
            raise OldApiRefusal(60121, "找不到该用户")
        if not self._in_scope(member.departments):
            raise OldApiRefusal(50002, "企业中的用户不在授权范围")
        return member

    def _in_scope(self, departments: Sequence[int]) -> bool:
        return self.scope is None or any(above in self.scope for d in departments for above in self.upwards(d))


def _given(name: str, value: str) -> dict[str, str]:
    return {name: value} if value else {}


def _check_lengths(body: Mapping[str, Any]) -> None:
    for name, limit in _MAX_LENGTHS.items():
        value = body.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > limit):
            raise OldApiRefusal(400002, f"参数错误：{name}")


def _sample_mobile(userid: str) -> str:
    """Return the same number for the same person, with a prefix that ordinary numbers do not have."""
    return f"190{int(hashlib.sha256(userid.encode()).hexdigest(), 16) % 10**8:08d}"
