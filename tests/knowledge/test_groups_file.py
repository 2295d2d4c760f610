"""`groups.yaml`: who keeps what and what a conversation is like; a slip is told and takes nothing away."""

from __future__ import annotations

from datetime import date, time

import pytest

from faqbot.knowledge.groups_file import hours_of, parse_groups
from faqbot.knowledge.snapshot import build_snapshot
from faqbot.model.entries import Entry
from faqbot.model.group_settings import Groups, GroupSettings, Hours

FULL = """\
people:
  休假组: [zhang01, li02]
  薪酬组: wang03
groups:
  cidA=:
    topics: [休假, 考勤]
    greeting: 有事直接问我
    contact: 休假组
    quiet: "22:00-8:00"
"""
CHINESE = """\
人员：
  休假组：[zhang01，li02]
  薪酬组: [wang03]
群:
\tcidA=:
\t  主题: [休假, 考勤]
\t  问候：有事直接问我
\t  联系人: 休假组
\t  免打扰: {从: 22:00, 到: 8:00}
"""
AT_THE_TOP = FULL.replace("groups:\n", "").replace("\n  cidA=", "\ncidA=").replace("\n    ", "\n  ")


def read(text: str) -> tuple[Groups, list[tuple[int, str, str]]]:
    groups, problems = parse_groups("groups.yaml", text.encode())
    return groups, [(p.place.line, p.level, p.message) for p in problems]


@pytest.mark.parametrize("text", [FULL, CHINESE, AT_THE_TOP])
def test_people_and_conversations_are_read_however_they_are_written(text: str) -> None:
    groups, told = read(text)
    assert [line for line in told if line[1] == "error"] == []
    assert groups.people == {"休假组": ("zhang01", "li02"), "薪酬组": ("wang03",)}
    assert groups.of("cidA=") == GroupSettings(("休假", "考勤"), "有事直接问我", "休假组", Hours(time(22), time(8)))
    assert groups.of("cidB") == GroupSettings()


@pytest.mark.parametrize(
    ("text", "line", "level", "part"),
    [
        ("people:\n  休假组: [a01]\npeopel: {}\n", 3, "error", "是不是“people”"),
        ("群组: {}\n", 1, "error", "不认识的键“群组”，是不是“群”"),
        ("groups:\n  cidA:\n    topcs: [休假]\n", 3, "error", "是不是“topics”"),
        ("groups:\n  cidA:\n    quiet: 晚上\n", 3, "error", "22:00-8:00"),
        ("groups:\n  cidA: {}\ncidA: {}\n", 3, "error", "重复"),
        ("people:\n  甲组: [a01]\n  甲组: [a02]\n", 3, "error", "重复（第 2 行已有）"),
        ("people: [a01]\n", 1, "error", "每行一个"),
        ("- a\n", 1, "error", "people"),
        ("people:\n  休假组: []\n", 2, "warning", "没有人"),
        ("groups:\n  研发群: {topics: [休假]}\n", 2, "warning", "不像会话编号"),
        ("people: {甲组: 'a01\n", 1, "error", "引号"),
    ],
)
def test_a_slip_is_told_with_its_line(text: str, line: int, level: str, part: str) -> None:
    _, told = read(text)
    assert any(n == line and lev == level and part in message for n, lev, message in told), told


@pytest.mark.parametrize("text", ["", "# 还没有写\n", "people:\n", "people:\ngroups:\n"])
def test_a_file_that_says_nothing_yet_is_fine(text: str) -> None:
    assert read(text) == (Groups(), [])


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        ("休假组", ("zhang01", "li02")),
        (" 休假组 ", ("zhang01", "li02")),
        ("manager4220", ("manager4220",)),
        ("0123456", ("0123456",)),
        ("u1", ("u1",)),
        ("7", ("7",)),
        ("法务组", ()),
        ("HR", ()),
        ("", ()),
    ],
)
def test_keepers_are_the_people_of_a_name_or_the_person(owner: str, expected: tuple[str, ...]) -> None:
    assert read(FULL)[0].owner_userids(owner) == expected


def test_one_owns_what_ones_group_keeps() -> None:
    groups = read(FULL)[0]
    entry = Entry("e", "年假有几天", "五天", owner="休假组")
    assert groups.owns("li02", entry)
    assert not groups.owns("wang03", entry) and not groups.owns("", entry)
    assert groups.is_owner("wang03") and not groups.is_owner("xiaoli") and not groups.is_owner("")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22:00-8:00", (time(22), time(8))),
        ("22：00—08：00", (time(22), time(8))),
        ("12:30 到 14:00", (time(12, 30), time(14))),
        ("22点至次日8点", (time(22), time(8))),
        ("20:00-24:00", (time(20), time(0))),
        ("25:00-8:00", None),
        ("晚上", None),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, expected: tuple[time, time] | None) -> None:
    assert hours_of(text) == (Hours(*expected) if expected else None)


@pytest.mark.parametrize(
    ("moment", "quiet"), [(time(21, 59), False), (time(22), True), (time(3), True), (time(8), False)]
)
def test_a_night_reaches_over_midnight(moment: time, quiet: bool) -> None:
    assert Hours(time(22), time(8)).cover(moment) is quiet


LEAVE = "- question: 年假有几天\n  answer: 五天\n  owner: 法务组\n"


def build(groups: str, last=None):
    files = {"faq/a.yaml": LEAVE.encode(), "groups.yaml": groups.encode()}
    return build_snapshot(files, label="knowledge", today=date(2026, 3, 2), last=last)


def test_an_owner_without_people_is_a_warning_once_people_are_kept() -> None:
    (problem,) = build("people: {休假组: [a01]}\n").problems
    assert problem.level == "warning" and "法务组" in problem.message and str(problem.place) == "knowledge/faq/a.yaml:1"
    assert build("").problems == ()
    assert build("people: {法务组: [a01]}\n").problems == ()


def test_a_bad_edit_keeps_the_last_good_groups() -> None:
    first = build("people: {法务组: [a01]}\n")
    second = build("people: {法务组: [b02]}\nwhat: 1\n", first)
    assert second.groups.owner_userids("法务组") == ("a01",)
    assert any(p.is_error and p.place.file == "knowledge/groups.yaml" for p in second.problems)


def test_a_wide_colon_within_a_name_is_part_of_it() -> None:
    raw = "人员：\n  休假：组: [u1]\n  0：: [u2]\n  甲：[u3]  # 备注: x\n".encode()
    groups, problems = parse_groups("groups.yaml", raw)
    assert groups.people == {"休假：组": ("u1",), "0：": ("u2",), "甲": ("u3",)} and len(problems) == 2
