"""A new colleague into the contacts: what the fields may be, what DingTalk refuses, and that nobody comes twice."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from faqbot.automation.add_contact import AddContactAction
from faqbot.automation.executor import ActionFailed
from faqbot.dingtalk.api import contacts
from faqbot.dingtalk.api.onboarding import REFUSALS, OnboardingResult, add_contact
from faqbot.dingtalk.api.robot import notice_content
from faqbot.dingtalk.wire.contact_fields import Newcomer, read_newcomer
from faqbot.errors import DeliveryError
from faqbot.outbox.outbox import Outbox
from faqbot.store.protocol import Store
from tests.company import Company

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW = {"userid": "sun", "name": "孙悦", "mobile": "13900000001", "departments": ["后端组"]}


async def add(company: Company, **change: Any) -> OnboardingResult:
    return await add_contact(company.directory, {**NEW, **change}, SHANGHAI)


async def test_hr_reads_names_and_fields_of_another_system_as_plain_text(company: Company, store: Store) -> None:
    outbox = Outbox(store, {})
    joining = AddContactAction(company.directory, outbox, SHANGHAI, ("hr01",))
    with pytest.raises(ActionFailed):
        await joining.add({**NEW, "name": "[点这里](https://evil.example)", "mobile": "1"}, "job:x:1")
    (notice,) = await outbox.waiting()
    content = notice_content(notice)
    assert content["msgKey"] == "sampleText"
    assert "[点这里](https://evil.example)" in content["msgParam"]


# -- the fields -------------------------------------------------------------------------------------


def test_chinese_names_of_fields_are_equal_citizens() -> None:
    fields = {"姓名": " 孙悦 ", "手机": "139 0000 0001", "部门": "后端组、市场部", "入职日期": "2026/3/1", "职位": ""}
    newcomer = read_newcomer(fields, SHANGHAI)
    assert newcomer == Newcomer("孙悦", "13900000001", ("后端组", "市场部"), optional={"hired_date": 1772294400000})


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("13900000001", "13900000001"),
        (13900000001, "13900000001"),
        ("+86 139-0000-0001", "13900000001"),
        ("008613900000001", "13900000001"),
        ("１３９００００００００１", ""),
        ("１３９０００００００１", "13900000001"),
        ("+852-9123 4567", "+852-91234567"),
        ("+852 91234567", ""),
        ("1390000000", ""),
        ("不知道", ""),
    ],
)
def test_a_mobile_is_sent_as_dingtalk_wants_it_or_refused(written: Any, sent: str) -> None:
    newcomer = read_newcomer({**NEW, "mobile": written}, SHANGHAI)
    assert (newcomer.mobile if isinstance(newcomer, Newcomer) else "") == sent


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "缺少姓名"),
        ({"name": "孙" * 81}, "姓名最多 80 个字，这里有 81 个"),
        ({"mobile": None}, "缺少手机号"),
        ({"mobile": "12345"}, "手机号“12345”不对"),
        ({"mobile": "139000000012"}, "手机号“139****0012”不对"),
        ({"departments": []}, "缺少部门"),
        ({"departments": [str(n) for n in range(101)]}, "部门最多 100 个"),
        ({"userid": "x" * 65}, "用户编号最多 64 个字"),
        ({"email": "sun.example.com"}, "邮箱“sun.example.com”不对"),
        ({"hired_date": "2026-02-30"}, "入职日期“2026-02-30”不对：写成 2026-03-01"),
        ({"hide_mobile": "也许"}, "写“是”或“否”"),
        ({"extension": "[1]"}, "JSON 对象"),
        ({"moblie": "1"}, "不认识的字段“moblie”"),
    ],
)
def test_what_is_wrong_with_a_field_is_said_in_words(change: dict[str, Any], says: str) -> None:
    problems = read_newcomer({**NEW, **change}, SHANGHAI)
    assert not isinstance(problems, Newcomer) and any(says in problem for problem in problems)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    problems = read_newcomer({"mobile": "1", "title": "经" * 201}, SHANGHAI)
    assert not isinstance(problems, Newcomer) and len(problems) == 4


# -- one person -------------------------------------------------------------------------------------


async def test_a_new_colleague_is_created_with_what_was_given(company: Company) -> None:
    outcome = await add(company, title="工程师", hired_date="2026-03-01", manager_userid="zhou")
    assert (outcome.result, outcome.userid, outcome.done) == ("created", "sun", True)
    body = next(c.body for c in company.ding.oapi.calls if c.path == contacts.USER_CREATE)
    assert body == {
        "name": "孙悦", "mobile": "13900000001", "userid": "sun", "dept_id_list": str(company.backend),
        "title": "工程师", "hired_date": 1772294400000, "manager_userid": "zhou",
    }  # fmt: skip


async def test_the_same_person_again_is_present_and_nothing_is_changed(company: Company) -> None:
    await add(company)
    outcome = await add(company)
    assert (outcome.result, outcome.userid) == ("present", "sun")
    assert company.calls(contacts.USER_UPDATE) == 0 and len(company.ding.contacts.everybody()) == 4


async def test_the_departments_that_are_missing_are_added_and_the_others_kept(company: Company) -> None:
    await add(company)
    outcome = await add(company, departments=["市场部", "后端组"])
    assert outcome.result == "updated" and "补上了部门" in outcome.line
    assert company.ding.contacts.members["sun"].departments == [company.backend, company.market]


@pytest.mark.parametrize("code", [60104, 60107])
async def test_a_person_without_a_userid_is_recognised_by_the_mobile(company: Company, code: int) -> None:
    company.ding.contacts.mobile_taken = code
    first = await add(company, userid="")
    again = await add(company, userid="")
    assert (first.result, again.result, again.userid) == ("created", "present", first.userid)


async def test_a_person_who_is_there_under_another_userid_is_said_to_be(company: Company) -> None:
    outcome = await add(company, userid="li-2", name="小李", mobile="13800000001", departments=["后端组"])
    assert (outcome.result, outcome.userid) == ("present", "li") and "要的 userId 是 li-2" in outcome.reason


async def test_another_mobile_in_the_contacts_is_reported_and_not_shown_in_full(company: Company) -> None:
    outcome = await add(company, userid="li", name="小李")
    assert outcome.result == "present" and "139****0001，通讯录里是 138****0001" in outcome.reason


@pytest.mark.parametrize(
    ("change", "code", "reason", "advice"),
    [
        ({"mobile": "13800000001"}, "60104", "手机号 138****0001 已经是 小李（li）的", "核对手机号"),
        ({"userid": "wang"}, "60102", "userId wang 已经是 小王（wang）的", "核对 userId"),
        ({"email": "a@example.com"}, "60106", "邮箱", "核对邮箱"),
        ({"mobile": "+852-1234"}, "60103", "手机号格式不对", "核对手机号"),
        ({"departments": ["9999"]}, "60003", "没有这个部门", "核对部门"),
        ({"departments": ["财务部"]}, "", "没有叫“财务部”的部门", "改正部门"),
        ({"manager_userid": "nobody"}, "60128", "主管不在通讯录里", "主管"),
        ({"mobile": "13700000005"}, "40019", "5 个未认证的企业", "退出一个"),
    ],
)
async def test_each_refusal_says_why_and_what_to_do(
    company: Company, change: dict[str, Any], code: str, reason: str, advice: str
) -> None:
    company.ding.contacts.hire("小陈", userid="chen", email="a@example.com")
    company.ding.contacts.crowded.add("13700000005")
    outcome = await add(company, **change)
    assert (outcome.result, outcome.code) == ("refused", code)
    assert reason in outcome.reason and advice in outcome.advice and outcome.line.endswith(outcome.advice)
    assert "sun" not in company.ding.contacts.members


def test_every_refusal_has_a_reason_and_something_to_do() -> None:
    assert all(reason and advice for reason, advice in REFUSALS.values())


async def test_a_wrong_field_is_refused_without_a_call(company: Company) -> None:
    outcome = await add(company, mobile="12345")
    assert outcome.result == "refused" and not company.ding.oapi.calls


async def test_an_invitation_is_an_outcome_of_its_own_and_can_be_finished_later(company: Company) -> None:
    company.ding.contacts.to_be_invited.add(str(NEW["mobile"]))
    outcome = await add(company)
    assert (outcome.result, outcome.done) == ("invited", False) and "同意" in outcome.line
    company.ding.contacts.accept(str(NEW["mobile"]))
    assert (await add(company)).result == "present"


async def test_a_holder_the_app_cannot_look_up_is_reported(company: Company) -> None:
    company.ding.oapi.granted.discard("qyapi_get_member_by_mobile")
    outcome = await add(company, mobile="13800000001")
    assert outcome.result == "refused" and "qyapi_get_member_by_mobile" in outcome.advice


async def test_a_missing_permission_is_refused_with_its_name(company: Company) -> None:
    company.ding.oapi.granted.discard("qyapi_manage_addresslist")
    assert "qyapi_manage_addresslist" in (await add(company)).reason


async def test_a_busy_answer_may_be_tried_again_and_names_the_other_cause(company: Company) -> None:
    company.ding.contacts.room = 0
    with pytest.raises(DeliveryError, match="本周新增成员") as caught:
        await add(company)
    assert not caught.value.permanent


@pytest.mark.parametrize("fault", ["reset", "busy", "gateway_timeout"])
async def test_a_call_without_a_clear_answer_is_repeated_without_harm(company: Company, fault: str) -> None:
    await company.directory.tree()
    company.ding.faults.update({"api_fault": fault, "api_fail_next": 1})
    with pytest.raises(DeliveryError):
        await add(company)
    assert (await add(company)).result == "created"


# -- twenty people ----------------------------------------------------------------------------------


async def test_of_twenty_people_three_are_reported_and_a_second_run_creates_nobody(company: Company) -> None:
    company.ding.contacts.scope = {company.research}
    people = [
        {"userid": f"new-{n:02d}", "name": f"新人{n}", "mobile": f"1390000{n:04d}", "departments": ["研发中心/前端组"]}
        for n in range(20)
    ]
    people[3]["mobile"] = "13800000001"  # 小李 has it
    people[8]["mobile"] = "1380000"
    people[15]["departments"] = [str(company.market)]

    first = [await add_contact(company.directory, fields, SHANGHAI) for fields in people]
    assert [o.result for o in first].count("created") == 17
    refused = {n: o for n, o in enumerate(first) if o.result == "refused"}
    assert set(refused) == {3, 8, 15} and all(o.reason and o.advice for o in refused.values())
    assert "小李" in refused[3].reason and "11 位" in refused[8].reason and "授权范围" in refused[15].reason

    before = len(company.ding.contacts.everybody())
    second = [await add_contact(company.directory, fields, SHANGHAI) for fields in people]
    assert [o.result for o in second].count("present") == 17 and len(company.ding.contacts.everybody()) == before
    assert {n for n, o in enumerate(second) if o.result == "refused"} == {3, 8, 15}
