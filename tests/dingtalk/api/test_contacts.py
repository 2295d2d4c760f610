"""The contacts as the real client reads them from the stand-in, and what is remembered of them for a day."""

from __future__ import annotations

import pytest

from faqbot.dingtalk.api import contacts
from faqbot.errors import DeliveryError, NeedsAdmin
from faqbot.model.org_chart import ROOT, Department, NoSuchDepartment, Tree
from tests.company import Company

TREE = Tree(
    {
        d.id: d
        for d in (
            Department(ROOT, "全公司", ROOT),
            Department(2, "研发中心", ROOT),
            Department(3, "后端组", 2),
            Department(4, "华东", ROOT),
            Department(5, "销售部", 4),
            Department(6, "华南", ROOT),
            Department(7, "销售部", 6),
            Department(8, "行政/人事部", ROOT),
        )
    }
)


# -- the tree ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("后端组", 3),
        (" 后 端组 ", 3),
        ("研发中心/后端组", 3),
        ("研发中心 ＞ 后端组", 3),
        ("华南/销售部", 7),
        ("行政/人事部", 8),
        ("5", 5),
        ("99", 99),
    ],
)
def test_a_department_is_found_by_number_name_or_path(words: str, expected: int) -> None:
    assert TREE.find(words) == expected


@pytest.mark.parametrize(
    ("words", "says"),
    [("销售部", "华东/销售部、华南/销售部"), ("后端部", "相近的有：后端组"), ("", "没有"), ("/", "没有")],
)
def test_words_for_no_department_or_for_two_say_which_there_are(words: str, says: str) -> None:
    with pytest.raises(NoSuchDepartment, match=says):
        TREE.find(words)


def test_a_departments_parents_and_what_is_below_it_are_known() -> None:
    assert TREE.with_parents([3, 2]) == (3, 2, ROOT)
    assert list(TREE.below(2)) == [2, 3] and set(TREE.below(ROOT)) == set(TREE.departments)
    assert (TREE.path(3), TREE.path(ROOT), TREE.path(99)) == ("研发中心/后端组", "全公司", "部门 99")


def test_departments_that_are_each_others_parents_do_not_go_on_for_ever() -> None:
    assert Tree({2: Department(2, "甲", 3), 3: Department(3, "乙", 2)}).with_parents([2]) == (2, 3)


# -- calls ------------------------------------------------------------------------------------------


async def test_a_person_is_read_with_departments_and_supervisor(company: Company) -> None:
    li = await contacts.user(company.api, "li")
    assert li is not None
    assert (li.name, li.departments, li.supervisor, li.title) == ("小李", (company.backend,), "zhou", "工程师")
    zhou = await contacts.user(company.api, "zhou")
    assert zhou is not None and zhou.leads == (company.research,)
    assert await contacts.departments_of(company.api, "li") == (company.backend,)


async def test_somebody_the_company_does_not_have_is_none(company: Company) -> None:
    assert await contacts.user(company.api, "nobody") is None
    assert await contacts.userid_by_mobile(company.api, "13999999999") is None
    assert await contacts.userid_by_unionid(company.api, "nothing") is None
    assert await contacts.departments_of(company.api, "nobody") == ()


async def test_a_person_is_found_by_mobile_and_by_unionid(company: Company) -> None:
    li = await contacts.user(company.api, "li")
    assert li is not None and await contacts.userid_by_unionid(company.api, li.unionid) == "li"
    assert await contacts.userid_by_mobile(company.api, "13800000001") == "li"


async def test_a_mobile_the_app_may_not_see_is_empty(company: Company) -> None:
    company.ding.contacts.shows_mobile = False
    li = await contacts.user(company.api, "li")
    assert li is not None and li.mobile == ""


async def test_members_are_read_page_by_page_with_who_leads(company: Company) -> None:
    for number in range(250):
        company.ding.contacts.hire(f"店员{number}", [company.market], leads=[company.market] if number == 7 else ())
    people = await contacts.members(company.api, company.market)
    assert len({p.userid for p in people}) == len(people) == 251
    assert [p.name for p in people if p.leads] == ["店员7"] and company.calls(contacts.USER_LIST) == 3


async def test_the_tree_is_read_level_by_level(company: Company) -> None:
    tree = await contacts.tree(company.api)
    assert tree.path(company.backend) == "研发中心/后端组" and len(tree.departments) == 5
    assert company.calls(contacts.DEPARTMENTS_BELOW) == 5


async def test_where_the_app_may_see_a_part_only_the_tree_is_that_part(company: Company) -> None:
    company.ding.contacts.scope = {company.research}
    tree = await contacts.tree(company.api)
    assert tree.find("研发中心/后端组") == company.backend and company.market not in tree.departments


async def test_a_person_outside_the_scope_and_a_missing_permission_are_told_apart(company: Company) -> None:
    company.ding.contacts.scope = {company.research}
    with pytest.raises(DeliveryError) as outside:
        await contacts.user(company.api, "wang")
    assert (outside.value.code, outside.value.permanent) == ("50002", True)
    company.ding.oapi.granted.discard("qyapi_get_member")
    with pytest.raises(NeedsAdmin, match="qyapi_get_member"):
        await contacts.user(company.api, "li")


async def test_a_refused_token_and_a_busy_answer_are_what_they_always_are(company: Company) -> None:
    await contacts.user(company.api, "li")
    company.ding.tokens.expire()
    assert await contacts.user(company.api, "li") is not None
    company.ding.faults.update({"api_fault": "busy", "api_fail_next": 1})
    with pytest.raises(DeliveryError) as busy:
        await contacts.user(company.api, "li")
    assert (busy.value.code, busy.value.permanent) == ("-1", False)


# -- remembered for a day ---------------------------------------------------------------------------


async def test_departments_of_a_person_include_the_parents_and_are_asked_for_once(company: Company) -> None:
    for _ in range(3):
        assert await company.directory.departments_of("li") == (company.backend, company.research, ROOT)
    assert company.calls(contacts.USER_GET) == 1 and company.calls(contacts.DEPARTMENTS_BELOW) == 5
    assert await company.directory.departments_of("nobody") == ()


async def test_no_mobile_is_kept_in_the_store(company: Company) -> None:
    await company.directory.person("li")
    again = await company.directory.person("li")
    kept = await company.store.note("contacts:person:li")
    assert again is not None and again.mobile == "" and kept is not None and "13800000001" not in kept


async def test_a_department_that_is_new_is_found_without_waiting_for_tomorrow(company: Company) -> None:
    assert await company.directory.find_departments(["市场部"]) == (company.market,)
    new = company.ding.contacts.add_department("法务部")
    assert await company.directory.find_departments(["法务部", "市场部"]) == (new, company.market)
    with pytest.raises(NoSuchDepartment, match="没有叫“财务部”"):
        await company.directory.find_departments(["财务部"])


async def test_everybody_below_a_department_is_listed_once(company: Company) -> None:
    company.ding.contacts.hire("小赵", [company.backend, company.frontend], userid="zhao", leads=[company.frontend])
    people = {p.userid: p for p in await company.directory.people_below([company.research, company.backend])}
    assert set(people) == {"zhou", "li", "zhao"} and people["zhao"].leads == (company.frontend,)
