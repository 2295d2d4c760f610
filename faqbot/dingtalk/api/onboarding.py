"""Add a new colleague to the contacts, idempotently, and explain DingTalk's refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Literal

from faqbot.dingtalk.api import contacts
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.dingtalk.wire.contact_fields import Newcomer, mask_mobile, read_newcomer
from faqbot.errors import DeliveryError, NeedsAdmin
from faqbot.model.org_chart import Employee, NoSuchDepartment, folded

_USERID_TAKEN, _MOBILE_TAKEN, _INVITED, _BUSY = "60102", {"60104", "60107"}, "40103", "-1"
_SCOPE_ADVICE = "请到 开发者后台 > 应用 > 权限管理，把“授权范围”扩大到这个部门（或全公司），再办一次"

# By DingTalk's code: what it means and what HR should do (platform notes, user/create).
REFUSALS = {
    "60103": ("手机号格式不对", "请核对手机号；境外号码写成 +852-91234567"),
    "60106": ("这个邮箱已经是别人的", "请核对邮箱，或者先不填邮箱"),
    "60112": ("钉钉不接受这个姓名", "请核对姓名里有没有特殊符号"),
    "60113": ("手机号和邮箱都没有", "请补上手机号"),
    "60128": ("主管不在通讯录里", "请核对主管的 userId，或者先不填主管"),
    "40019": ("这个人已经加入 5 个未认证的企业，不能再加", "请本人先在钉钉里退出一个，再办一次"),
    "40022": ("已经加入的人不能改手机号", "请在管理后台 > 通讯录 里删除后重新添加"),
    "41054": ("已经加入的人不能改手机号", "请在管理后台 > 通讯录 里删除后重新添加"),
    "50002": ("这个人不在应用的授权范围内", _SCOPE_ADVICE),
    "50004": ("部门不在应用的授权范围内", _SCOPE_ADVICE),
    "60003": ("没有这个部门", "请核对部门名称或编号"),
    "60121": ("通讯录里没有这个人", "请核对 userId"),
    "-1": ("系统繁忙", "多半稍后就好；一直这样，可能是本周新增成员或企业总人数到了上限，请到管理后台核对"),
}

OnboardingOutcome = Literal["created", "updated", "present", "invited", "refused"]


@dataclass(frozen=True, slots=True)
class OnboardingResult:
    """The result for one person. `reason` and `advice` are sentences for HR; `code` is DingTalk's, if any."""

    result: OnboardingOutcome
    name: str
    userid: str = ""
    reason: str = ""
    advice: str = ""
    code: str = ""

    @property
    def done(self) -> bool:
        """True if the person is now in the contacts and in all the departments that were asked for."""
        return self.result in ("created", "updated", "present")

    @property
    def line(self) -> str:
        """The result in one line for HR."""
        result = {
            "created": "已添加",
            "updated": "原来就在通讯录里，补上了部门",
            "present": "原来就在通讯录里，没有改动",
            "invited": "已发邀请，等本人同意",
            "refused": "没有添加",
        }[self.result]
        reason = f"：{self.reason}" if self.reason else ""
        advice = f"。{self.advice}" if self.advice else ""
        return f"{self.name or '（没有姓名）'}{f'（{self.userid}）' if self.userid else ''}：{result}{reason}{advice}"


async def add_contact(directory: ContactsCache, fields: Mapping[str, Any], timezone: tzinfo) -> OnboardingResult:
    """Add a person; add the missing departments to one who is in the contacts already.

    A repeat changes nothing. Raises DeliveryError where the same call may work later, StoreError.
    """
    newcomer = read_newcomer(fields, timezone)
    if not isinstance(newcomer, Newcomer):
        name = str(fields.get("name") or fields.get("姓名") or "")
        return OnboardingResult("refused", name, reason="；".join(newcomer), advice="请改正后再办一次")
    try:
        departments = await directory.find_departments(newcomer.departments)
        return await _add(directory, newcomer, departments)
    except NoSuchDepartment as exc:
        return OnboardingResult("refused", newcomer.name, reason=str(exc), advice="请改正部门后再办一次")
    except DeliveryError as exc:
        if exc.code == _BUSY:
            # DingTalk uses the same code for the weekly limit on new members, so the words name both.
            raise DeliveryError("：".join(REFUSALS[_BUSY]), code=_BUSY) from exc
        if not exc.permanent:
            raise
        return _refused(newcomer, exc)


