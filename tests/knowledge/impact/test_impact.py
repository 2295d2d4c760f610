"""What an edit changes: only questions it can touch are searched again, and nothing that changes is missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.impact import impact
from faqbot.knowledge.impact.impact import Grade, QuestionReplay, edited_entries, saved_results, self_test
from faqbot.knowledge.regression_questions import SavedQuestion
from faqbot.knowledge.snapshot import build_snapshot
from faqbot.model.decisions import Answered, Likely, Offered, Unanswered
from faqbot.model.entries import Entry, Period, Place
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS, Thresholds
from tests.conftest import SAMPLE

TODAY = date(2026, 6, 1)
LIMIT = FITTED_THRESHOLDS["balanced"]
LEAVE = Entry("leave", "年假有几天？", "5 天", ("年休假天数",))
SICK = Entry("sick", "病假怎么请？", "在 OA 提交", ("生病了怎么请假",))
PARKING = Entry("parking", "停车位怎么申请？", "找行政", ())
BASE = (LEAVE, SICK, PARKING)


def turns(before: tuple[Entry, ...], after: tuple[Entry, ...], **questions: int) -> dict[str, impact.OutcomeChange]:
    past = QuestionReplay(questions, Index(before), limits=LIMIT, today=TODAY)
    return {t.question: t for t in past.replay(Index(after))}


def test_a_new_wording_answers_what_was_missed_and_nothing_else_changes() -> None:
    better = replace(PARKING, also=("车子放在哪里",))
    found = turns(BASE, (LEAVE, SICK, better), 车子放在哪里=3, 年假有几天=9)
    assert list(found) == ["车子放在哪里"]
    turn = found["车子放在哪里"]
    assert turn.times == 3 and not isinstance(turn.before, Answered)
    assert isinstance(turn.after, Answered) and turn.after.entry.id == "parking"


def test_another_answer_is_a_change_for_everybody_who_gets_it() -> None:
    found = turns(BASE, (replace(LEAVE, answer="7 天"), SICK, PARKING), 年假有几天=9, 病假怎么请=1)
    assert list(found) == ["年假有几天"]


def test_a_removed_entry_leaves_its_questions_unanswered_most_asked_first() -> None:
    found = turns(BASE, (SICK, PARKING), 年假有几天=2, 年休假天数=5, 病假怎么请=1)
    assert list(found) == ["年休假天数", "年假有几天"]
    assert isinstance(found["年假有几天"].after, Unanswered | Offered)


@pytest.mark.parametrize(
    "changed",
    [
        replace(LEAVE, draft=True),
        replace(LEAVE, valid=Period(end=date(2025, 12, 31))),
    ],
)
def test_what_is_not_answered_any_more_is_a_change(changed: Entry) -> None:
    assert list(turns(BASE, (changed, SICK, PARKING), 年假有几天=1)) == ["年假有几天"]


def test_what_nobody_notices_is_no_change() -> None:
    moved = replace(LEAVE, owner="休假组", source="手册", also=(*LEAVE.also, "年假天数"))
    assert turns(BASE, (moved, SICK, PARKING), 年假有几天=1, 病假怎么请=1) == {}
    assert edited_entries((LEAVE,), (replace(LEAVE, owner="x"),)) == ()


def test_only_what_the_edit_can_touch_is_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impact, "_FEW", 0)
    monkeypatch.setattr(impact, "_SMALL", 0)
    snapshot = build_snapshot(FolderSource(SAMPLE).read_now(), label="k", today=TODAY)
    questions = {w: 1 for e in snapshot.entries for w in e.wordings}
    before = snapshot.index
    entry = next(e for e in before.entries if e.id == "annual-leave-days" or "年假" in e.question)
    after = Index([replace(e, also=(*e.also, "带薪年休假天数怎么算")) if e is entry else e for e in before.entries])
    past = QuestionReplay(questions, before, limits=LIMIT, today=TODAY)
    touched = past._touched(edited_entries(before.entries, after.entries), after)
    assert 0 < len(touched) < len(questions) / 2


def test_a_slip_of_the_pen_that_finds_the_entry_by_its_sound_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impact, "_FEW", 0)
    monkeypatch.setattr(impact, "_SMALL", 0)
    better = replace(PARKING, also=("公积金怎么提取",))
    assert "工鸡精怎么提取" in turns(BASE, (LEAVE, SICK, better), 工鸡精怎么提取=1)


def test_few_questions_or_a_small_base_are_searched_whole() -> None:
    past = QuestionReplay({"年假有几天": 1, "完全无关的话": 1}, Index(BASE), limits=LIMIT, today=TODAY)
    after = Index((replace(LEAVE, answer="7 天"), SICK, PARKING))
    assert past._touched(edited_entries(BASE, after.entries), after) == ["年假有几天", "完全无关的话"]
    assert past._touched((), after) == [] and past.replay(Index(BASE)) == []


def test_the_self_test_names_each_wording_that_leads_elsewhere() -> None:
    twin = Entry("twin", "年休假天数", "别的", ())
    misses = self_test(Index((LEAVE, SICK, twin)), limits=LIMIT, today=TODAY)
    assert {(m.entry.id, m.wording) for m in misses} <= {("leave", "年休假天数"), ("twin", "年休假天数")}
    assert self_test(Index(BASE), limits=LIMIT, today=TODAY) == []
    assert self_test(Index(()), limits=LIMIT, today=TODAY) == []


def test_the_self_test_can_look_at_some_entries_and_leaves_out_what_is_not_answered() -> None:
    gone = replace(LEAVE, valid=Period(end=date(2020, 1, 1)))
    assert self_test(Index((gone, SICK)), limits=LIMIT, today=TODAY) == []
    assert self_test(Index(BASE), limits=LIMIT, today=TODAY, only=["parking"]) == []


def test_the_self_test_finds_what_a_search_for_every_wording_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wordings that are not searched for, because they lead to their entry for certain, are none of the misses."""
    sample = build_snapshot(FolderSource(SAMPLE).read_now(), label="k", today=TODAY).index.entries
    odd = [
        Entry("menu", "帮助", "菜单"),
        Entry("hello", "你好啊", "您好"),
        Entry("twin", "年假几天", "4 天", ("病假", "请问年假有几天", "年假天数是多少呢")),
        Entry("topic", "考勤", "见制度", topic="考勤"),
        Entry("pinyin", "VPN怎么连", "找 IT", ("vpn lianbushang", "连不上 WiFi")),
        Entry("denied", "工资条在哪看", "在系统", not_=("工资条在哪看",)),
        Entry("late", "食堂几点开门", "11 点", valid=Period(end=date(2025, 12, 31))),
        Entry("late-too", "食堂几点开门呢", "12 点"),
        Entry("opposite", "离职怎么办理", "找人事", ("在职证明怎么开",)),
        Entry("opposite-too", "在职怎么办理", "找人事", ("离职证明怎么开",)),
        Entry("short", "假", "见制度", ("假期", "的了吗")),
    ]
    index = Index([*sample, *odd, replace(odd[2], id="twin-2", question="年假有几天啊")])
    quick = self_test(index, limits=LIMIT, today=TODAY)
    certain = impact._certain_wordings(index, TODAY)
    assert len(certain) > 0.5 * len(index.wordings)
    monkeypatch.setattr(impact, "_certain_wordings", lambda index, today: set())
    assert self_test(index, limits=LIMIT, today=TODAY) == quick


