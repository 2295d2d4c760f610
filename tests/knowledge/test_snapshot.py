"""All files together: a bad one never takes answers away, and what is wrong between files is told."""

from __future__ import annotations

from datetime import date

import pytest

from faqbot.knowledge.snapshot import build_snapshot

TODAY = date(2026, 6, 1)
LEAVE = "- id: annual\n  question: 年假有几天\n  answer: 五天\n"
SICK = "- id: sick\n  question: 病假怎么请\n  answer: 找主管\n"
PAY = "- id: pay\n  question: 几号发工资\n  answer: 每月十号\n"
BROKEN = "- question: 年假\n  answer: [五天\n"


def build(last=None, beside=None, **faq):
    """Assemble from texts: keyword arguments are files under faq/, `beside` the files next to it."""
    files = {f"faq/{name}.yaml": text.encode() if isinstance(text, str) else text for name, text in faq.items()}
    files |= {name: text.encode() for name, text in (beside or {}).items()}
    return build_snapshot(files, label="knowledge", today=TODAY, last=last)


def answers(snapshot):
    return {e.id: e.answer for e in snapshot.entries}


def told(snapshot):
    return [(str(p.place), p.level, p.message) for p in snapshot.problems]


def assert_told(snapshot, place, level, part):
    assert any(p == place and lev == level and part in m for p, lev, m in told(snapshot)), told(snapshot)


# -- files that break --------------------------------------------------------------------------


def test_entries_of_all_files_are_live():
    snapshot = build(leave=LEAVE, pay=PAY)
    assert answers(snapshot) == {"annual": "五天", "pay": "每月十号"}
    assert snapshot.problems == ()
    assert snapshot.entry("pay").question == "几号发工资"
    assert snapshot.entry("nobody") is None


@pytest.mark.parametrize(
    "bad", [BROKEN, "- question: 年假\n", LEAVE.encode("gbk"), LEAVE + LEAVE, LEAVE + "  foo: 1\n"]
)
def test_a_file_that_breaks_lives_on_in_its_last_good_version(bad):
    first = build(leave=LEAVE, pay=PAY)
    second = build(first, leave=bad, pay=PAY.replace("十", "五"))
    assert answers(second) == {"annual": "五天", "pay": "每月五号"}
    assert any(p.is_error and p.place.file == "knowledge/faq/leave.yaml" for p in second.problems)
    assert second.index.search("年假有几天")[0].entry.id == "annual"


def test_the_last_good_version_is_kept_over_many_broken_saves():
    snapshot = build(leave=LEAVE, pay=PAY)
    for _ in range(3):
        snapshot = build(snapshot, leave=BROKEN, pay=PAY)
    assert "annual" in answers(snapshot)


def test_a_mended_file_is_live_again_without_its_problems():
    broken = build(build(leave=LEAVE), leave=BROKEN)
    mended = build(broken, leave=LEAVE.replace("五天", "六天"))
    assert answers(mended) == {"annual": "六天"} and mended.problems == ()


def test_a_new_broken_file_does_not_hide_the_others():
    snapshot = build(build(leave=LEAVE), leave=LEAVE, pay=BROKEN)
    assert answers(snapshot) == {"annual": "五天"}
    assert_told(snapshot, "knowledge/faq/pay.yaml:2", "error", "方括号")


def test_a_file_that_is_removed_is_gone():
    assert answers(build(build(leave=LEAVE, pay=PAY), pay=PAY)) == {"pay": "每月十号"}


def test_without_any_file_there_is_an_empty_index():
    snapshot = build()
    assert snapshot.entries == () and snapshot.index.search("年假") == ()


def test_the_version_names_the_bytes():
    assert build(leave=LEAVE).version == build(leave=LEAVE).version
    assert build(leave=LEAVE).version != build(leave=LEAVE + "\n").version
    assert build(leave=LEAVE).version != build(pay=LEAVE).version


# -- ids ---------------------------------------------------------------------------------------

OTHER = LEAVE.replace("年假有几天", "探亲假有几天") + SICK


def test_an_id_twice_across_files_holds_the_later_file():
    snapshot = build(a=LEAVE, b=OTHER, c=PAY)
    assert answers(snapshot) == {"annual": "五天", "pay": "每月十号"}
    assert_told(snapshot, "knowledge/faq/b.yaml:1", "error", "编号“annual”重复（knowledge/faq/a.yaml:1 已有）")


def test_a_file_with_a_taken_id_keeps_the_rest_of_its_last_good_version():
    first = build(a=LEAVE, b=SICK)
    second = build(first, a=LEAVE, b=SICK.replace("找主管", "改了") + OTHER.split("- id: sick")[0])
    assert answers(second) == {"annual": "五天", "sick": "找主管"}


def test_an_id_taken_in_a_new_file_never_takes_the_answer_of_the_old_one():
    first = build(b=OTHER)
    second = build(first, a=LEAVE, b=OTHER)
    assert second.entries == first.entries
    assert_told(second, "knowledge/faq/a.yaml:1", "error", "编号“annual”重复（knowledge/faq/b.yaml:1 已有）")


