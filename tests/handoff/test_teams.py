"""A question goes to the owner of its topic where that is sure; else the owners near it are picked from."""

from __future__ import annotations

from datetime import date

import pytest

from faqbot.handoff.teams import Route, entry_of_owner, route, topics_of
from faqbot.knowledge.snapshot import Snapshot, build_snapshot
from faqbot.model.entries import Entry
from faqbot.search.thresholds import FITTED_THRESHOLDS
from tests.conftest import SAMPLE

LIMITS = FITTED_THRESHOLDS["balanced"]
MORE = """
- {question: 顶楼的停机坪谁能用？, answer: 董事会。, topic: 停机坪, owner: 机坪组}
- {question: 直升机落地要报备吗？, answer: 要。, topic: 停机坪, owner: 飞行组}
- {question: 打印室的碎纸机满了怎么办？, answer: 找前台。, topic: 碎纸, owner: 没写的组}
"""


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    files = {str(p.relative_to(SAMPLE)): p.read_bytes() for p in SAMPLE.rglob("*.yaml")}
    files["faq/more.yaml"] = MORE.encode()
    people = "".join(
        f"  {owner}: [{user}]\n" for owner, user in (("机坪组", "jp1"), ("飞行组", "fx1"), ("后勤", "hq1"))
    )
    files["groups.yaml"] += people.encode()
    return build_snapshot(files, label="k", today=date(2026, 6, 1))


def all_entries(_: Entry) -> bool:
    return True


def routed(text: str, snapshot: Snapshot, allowed=all_entries, listed=all_entries) -> Route:
    return route(text, snapshot, allowed, listed, LIMITS)


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("年假有几天？", "休假组"), ("门禁卡刷不开了", "行政组"), ("薪酬", "薪酬组"), ("加班费好像算错了", "考勤组"),
        ("你好，我是新来的，昨天刚入职，想问年假有几天，谢谢", "休假组"), ("碎纸机满了怎么办", "没写的组"),
    ],
)  # fmt: skip
def test_the_owner_is_sure(snapshot, text, owner):
    found = routed(text, snapshot)
    assert found.entry is not None and found.entry.owner == owner and not found.owners


@pytest.mark.parametrize(
    ("text", "owners"),
    [
        ("工资啥时候发呀", {"薪酬组", "员工关系组"}), ("年假几天，工资几号发", {"休假组", "薪酬组"}),
        ("停机坪", {"机坪组", "飞行组"}),
    ],
)  # fmt: skip
def test_the_owner_is_picked(snapshot, text, owners):
    found = routed(text, snapshot)
    assert found.entry is None and owners <= set(found.owners) and len(found.owners) <= 3


@pytest.mark.parametrize("text", ["怎么办", "火星移民名额", "今晚月色真美"])
def test_nobody_is_near(snapshot, text):
    assert routed(text, snapshot) == Route()


def test_only_what_the_asker_may_see_is_listed(snapshot):
    without_pay = routed("工资啥时候发呀", snapshot, listed=lambda entry: entry.topic != "薪酬")
    assert "薪酬组" not in without_pay.owners and "员工关系组" in without_pay.owners
    alone = routed("停机坪", snapshot, allowed=lambda entry: entry.owner != "飞行组")
    assert alone.entry is not None and alone.entry.owner == "机坪组"


def test_of_a_team_the_nearest_entry_counts(snapshot):
    entry = entry_of_owner("工资啥时候发呀", "员工关系组", snapshot, all_entries)
    assert entry is not None and entry.owner == "员工关系组" and "工资" in entry.question
    assert entry_of_owner("工资", "不存在的组", snapshot, all_entries) is None
    assert topics_of("薪酬组", snapshot, all_entries) == "薪酬"