async def _add(directory: ContactsCache, newcomer: Newcomer, departments: Sequence[int]) -> OnboardingResult:
    """Create the person. DingTalk checks that userId and mobile are unique, so nobody is created twice."""
    body = {"name": newcomer.name, "mobile": newcomer.mobile, "dept_id_list": contacts.join_ids(departments)}
    if newcomer.userid:
        body["userid"] = newcomer.userid
    try:
        userid = await contacts.create(directory.api, {**body, **newcomer.optional})
    except DeliveryError as exc:
        if exc.code == _INVITED:
            advice = "请提醒本人在钉钉里同意加入；同意之后再办一次，核对部门"
            return OnboardingResult("invited", newcomer.name, newcomer.userid, advice=advice, code=exc.code)
        if exc.code == _USERID_TAKEN:
            return await _resolve_conflict(directory, newcomer, newcomer.userid, departments, exc)
        if exc.code in _MOBILE_TAKEN:
            userid = await _userid_of_mobile(directory, newcomer)
            return await _resolve_conflict(directory, newcomer, userid, departments, exc)
        raise
    return OnboardingResult("created", newcomer.name, userid)


async def _userid_of_mobile(directory: ContactsCache, newcomer: Newcomer) -> str:
    """Return the userId of the mobile; empty if the app has no permission to ask."""
    try:
        return await contacts.userid_by_mobile(directory.api, newcomer.mobile) or ""
    except NeedsAdmin:
        return ""


async def _resolve_conflict(
    directory: ContactsCache, newcomer: Newcomer, userid: str, departments: Sequence[int], refusal: DeliveryError
) -> OnboardingResult:
    """Add missing departments if the holder of this userId or mobile is the same person, else refuse."""
    by_mobile = refusal.code in _MOBILE_TAKEN
    identity = f"手机号 {mask_mobile(newcomer.mobile)}" if by_mobile else f"userId {newcomer.userid}"
    present = await contacts.user(directory.api, userid) if userid else None
    if present is None:
        reason = f"{identity} 已经有人在用，但应用看不到是谁"
        advice = (
            "请在管理后台 > 通讯录 里搜索核对；要让机器人自己核对，请开通 qyapi_get_member_by_mobile 并扩大授权范围"
        )
        return OnboardingResult("refused", newcomer.name, newcomer.userid, reason, advice, refusal.code)
    if not _is_same_person(newcomer, present):
        reason = f"{identity} 已经是 {present.name}（{present.userid}）的"
        advice = f"请核对{'手机号' if by_mobile else ' userId'}，改正后再办一次"
        return OnboardingResult("refused", newcomer.name, newcomer.userid, reason, advice, refusal.code)
    note = _differences(newcomer, present)
    missing = [dept_id for dept_id in departments if dept_id not in present.departments]
    if not missing:
        return OnboardingResult("present", newcomer.name, present.userid, reason=note)
    await contacts.set_departments(directory.api, present.userid, (*present.departments, *missing))
    return OnboardingResult("updated", newcomer.name, present.userid, reason=note)


def _is_same_person(newcomer: Newcomer, present: Employee) -> bool:
    """Compare the names: two people may share a name, but hardly a userId or mobile as well."""
    return folded(newcomer.name) == folded(present.name)


def _differences(newcomer: Newcomer, present: Employee) -> str:
    """Describe for HR the fields that differ in the contacts and are not changed."""
    differences = []
    if newcomer.userid and newcomer.userid != present.userid:
        differences.append(f"要的 userId 是 {newcomer.userid}，userId 定了就不能改")
    if present.mobile and newcomer.mobile != present.mobile:
        differences.append(
            f"要的手机号是 {mask_mobile(newcomer.mobile)}，通讯录里是 {mask_mobile(present.mobile)}，请核对"
        )
    return "；".join(differences)


def _refused(newcomer: Newcomer, exc: DeliveryError) -> OnboardingResult:
    reason, advice = REFUSALS.get(exc.code, (str(exc), ""))
    return OnboardingResult("refused", newcomer.name, newcomer.userid, reason, advice, exc.code)