def test_an_id_taken_in_an_edited_file_never_takes_the_answer_of_the_other():
    first = build(a=SICK, b=OTHER.replace("sick", "unwell"))
    second = build(first, a=SICK + LEAVE, b=OTHER.replace("sick", "unwell"))
    assert second.entries == first.entries
    assert_told(second, "knowledge/faq/a.yaml:4", "error", "编号“annual”重复（knowledge/faq/b.yaml:1 已有）")


def test_an_id_stays_with_its_file_while_that_one_is_edited_or_breaks():
    first = build(a=SICK, b=LEAVE)
    doubled = build(first, a=SICK + LEAVE.replace("五", "六"), b=LEAVE)
    edited = build(doubled, a=SICK + LEAVE.replace("五", "六"), b=LEAVE.replace("五", "七"))
    assert answers(edited) == {"sick": "找主管", "annual": "七天"}
    assert answers(build(edited, a=SICK + LEAVE, b=BROKEN)) == answers(edited)


def test_an_id_moves_to_another_file_once_the_old_one_lets_go():
    first = build(a=SICK, b=LEAVE + PAY)
    second = build(build(first, a=SICK + LEAVE, b=LEAVE + PAY), a=SICK + LEAVE, b=PAY)
    assert (answers(second), second.problems) == (answers(first), ())


def test_an_id_lent_to_another_file_comes_back_to_the_last_good_version():
    first = build(a=SICK, b=LEAVE)
    lent = build(first, a=SICK + LEAVE.replace("五", "六"), b=BROKEN)
    assert answers(build(lent, a=SICK, b=BROKEN)) == answers(first)


def test_ids_made_from_questions_are_distinct_across_files():
    snapshot = build(a=LEAVE.replace("- id: annual\n ", "-"), b=LEAVE.replace("- id: annual\n ", "-"))
    assert len({e.id for e in snapshot.entries}) == 2
    assert not any(p.is_error for p in snapshot.problems)


# -- wordings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "line"),
    [
        ("- id: b\n  question: 年假有几天？\n  answer: 六天\n", 2),
        ("- id: b\n  question: 休假天数\n  also: [年假 有几天]\n  answer: 六天\n", 3),
        ("- id: b\n  question: 休假天数\n  also: [年假有幾天]\n  answer: 六天\n", 3),
    ],
)
def test_the_same_wording_in_two_entries_warns_and_both_are_live(second, line):
    snapshot = build(a=LEAVE, b=second)
    assert set(answers(snapshot)) == {"annual", "b"}
    assert_told(snapshot, f"knowledge/faq/b.yaml:{line}", "warning", "“年假有几天”（knowledge/faq/a.yaml:1）重复")
    assert len(snapshot.problems) == 1


VERSIONS = (
    "- id: old\n  question: 基数是多少\n  answer: 旧\n  valid: {until: 2026-06-30}\n"
    "- id: new\n  question: 基数是多少\n  answer: 新\n  valid: {from: 2026-07-01}\n"
)


def test_versions_of_one_answer_do_not_warn():
    assert build(a=VERSIONS).problems == ()


def test_versions_whose_dates_overlap_warn():
    snapshot = build(a=VERSIONS.replace("2026-07-01", "2026-06-30"))
    assert_told(snapshot, "knowledge/faq/a.yaml:6", "warning", "重复")


def test_a_wording_twice_in_one_entry_does_not_warn():
    assert build(a=LEAVE + "  also: [年假有几天？, 年假 有几天]\n").problems == ()


# -- references and dates ----------------------------------------------------------------------


def test_an_unknown_related_entry_warns():
    snapshot = build(a=LEAVE + "  related: [sick, nobody]\n", b=SICK)
    assert_told(snapshot, "knowledge/faq/a.yaml:1", "warning", "“nobody”不存在")
    assert len(snapshot.problems) == 1


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("valid: {until: 2026-05-31}", "于 2026-05-31 过期"),
        ("review: 2026-05-31", "应在 2026-05-31 前复核"),
        ("valid: {until: 2026-05-31}\n  review: 2026-05-01", "过期"),
        ("valid: {until: 2026-06-01}", None),
        ("valid: {from: 2026-07-01}", None),
        ("review: 2026-06-01", None),
    ],
)
def test_expired_and_overdue_entries_warn_from_the_day_after(line, part):
    snapshot = build(a=f"{LEAVE}  {line}\n")
    assert "annual" in answers(snapshot)
    assert [part in p.message for p in snapshot.problems] == ([True] if part else [])


# -- facts -------------------------------------------------------------------------------------

FACT = '- id: base\n  question: 基数\n  answer: "{facts.基数} 元，{facts.基数 }！{不是} {facts.}"\n'


def test_facts_are_filled_in():
    snapshot = build(a=FACT, beside={"facts.yaml": "基数: 036549\n"})
    assert answers(snapshot) == {"base": "036549 元，036549！{不是} {facts.}"}
    assert snapshot.problems == ()


