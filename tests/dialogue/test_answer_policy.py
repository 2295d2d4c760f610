"""A ranking becomes an answer, a guess, a list or the admission that there is none."""

from __future__ import annotations

from datetime import date

import pytest

from faqbot.dialogue.answer_policy import apply_thresholds, judge
from faqbot.model.decisions import Answered, Likely, Offered, Unanswered
from faqbot.model.entries import Candidate, Entry
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS, Thresholds

ENTRIES = (
    Entry("wifi", "公司 WiFi 怎么连？", "扫前台的二维码。", also=("无线网密码是多少",)),
    Entry("leave", "一年有几天年假？", "5 天。"),
    Entry("payday", "几号发工资？", "10 日。"),
    Entry("probation", "试用期工资怎么发？", "按 100% 发，餐补也一样。", also=("转正前后都一样吗",)),
)
# Nearly everything that is found is listed.
LISTING = Thresholds(answer_at=0.98, likely_at=0.97, offer_at=0.01)
LIMITS, TODAY = FITTED_THRESHOLDS["balanced"], date(2026, 6, 1)


@pytest.mark.parametrize(("listed", "kind"), [(0.2, Offered), (0.19, Unanswered)])
def test_a_list_is_shown_where_one_of_its_first_is_probably_right(listed, kind):
    ranking = tuple(Candidate(entry, 0.1, entry.question, listed=listed) for entry in ENTRIES)
    assert isinstance(apply_thresholds(ranking, Thresholds(0.9, 0.5, 0.2)), kind)


@pytest.mark.parametrize(
    "text",
    [
        "<b onclick=run(1)> [y](javascript:run(1))",
        "https://wiki.example.com/pages/view?id=1&tab=files",
        "Error: cannot open file at line 1",
        "Could you please tell me where I can leave my bike",
    ],
)
@pytest.mark.parametrize("limits", [LIMITS, LISTING])
def test_what_was_pasted_in_another_script_is_like_nothing(text, limits):
    assert isinstance(judge(text, Index(ENTRIES), limits=limits, today=TODAY)[0], Unanswered)


@pytest.mark.parametrize(("text", "entry_id"), [("WiFi password", "wifi"), ("nianjia ji tian", "leave")])
def test_words_in_common_and_pinyin_are_understood_all_the_same(text, entry_id):
    decision, ranking = judge(text, Index(ENTRIES), limits=LISTING, today=TODAY)
    assert isinstance(decision, Answered | Likely | Offered) and ranking[0].entry.id == entry_id


@pytest.mark.parametrize(("text", "kind"), [("试用期也一样吗", Offered), ("转正前后都一样吗", Answered)])
def test_whether_the_same_holds_is_answered_only_where_it_says_of_what(text, kind):
    limits = Thresholds(answer_at=0.05, likely_at=0.04, offer_at=0.01)
    assert isinstance(judge(text, Index(ENTRIES), limits=limits, today=TODAY)[0], kind)


@pytest.mark.parametrize(
    ("score", "listed", "kind"),
    [(0.95, 0.5, Answered), (0.95, 0.1, Offered), (0.7, 0.1, Offered), (0.99, 0.1, Answered)],
)
def test_an_entry_is_not_answered_with_where_its_list_would_not_be_shown(
    score: float, listed: float, kind: type[object]
) -> None:
    ranking = (Candidate(ENTRIES[0], score, ENTRIES[0].question, listed=listed),)
    assert isinstance(apply_thresholds(ranking, Thresholds(0.9, 0.6, 0.3)), kind)


@pytest.mark.parametrize(("text", "is_list"), [("发票", True), ("发票丢了怎么办", False), ("发票抬头", False)])
def test_a_word_that_several_questions_have_asks_nothing_yet(text, is_list):
    lost = Entry("lost", "发票丢了怎么办？", "请商家补开。", also=("发票丢失",))
    title = Entry("title", "发票抬头开什么？", "开公司全称。", also=("发票抬头",))
    decision, _ = judge(text, Index((*ENTRIES, lost, title)), limits=LIMITS, today=TODAY)
    assert isinstance(decision, Offered) == is_list
    if isinstance(decision, Offered):
        assert {c.entry.id for c in decision.candidates} == {"lost", "title"}
