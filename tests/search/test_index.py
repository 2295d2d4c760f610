"""Which entries may answer a text: the right one comes first however it is typed, and the score says how sure."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.snapshot import build_snapshot
from faqbot.language.normalize import Synonyms, skeleton
from faqbot.model.entries import Candidate, Entry
from faqbot.search.arrays import Floats
from faqbot.search.candidates import RetrievalRequest
from faqbot.search.hold_out import HoldOut
from faqbot.search.index import Index, SearchQuery
from faqbot.search.terms import terms_of
from faqbot.search.thresholds import FITTED_THRESHOLDS
from tests.conftest import SAMPLE

TODAY = date(2026, 11, 22)


def entry(entry_id: str, question: str, *also: str, not_: tuple[str, ...] = ()) -> Entry:
    return Entry(entry_id, question, "答案", also=also, not_=not_)


def ids(found: tuple[Candidate, ...]) -> list[str]:
    return [c.entry.id for c in found]


def score_of(index: Index, text: str, entry_id: str) -> float:
    return next((c.score for c in index.search(text, limit=100) if c.entry.id == entry_id), 0.0)


def seen(found: tuple[Candidate, ...]) -> list[tuple[str, float, str]]:
    return [(c.entry.id, c.score, c.question) for c in found]


@pytest.fixture(scope="module")
def sample() -> Index:
    return build_snapshot(FolderSource(SAMPLE).read_now(), label="knowledge", today=TODAY).index


@pytest.fixture(scope="module")
def unaided(sample: Index) -> Index:
    """The sample knowledge without any synonyms."""
    return Index(sample.entries, Synonyms())


CANTEEN = entry("canteen", "食堂几点开门", "午饭在哪里吃")
SMALL = Index(
    [
        entry("days", "年假有几天", "一年可以休多少天年假"),
        entry("apply", "年假怎么申请", "休年假走什么流程"),
        entry("fund", "公积金怎么提取", "租房能提公积金吗"),
        entry("payslip", "工资条在哪里看"),
        CANTEEN,
    ]
)
LATIN = Index(
    [
        entry("password", "How do I reset my password?", "I forgot my password"),
        entry("vacation", "How many vacation days do I have?", "annual leave balance"),
        entry("expense", "How do I submit an expense report?", "get travel costs reimbursed"),
        entry("wifi", "How do I connect to the office wifi?", "wireless network login"),
        entry("parking", "Is there a parking space for employees?"),
    ]
)


# — The very words —


def test_the_very_words_of_an_entry_come_first_and_are_certain(sample: Index) -> None:
    forms = Counter(skeleton(sample.fold(w)) for e in sample.entries for w in e.wordings)
    unique = [(e, w) for e in sample.entries for w in e.wordings if forms[skeleton(sample.fold(w))] == 1]
    assert len(unique) > 500
    missed = []
    for own, wording in unique:
        best = sample.search(wording)[0]
        if (best.entry, best.score, best.question) != (own, 1.0, wording):
            missed.append((wording, best.entry.id, best.score))
    assert missed == []


def test_only_the_very_words_are_certain(sample: Index) -> None:
    for text in ("公积金应该怎么提取出来", "病假工资一般怎么算", "年假总共几天来着", "打印机到底怎么连接"):
        assert all(c.score < 1.0 for c in sample.search(text))


@pytest.mark.parametrize(
    "text",
    ["我的年假是几天呢", "年假几天", "年假几天啊", "请问年假有几天", "你们年假是多少天吗", "我 年假 有 几天 呀？"],
)
def test_empty_words_do_not_matter(text: str) -> None:
    best = SMALL.search(text)[0]
    assert best.entry.id == "days" and best.score >= 0.98


@pytest.mark.parametrize("text", ["我的年假是几天呢", "年假几天"])
def test_empty_words_do_not_matter_among_many_entries(sample: Index, text: str) -> None:
    best = sample.search(text)[0]
    assert best.entry.id == "annual-leave-days" and best.score >= 0.98


@pytest.mark.parametrize(
    ("text", "known"),
    [("年假有几天", True), ("我的年假是多少天呢？", True), ("年假", False), ("宇宙有多大", False)],
)
def test_it_knows_whether_hr_wrote_these_words(text: str, known: bool) -> None:
    assert SMALL.has_wording(text) is known


# — Ways of typing —

TYPED = {
    "homophones": [
        ("公鸡金怎么提取", "housing-fund-withdraw"),
        ("工机金怎么题取", "housing-fund-withdraw"),
        ("年加怎么深情", "annual-leave-apply"),
        ("昏假有几天", "marriage-leave"),
        ("病甲条怎么交", "sick-leave-documents"),
        ("杨老保险扣几个点", "social-insurance-rates"),
        ("师傅带叫多久", "mentor"),
    ],
    "near sounds": [
        ("连假有几天", "annual-leave-days"),
        ("离子证明怎么开", "leaving-certificate"),
        ("在子证明怎么开", "employment-certificate"),
        ("桑假有几天", "bereavement-leave"),
        ("伤假有几天", "bereavement-leave"),
        ("民片怎么印", "business-card"),
        ("医聊期有多长", "medical-period"),
    ],
    "pinyin": [
        ("gongjijin zenme tiqu", "housing-fund-withdraw"),
        ("gongjijinzenmetiqu", "housing-fund-withdraw"),
        ("huiyishi zenme yuding", "meeting-room"),
        ("nianjia youjitian", "annual-leave-days"),
        ("lizhi zhengming zenme kai", "leaving-certificate"),
    ],
    "pinyin among characters": [
        ("nianjia怎么shenqing", "annual-leave-apply"),
        ("zaizhi证明怎么开", "employment-certificate"),
        ("lizi证明怎么开", "leaving-certificate"),
        ("binjia怎么qing", "sick-leave-apply"),
        ("hunjia有几天", "marriage-leave"),
        ("sanjia有几天", "bereavement-leave"),
        ("yuerjia怎么休", "childcare-leave"),
    ],
    "initials": [
        ("gjj怎么提", "housing-fund-withdraw"),
        ("GJJ怎么提取", "housing-fund-withdraw"),
        ("hys怎么预订", "meeting-room"),
        ("nzj什么时候发", "year-end-bonus"),
    ],
    "traditional": [
        ("離職證明怎麼開", "leaving-certificate"),
        ("陪產假有幾天", "paternity-leave"),
        ("報銷多久到賬", "expense-payout"),
        ("發票丟了怎麼辦", "invoice-lost"),
        ("會議室怎麼預訂", "meeting-room"),
    ],
    "swapped": [
        ("公积金怎么取提", "housing-fund-withdraw"),
        ("怎么卡补", "clock-in-missed"),
        ("停车位公有司吗", "parking"),
        ("工牌了丢怎么补", "badge"),
        ("会议怎室么预订", "meeting-room"),
    ],
    "dropped": [
        ("公积怎么提取", "housing-fund-withdraw"),
        ("婚有几天", "marriage-leave"),
        ("打印怎么连", "printer"),
        ("试用期工怎么发", "probation-pay"),
    ],
}


@pytest.mark.parametrize(
    ("text", "right"), [pytest.param(*case, id=f"{way}: {case[0]}") for way, cases in TYPED.items() for case in cases]
)
def test_the_right_entry_is_found_however_it_is_typed(unaided: Index, text: str, right: str) -> None:
    best, *others = unaided.search(text)
    assert best.entry.id == right and best.score >= 0.85
    assert all(c.score < 0.8 * best.score for c in others)


@pytest.mark.parametrize("text", [text for text, _ in TYPED["traditional"]])
def test_traditional_characters_are_the_very_words(unaided: Index, text: str) -> None:
    assert unaided.search(text)[0].score == 1.0


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [("gjj怎么提", "gjj", "公积金"), ("年加怎么深情", "加", "假"), ("nian假怎么申请", "nian", "年")],
)
def test_what_was_read_as_something_else_is_named(unaided: Index, text: str, old: str, new: str) -> None:
    assert (old, new) in unaided.explain(text)[0].rewrites


@pytest.mark.parametrize("text", ["公积金怎么提取", "年假怎么申请", "公积金提取要怎么办理呢"])
def test_what_is_written_right_is_read_as_it_is(unaided: Index, text: str) -> None:
    assert unaided.explain(text)[0].rewrites == ()


def test_letters_hr_uses_itself_are_not_read_as_anything_else() -> None:
    index = Index([entry("kpi", "kpi 什么时候填"), entry("review", "考评一共几次"), CANTEEN], Synonyms())
    assert index.analyzer.analyze(["kpi怎么填"])[0].rewrites == ()
    assert index.search("kpi怎么填")[0].entry.id == "kpi"


# — Synonyms —


def test_synonyms_make_two_words_one() -> None:
    entries = [entry("mail", "邮箱打不开"), entry("attendance", "考勤系统打不开"), CANTEEN]
    with_group = Index(entries, Synonyms([("考勤系统", "小蓝")]))
    best, *others = with_group.search("小蓝打不开怎么回事呀")
    assert best.entry.id == "attendance" and all(c.score < best.score / 2 for c in others)
    assert with_group.search("小蓝打不开")[0].score >= 0.98
    assert score_of(Index(entries, Synonyms()), "小蓝打不开", "attendance") < 0.9


@pytest.mark.parametrize(
    ("text", "right"),
    [("薪水啥时候发", "pay"), ("薪资何时发", "pay"), ("口令忘了咋整", "password"), ("计算机忘了密码", "password")],
)
def test_everyday_synonyms_are_built_in(text: str, right: str) -> None:
    entries = [entry("pay", "工资什么时候发"), entry("password", "电脑忘记密码"), CANTEEN]
    helped, alone = Index(entries), Index(entries, Synonyms())
    assert helped.search(text)[0].entry.id == right
    assert score_of(helped, text, right) > score_of(alone, text, right)


@pytest.mark.parametrize("text", ["薪水啥时候发", "薪资何时发", "薪酬几时发"])
def test_a_question_of_synonyms_alone_is_as_good_as_the_wording(text: str) -> None:
    index = Index([entry("pay", "工资什么时候发"), CANTEEN])
    assert index.search(text)[0].score >= 0.98


# — Telling entries apart —


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("公租房申请流程", "process", "docs"),
        ("想知道公租房的申请流程", "process", "docs"),
        ("公租房所需材料", "docs", "process"),
        ("公租房要哪些所需材料", "docs", "process"),
        ("离职证明", "leaving", "working"),
        ("离职证明去哪开", "leaving", "working"),
        ("在职证明", "working", "leaving"),
        ("在职证明去哪开", "working", "leaving"),
    ],
)
def test_two_entries_that_differ_in_one_word_are_told_apart_by_it(text: str, right: str, wrong: str) -> None:
    index = Index(
        [
            entry("process", "公租房的申请流程是什么"),
            entry("docs", "公租房的所需材料是什么"),
            entry("leaving", "离职证明怎么开"),
            entry("working", "在职证明怎么开"),
            CANTEEN,
        ]
    )
    best = index.search(text)[0]
    assert best.entry.id == right and best.score > 2 * score_of(index, text, wrong)


def test_a_question_that_fits_two_entries_equally_is_sure_of_neither() -> None:
    index = Index([entry("leaving", "离职证明怎么开"), entry("working", "在职证明怎么开"), CANTEEN])
    first, second, *_ = index.search("证明怎么开")
    assert {first.entry.id, second.entry.id} == {"leaving", "working"}
    assert second.score > 0.5 * first.score and first.score < FITTED_THRESHOLDS["lenient"].answer_at


def test_the_very_words_win_over_the_same_words_but_for_empty_ones() -> None:
    index = Index([entry("one", "年假有几天", "年假几天"), entry("other", "我的年假有几天"), CANTEEN])
    for text in ("年假有几天", "年假几天"):
        best = index.search(text)[0]
        assert (best.entry.id, best.score, best.question) == ("one", 1.0, text)


def test_two_entries_with_the_same_wording_share_one_half() -> None:
    index = Index([entry("one", "年假有几天"), entry("other", "年假有几天"), CANTEEN])
    first, second, *rest = index.search("年假有几天呢")
    assert {first.entry.id, second.entry.id} == {"one", "other"}
    assert first.score == second.score == 0.5 and all(c.score <= 0.5 for c in rest)


@pytest.mark.parametrize("text", ["年假还有几天没休完", "请问年假还有几天没休完呀", "年假还有几天没有休完"])
def test_an_excluded_wording_pulls_its_entry_down(text: str) -> None:
    days, carry = entry("days", "年假有几天"), entry("carry", "没休完的假怎么处理")
    excluding = replace(days, not_=("年假还有几天没休完",))
    plain, without = Index([days, carry, CANTEEN]), Index([excluding, carry, CANTEEN])
    assert plain.search(text)[0].entry.id == "days"
    assert without.search(text)[0].entry.id == "carry"
    assert score_of(without, text, "days") < 0.2


def test_a_question_as_near_to_an_excluded_wording_as_to_the_entrys_own_is_not_certain() -> None:
    days = entry("days", "年假有几天")
    plain, without = Index([days, CANTEEN]), Index([replace(days, not_=("年假有几段",)), CANTEEN])
    assert score_of(plain, "年假有几", "days") > 0.8
    assert score_of(without, "年假有几", "days") == 0.5
    assert score_of(without, "年假有几天", "days") == 1.0


def test_an_excluded_wording_leaves_the_entrys_own_questions_alone() -> None:
    days = entry("days", "年假有几天", "年假一共几天")
    plain = Index([days, CANTEEN])
    without = Index([replace(days, not_=("年假还有几天没休完",)), CANTEEN])
    for text in ("年假有几天", "年假有几天可以休", "一共几天年假"):
        assert without.search(text)[0].score == plain.search(text)[0].score > 0.8


# — Lists —


def test_entries_that_are_not_allowed_do_not_appear_however_many_there_are() -> None:
    index = Index([entry(f"shed-{n}", f"{n} 号仓库几点开门") for n in range(300)])
    for wanted in ({"shed-299"}, {"shed-3", "shed-150", "shed-298"}):
        found = index.search("仓库几点开门", allowed=lambda e, wanted=wanted: e.id in wanted)
        assert set(ids(found)) == wanted
    assert index.search("仓库几点开门", allowed=lambda e: False) == ()


def test_the_very_words_of_an_entry_that_is_not_allowed_leave_the_others(sample: Index) -> None:
    found = sample.search("年假有几天", allowed=lambda e: e.id != "annual-leave-days")
    assert found and "annual-leave-days" not in ids(found) and all(c.score < 0.9 for c in found)


@pytest.mark.parametrize("limit", [1, 2, 3, 8])
def test_a_list_is_as_long_as_asked_for_and_begins_the_same(sample: Index, limit: int) -> None:
    assert sample.search("年假几天", limit=limit) == sample.search("年假几天", limit=10)[:limit]
    assert len(sample.search("年假几天", limit=limit)) == limit


@pytest.mark.parametrize(
    "text", ["宇宙有多大", "红烧肉怎么做", "火星上能种土豆吗", "附近哪里有加油站", "world cup winner", "量子纠缠"]
)
def test_a_stranger_scores_low(sample: Index, text: str) -> None:
    assert all(c.score < 0.2 for c in sample.search(text))


QUESTIONS = [case[0] for cases in TYPED.values() for case in cases]
QUESTIONS += ["宇宙有多大", "离职社保怎么办", "vpn", "出差住宿标准和餐补", "请假", "怎么", "可以吗", "年假年假年假", ""]


def is_a_ranking(found: tuple[Candidate, ...], limit: int = 5) -> bool:
    scores = [c.score for c in found]
    return (
        len(found) <= limit
        and len(set(ids(found))) == len(found)
        and all(0.0 <= s <= 1.0 for s in scores)
        and scores == sorted(scores, reverse=True)
        and all(c.question in c.entry.wordings for c in found)
        and all(0.0 <= c.covered <= 1.0 + 1e-6 for c in found)
    )


def test_scores_are_probabilities_and_fall_along_the_list(sample: Index) -> None:
    for text in QUESTIONS:
        assert is_a_ranking(sample.search(text, limit=30), 30), text
    assert sum(len(sample.search(t)) for t in QUESTIONS) > 3 * len(QUESTIONS)


ODD = [
    "",
    " \n\t",
    "？？？！！。，",
    "😀😀👍🏽",
    "\x00",
    "@小助手",
    "年假" * 3000,
    "nianjia" * 200,
    "x" * 5000,
    "1 2 3",
    "年" * 400,
    "\ue000\ue001",
    "a",
    "的",
    "𠮷野家",
]


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_texts_are_searched_like_others(sample: Index, text: str) -> None:
    for index in (sample, LATIN, SMALL):
        found = index.search(text)
        assert is_a_ranking(found) and len(index.explain(text)) == len(found)


@pytest.mark.parametrize("text", ["", "  ", "？！", "😀", "\ufe0f"])
def test_nothing_is_found_where_nothing_is_asked(sample: Index, text: str) -> None:
    assert sample.search(text) == () == sample.explain(text)


@pytest.mark.parametrize("text", ["ぬぬぬ", "щщщ", "qqqq", "龘靐齉"])
def test_nothing_is_found_where_no_part_is_known(text: str) -> None:
    assert SMALL.search(text) == ()


@given(
    st.one_of(
        st.text(),
        st.text("年假几天有的公积金怎么提取nianjigjj 😀？，1２\u200b", max_size=60),
        st.text(min_size=1, max_size=20).map(lambda t: t * 60),
    )
)
def test_no_text_upsets_it(text: str) -> None:
    for index in (SMALL, LATIN):
        found = index.search(text)
        assert is_a_ranking(found) and len(index.explain(text)) == len(found)


@given(
    st.lists(st.sampled_from(["年假", "几天", "怎么", "提取", "gjj", "工资", "reset", "的"]), max_size=6).map("".join)
)
def test_the_same_text_always_finds_the_same(text: str) -> None:
    again = Index(SMALL.entries)
    assert SMALL.search(text) == SMALL.search(text) == again.search(text)


def test_an_index_of_nothing_answers_nothing() -> None:
    empty = Index(())
    assert empty.search("年假几天") == () == empty.explain("年假几天")
    assert empty.search_batch([SearchQuery("年假几天"), SearchQuery("")]) == [(), ()]
    assert not empty.has_wording("年假几天") and len(HoldOut(empty).sample_rows(10)) == 0


def test_one_entry_alone_is_found_and_strangers_are_not() -> None:
    alone = Index([entry("days", "年假有几天")])
    assert alone.search("年假有几天")[0].score == 1.0
    for stranger in ("打印机", "打印机没纸"):
        assert all(max(c.score, c.listed) < 0.05 for c in alone.search(stranger))


# — Small knowledge, lists —

PARKING = Entry("parking", "停车位怎么申请", "在前台登记")
FEW = [
    PARKING,
    entry("leave", "年假有几天"),
    Entry("meal", "餐补多少钱", "每天二十元"),
    entry("badge", "工牌丢了怎么补"),
    entry("pay", "工资几号发"),
]
BAR = FITTED_THRESHOLDS["balanced"]


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("text", ["怎么申请专利", "专利怎么申请", "房补多少钱", "宠物几号洗澡", "身份证丢了怎么补"])
def test_few_entries_do_not_answer_what_shares_only_everyday_words_with_them(text: str, count: int) -> None:
    assert all(c.score < BAR.answer_at or c.differs for c in Index(FEW[:count]).search(text))


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("text", ["停车位申请", "怎么申请停车位", "停车位在哪申请"])
def test_few_entries_answer_what_shares_their_own_words(text: str, count: int) -> None:
    best = Index(FEW[:count]).search(text)[0]
    assert best.entry.id == "parking" and best.score >= BAR.answer_at


def test_a_word_that_everybody_uses_weighs_less_than_one_of_the_subject() -> None:
    weight = Index(FEW[:2]).table.index.weight
    assert weight("怎么") < 0.8 * weight("车位")
    # Where no entry has either, too.
    assert weight("为什") < 0.9 * weight("专利")


@pytest.mark.parametrize("text", ["试用期多长啊", "我想问下工牌丢了咋弄", "宇宙有多大", "红烧肉怎么做"])
def test_all_of_a_ranking_have_the_same_probability_of_being_listed_rightly(sample: Index, text: str) -> None:
    found = sample.search(text)
    assert len({c.listed for c in found}) == 1 and 0 <= found[0].listed <= 1
    known = "工牌" in text or "试用期" in text
    assert (found[0].listed >= 0.9) if known else (found[0].listed < BAR.offer_at)


def test_a_list_is_likelier_right_than_its_first_entry_where_two_fit() -> None:
    index = Index([entry("leaving", "离职证明怎么开"), entry("working", "在职证明怎么开"), *SMALL.entries])
    found = index.search("开证明找谁")
    assert {c.entry.id for c in found[:2]} == {"leaving", "working"}
    assert found[0].listed > found[0].score


@pytest.mark.parametrize(
    ("text", "right"), [("腾讯试用期多长", "probation-length"), ("华为年终奖什么时候发", "year-end-bonus")]
)
def test_the_name_of_another_company_lowers_the_score_and_the_list(sample: Index, text: str, right: str) -> None:
    plain, foreign = sample.search(text[2:])[0], sample.search(text)[0]
    assert plain.entry.id == foreign.entry.id == right and foreign.differs
    assert max(foreign.score, foreign.listed) < BAR.offer_at < 0.9 < plain.listed


def test_a_difference_of_another_kind_may_still_be_listed() -> None:
    index = Index([entry("hotel", "上海出差住宿标准是多少"), entry("chen", "怎么找陈国强"), *SMALL.entries])
    place, name = index.search("北京出差住宿标准是多少")[0], index.search("怎么找李明华")[0]
    assert place.differs and place.listed > BAR.offer_at
    assert name.differs and name.score < BAR.likely_at > place.score


# — Many texts, explanations —


def test_searching_many_is_searching_one_by_one(sample: Index) -> None:
    texts = [*QUESTIONS, *QUESTIONS[:5]]
    assert sample.search_batch([SearchQuery(t) for t in texts]) == [sample.search(t) for t in texts]
    open_to = {"annual-leave-days", "marriage-leave"}
    assert sample.search_batch([SearchQuery(t, lambda e: e.id in open_to) for t in texts], limit=1) == [
        sample.search(t, allowed=lambda e: e.id in open_to, limit=1) for t in texts
    ]


def test_each_candidate_is_explained_in_order(sample: Index) -> None:
    for text in QUESTIONS:
        for limit in (1, 5):
            found, why = sample.search(text, limit=limit), sample.explain(text, limit=limit)
            assert len(found) == len(why), text
            for candidate, reason in zip(found, why, strict=True):
                covered = max(reason.features["covered"], reason.features["explained"])
                assert covered == pytest.approx(candidate.covered, abs=1e-4), text
    only = {"marriage-leave"}
    assert len(sample.explain("婚假几天", allowed=lambda e: e.id in only)) == 1


def test_an_explanation_names_what_its_wording_lacks() -> None:
    best, *_ = Index([entry("days", "年假怎么休"), CANTEEN]).explain("年假怎么转让")
    assert "转让" in best.uncovered and "年假" not in best.uncovered and "怎么" not in best.uncovered
    latin, *_ = LATIN.explain("reset my voicemail password")
    assert "voicemail" in latin.uncovered and "password" not in latin.uncovered


def test_an_explanation_shows_the_form_that_was_compared() -> None:
    index = Index([entry("fund", "公积金怎么提取"), CANTEEN], Synonyms([("怎么", "如何")]))
    assert index.explain("请问 GJJ 如何提取呢")[0].folded == "公积金怎么提取"


# — Other scripts —


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("reset my password", "password"),
        ("forgot password", "password"),
        ("forgotten passwords", "password"),
        ("RESET PASSWORD!!", "password"),
        ("pasword reset", "password"),
        ("vacation days", "vacation"),
        ("submitting expenses", "expense"),
        ("connecting to wifi", "wifi"),
        ("employee parking", "parking"),
    ],
)
def test_knowledge_in_english_is_found_whatever_the_form_of_the_words(text: str, right: str) -> None:
    assert LATIN.script == "latin"
    assert LATIN.search(text)[0].entry.id == right


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ("submitting", "submit"),
        ("expenses", "expense"),
        ("reports", "report"),
        ("connected", "connecting"),
    ],
)
def test_the_forms_of_a_word_have_one_stem(form: str, word: str) -> None:
    stems = [[f for f in terms_of(w) if f.startswith("w:")] for w in (form, word)]
    assert stems[0] == stems[1] and len(stems[0]) == 1


def test_questions_of_function_words_alone_are_doubtful() -> None:
    assert all(c.score < 0.7 for c in LATIN.search("how do I"))


def test_the_script_is_that_of_most_wordings(sample: Index) -> None:
    assert sample.script == SMALL.script == "han"
    assert Index([*LATIN.entries, entry("days", "年假有几天")]).script == "latin"


# — Meaning —

WORDINGS = (
    "年假有几天", "怎么报销打车费", "工资几号发", "会议室怎么订", "电脑坏了找谁", "社保基数怎么定",
    "离职证明怎么开", "食堂几点开门", "快递放哪里", "停车位怎么申请", "体检去哪家医院", "名片怎么印",
)  # fmt: skip
BY_WORDS = Index([entry(w, w) for w in WORDINGS])
BY_MEANING = BY_WORDS.with_embeddings(np.tile(np.eye(len(WORDINGS), 16, dtype=np.float32), (2, 1)))


def near(wording: str, likeness: float = 0.9) -> Floats:
    """A vector of length 1 that is so much like that of `wording` and like no other."""
    vector = np.zeros(16, dtype=np.float32)
    vector[WORDINGS.index(wording)], vector[15] = likeness, (1 - likeness**2) ** 0.5
    return vector


@pytest.mark.parametrize("text", ["肚子饿", "hungry", "上班前去吃点什么"])
def test_a_vector_finds_the_entry_of_a_question_without_a_common_word(text: str) -> None:
    assert score_of(BY_WORDS, text, "食堂几点开门") < 0.1
    best = BY_MEANING.search(text, embedding=near("食堂几点开门"))[0]
    assert best.entry.id == "食堂几点开门" and best.score > 0.5 and best.covered > 0.3


def test_each_vector_finds_its_own_entry() -> None:
    for wording in WORDINGS:
        assert BY_MEANING.search("qqqq", embedding=near(wording))[0].entry.id == wording


@pytest.mark.parametrize("text", [*WORDINGS, "年假几天", "nianjia几天", "肚子饿", "打车费", "", "怎么"])
def test_without_a_vector_the_words_decide_exactly_as_before(text: str) -> None:
    assert BY_MEANING.search(text) == BY_WORDS.search(text)
    assert BY_MEANING.explain(text) == BY_WORDS.explain(text)
    (query,) = BY_WORDS.analyzer.analyze([text])
    if query.text:
        request = RetrievalRequest(query, held_out=(0,))
        assert HoldOut(BY_MEANING).best_entries([request]) == HoldOut(BY_WORDS).best_entries([request])


@pytest.mark.parametrize("text", ["年假几天", "肚子饿", "打车费"])
def test_without_vectors_of_the_wordings_that_of_the_question_is_nothing(text: str) -> None:
    assert BY_WORDS.search(text, embedding=near("食堂几点开门")) == BY_WORDS.search(text)
    assert HoldOut(BY_WORDS).embedding(0) is None and HoldOut(BY_MEANING).embedding(0) is not None


def test_an_explanation_says_what_the_meaning_gave() -> None:
    found = BY_MEANING.search("肚子饿", embedding=near("食堂几点开门"))
    why = BY_MEANING.explain("肚子饿", embedding=near("食堂几点开门"))
    assert len(found) == len(why) and why[0].features["meaning"] > 0.3
    assert "meaning" not in BY_MEANING.explain("年假几天")[0].features


# — Threads —


def test_an_index_that_is_replaced_is_gone_at_once() -> None:
    index = Index([entry("a", "年假有几天"), entry("b", "病假怎么请")])
    index.search("年假")
    vectors = np.ones((len(index.embedded_texts), 4), dtype=np.float32)
    gone = weakref.ref(index), weakref.ref(embedded := index.with_embeddings(vectors))
    gc.disable()
    try:
        del index, embedded
        assert [reference() for reference in gone] == [None, None]
    finally:
        gc.enable()


def test_searching_from_four_threads_finds_the_same_as_from_one(sample: Index) -> None:
    texts = QUESTIONS * 3
    one, shared = Index(sample.entries), Index(sample.entries)
    expected = [seen(one.search(t)) for t in texts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda t: seen(shared.search(t)), texts))
    assert found == expected


@pytest.mark.parametrize("text", ["产假 上海 天数", "出差 高铁 一等座", "公积金，提取，材料", "试用期 工资 比例"])
def test_words_set_apart_make_no_new_words_where_they_meet(sample: Index, text: str) -> None:
    (apart, *_), (joined, *_) = sample.search(text), sample.search(text.replace(" ", "").replace("，", ""))
    assert apart.entry is joined.entry
    assert apart.covered > joined.covered


def test_a_question_spaced_character_by_character_is_read_as_words():
    index = Index((Entry("annual", "年假有几天", "五天"), Entry("sick", "病假怎么请", "找主管")))
    assert index.search("年 假 有 几 天")[0] == index.search("年假有几天")[0]