def test_facts_are_filled_into_every_variant():
    text = (
        '- id: base\n  question: 基数\n  ask: {city: 哪里}\n  answers: {上海: "{facts.沪} 元", else: "{facts.x} 元"}\n'
    )
    snapshot = build(a=text, beside={"facts.yaml": "沪: 1\n"})
    assert dict(snapshot.entries[0].variants) == {"上海": "1 元", "else": "（待补充） 元"}
    assert_told(snapshot, "knowledge/faq/a.yaml:4", "warning", "{facts.x} 在 facts.yaml 里没有")


@pytest.mark.parametrize("beside", [{}, {"facts.yaml": ""}, {"facts.yaml": "别的: 1\n"}])
def test_an_unknown_fact_is_shown_as_missing_and_warns_once(beside):
    snapshot = build(a=FACT, beside=beside)
    assert answers(snapshot)["base"].startswith("（待补充） 元，（待补充）！")
    assert_told(snapshot, "knowledge/faq/a.yaml:3", "warning", "{facts.基数} 在 facts.yaml 里没有")
    assert len(snapshot.problems) == 1


@pytest.mark.parametrize(
    "written", ["｛facts.基数｝", "{fact.基数}", "{Facts．基数}", "{{facts.基数}}", "{基数}", "{facts:基数}"]
)
def test_what_was_meant_as_a_fact_is_told_with_the_line_as_it_should_be(written):
    snapshot = build(a=f"- id: base\n  question: 基数\n  answer: 共 {written} 元\n", beside={"facts.yaml": "基数: 1\n"})
    (problem,) = snapshot.problems
    assert problem.place.line == 3 and f"“{written}”不会换成" in problem.message
    assert problem.fix == "answer: 共 {facts.基数} 元"


def test_other_braces_are_left_alone():
    text = "- id: base\n  question: 基数\n  answer: 公式 {x}，｛见注｝，a{1}b\n"
    assert build(a=text, beside={"facts.yaml": "基数: 1\n"}).problems == ()


def test_a_new_fact_fills_a_file_that_is_broken_now():
    first = build(a=FACT, beside={"facts.yaml": "基数: 1\n"})
    second = build(first, a=BROKEN, beside={"facts.yaml": "基数: 2\n"})
    assert answers(second)["base"].startswith("2 元")


# -- what the index holds ------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["draft: true", "valid: 明年", "groups: []", "departments:"])
def test_drafts_and_held_entries_are_known_but_not_in_the_index(line):
    snapshot = build(a=f"{LEAVE}  {line}\n", b=PAY)
    assert set(answers(snapshot)) == {"annual", "pay"}
    assert [e.id for e in snapshot.index.entries] == ["pay"]
    assert "annual" not in [c.entry.id for c in snapshot.index.search("年假有几天")]


def test_entries_limited_in_time_or_audience_are_in_the_index():
    snapshot = build(a=LEAVE + "  valid: {from: 2030-01-01}\n  groups: [cid1]\n  private: true\n")
    assert [e.id for e in snapshot.index.entries] == ["annual"]


# -- the files beside faq/ -----------------------------------------------------------------------


def test_synonyms_reach_the_index():
    snapshot = build(a=LEAVE, beside={"synonyms.yaml": "- [年假, 年休假]\n"})
    assert snapshot.problems == ()
    assert snapshot.index.fold("年休假有几天") == snapshot.index.fold("年假有几天")
    assert snapshot.index.search("年休假有几天")[0].entry.id == "annual"


@pytest.mark.parametrize(
    ("name", "text", "line", "level", "part"),
    [
        ("synonyms.yaml", "年假: 年休假\n", 1, "error", "应是一个列表"),
        ("synonyms.yaml", "- [甲, 乙\n", 1, "error", "方括号"),
        ("synonyms.yaml", "- [甲, 乙]\n- [丙]\n", 2, "warning", "至少要有两个词"),
        ("facts.yaml", "- 1\n", 1, "error", "名字: 值"),
        ("groups.yaml", "a: 'b\n", 1, "error", "引号没有写完"),
        ("automations.yaml", "a: 1\n---\nb: 2\n", 2, "error", "“---”"),
    ],
)
def test_a_slip_beside_faq_is_told_and_answers_stay(name, text, line, level, part):
    snapshot = build(a=LEAVE, beside={name: text})
    assert_told(snapshot, f"knowledge/{name}:{line}", level, part)
    assert snapshot.index.search("年假有几天")[0].entry.id == "annual"


def test_files_nobody_asked_for_are_ignored():
    assert build(a=LEAVE, beside={"notes.yaml": "[", "people.csv": "x"}).problems == ()


def test_problems_stand_in_the_order_of_files_and_lines():
    snapshot = build(b=BROKEN, a=LEAVE + "  review: 2020-01-01\n  related: [x]\n", beside={"facts.yaml": "- 1\n"})
    places = [(p.place.file, p.place.line) for p in snapshot.problems]
    assert places == sorted(places) and len(places) == 4