def test_a_guess_is_graded_between_a_list_and_an_answer() -> None:
    saved = [SavedQuestion("年假能有几天", (entry_id,), Place("evaluation.yaml", 1)) for entry_id in ("leave", "sick")]
    guessing = Thresholds(answer_at=1.1, likely_at=0.3, offer_at=0.1)
    grades = [grade for grade, _ in saved_results(saved, Index(BASE), limits=guessing, today=TODAY)]
    assert grades == [Grade.LIKELY_RIGHT, Grade.LIKELY_WRONG]
    assert Grade.WRONG < Grade.LIKELY_WRONG < Grade.LOST < Grade.LISTED < Grade.LIKELY_RIGHT < Grade.RIGHT


def test_a_guess_leads_to_its_entry_and_becoming_one_is_a_change() -> None:
    guessing = Thresholds(answer_at=1.1, likely_at=0.3, offer_at=0.1)
    assert self_test(Index(BASE), limits=guessing, today=TODAY) == []
    past = QuestionReplay({"年假能有几天": 1}, Index(BASE), limits=guessing, today=TODAY)
    (turn,) = past.replay(Index((replace(LEAVE, answer="7 天"), SICK, PARKING)))
    assert isinstance(turn.before, Likely) and isinstance(turn.after, Likely) and turn.after.entry.answer == "7 天"
