"""What an edit changes: only questions it can touch are searched again, and nothing that changes is missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.impact import impact
from faqbot.knowledge.impact.impact import Past, edited_entries, self_test
from faqbot.knowledge.snapshot import assemble
from faqbot.model.decisions import Answered, Offered, Unanswered
from faqbot.model.entries import Entry, Period
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS
from tests.conftest import SAMPLE

TODAY = date(2026, 6, 1)
LIMIT = FITTED_THRESHOLDS["balanced"]
LEAVE = Entry("leave", "年假有几天？", "5 天", ("年休假天数",))
SICK = Entry("sick", "病假怎么请？", "在 OA 提交", ("生病了怎么请假",))
PARKING = Entry("parking", "停车位怎么申请？", "找行政", ())
BASE = (LEAVE, SICK, PARKING)


def turns(before: tuple[Entry, ...], after: tuple[Entry, ...], **questions: int) -> dict[str, impact.Turn]:
    past = Past(questions, Index(before), limits=LIMIT, today=TODAY)
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
    snapshot = assemble(FolderSource(SAMPLE).read_now(), label="k", today=TODAY)
    questions = {w: 1 for e in snapshot.entries for w in e.wordings}
    before = snapshot.index
    entry = next(e for e in before.entries if e.id == "annual-leave-days" or "年假" in e.question)
    after = Index([replace(e, also=(*e.also, "带薪年休假天数怎么算")) if e is entry else e for e in before.entries])
    past = Past(questions, before, limits=LIMIT, today=TODAY)
    touched = past._touched(edited_entries(before.entries, after.entries), after)
    assert 0 < len(touched) < len(questions) / 2


def test_a_slip_of_the_pen_that_finds_the_entry_by_its_sound_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impact, "_FEW", 0)
    monkeypatch.setattr(impact, "_SMALL", 0)
    better = replace(PARKING, also=("公积金怎么提取",))
    assert "工鸡精怎么提取" in turns(BASE, (LEAVE, SICK, better), 工鸡精怎么提取=1)


def test_few_questions_or_a_small_base_are_searched_whole() -> None:
    past = Past({"年假有几天": 1, "完全无关的话": 1}, Index(BASE), limits=LIMIT, today=TODAY)
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
