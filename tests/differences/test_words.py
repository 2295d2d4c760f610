"""Words in each other's place, parties in each other's order and names of others are found, and slips are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.differences.finder import DifferenceFinder
from faqbot.language.normalize import Synonyms
from faqbot.language.vocabulary import builtin_synonyms
from faqbot.model.differences import DifferenceKind as Kind
from faqbot.model.entries import Entry

SYNONYMS = Synonyms(builtin_synonyms().groups)
FINDER = DifferenceFinder((), SYNONYMS)


def kinds(question: str, wording: str, answer: str = "见制度。") -> set[Kind]:
    entry = Entry("x", wording, answer)
    return {difference.kind for difference in FINDER.differences(FINDER.read(question), wording, entry)}


@pytest.mark.parametrize(
    ("question", "wording", "kind"),
    [
        # Time beside an event.
        ("离职前档案怎么转", "离职后档案怎么转", Kind.BEFORE_AFTER),
        ("报到当天要带什么", "报到前要带什么", Kind.BEFORE_AFTER),
        ("饭后多久吃药", "饭前多久吃药", Kind.BEFORE_AFTER),
        # Direction and roles.
        ("深圳寄到广州要几天", "从广州寄到深圳要几天", Kind.DIRECTION),
        ("员工替主管补卡怎么弄", "主管替员工补卡怎么弄", Kind.DIRECTION),
        ("怎么把PDF转成Word", "怎么把Word转成PDF", Kind.DIRECTION),
        ("我们投诉客户怎么处理", "客户投诉怎么处理", Kind.DIRECTION),
        ("住在苏州，在无锡上班", "住在无锡，在苏州上班", Kind.DIRECTION),
        # Sides.
        ("早班几点换岗", "晚班几点换岗", Kind.SERIES),
        ("怎么卸载杀毒软件", "怎么安装杀毒软件", Kind.OPPOSITE),
        ("报销最早什么时候交", "报销最晚什么时候交", Kind.OPPOSITE),
        ("销售总监在几楼", "销售经理在几楼", Kind.SERIES),
        # Names and codes.
        ("找刘波领什么", "找刘洋领什么", Kind.NAME),
        ("找刘洋波领什么", "找刘洋领什么", Kind.NAME),
        ("腾讯的年会在哪开", "年会在哪开", Kind.NAME),
        ("什么是OKP", "什么是OKR", Kind.CODE),
        ("HP-2050打印机怎么装", "HP-2055打印机怎么装", Kind.CODE),
        ("B班几点换岗", "A班几点换岗", Kind.CODE),
        ("python怎么装", "怎么装软件", Kind.CODE),
        # Places.
        ("去法国出差补多少", "去德国出差补多少", Kind.PLACE),
        ("从无锡运到上海要几天", "从宁波运到上海要几天", Kind.PLACE),
        # Families and conditions.
        ("考试假怎么请", "婚假怎么请", Kind.FAMILY),
        ("临时工加班费怎么算", "加班费怎么算", Kind.CONDITION),
        ("餐补可以提现吗", "餐补怎么领", Kind.CONDITION),
        # Replaced characters and words.
        ("乙类库房谁管", "甲类库房谁管", Kind.NAME),
        ("借入的设备怎么登记", "借出的设备怎么登记", Kind.NAME),
        ("健身房怎么预订", "会议室怎么预订", Kind.SUBJECT),
    ],
)
def test_another_thing_differs(question: str, wording: str, kind: Kind) -> None:
    assert kind in kinds(question, wording)


@pytest.mark.parametrize(
    ("question", "wording"),
    [
        ("离职之后档案如何转", "离职后档案怎么转"),
        ("广州寄到深圳几天", "从广州寄到深圳要几天"),
        ("主管怎么给下属做评价", "主管怎么评价下属"),
        ("下属的评价，主管怎么写", "主管怎么评价下属"),
        ("欠仓库的货，门店怎么还", "门店欠仓库的货怎么还"),
        ("OKR是什么", "什么是OKR"),
        ("hp2055打印机怎么安装", "HP-2055打印机怎么装"),
        ("领什么要找刘洋", "找刘洋领什么"),
        ("谁是采购经理", "采购经理是谁"),
        ("年价有几天", "年假有几天"),
        ("怎么报消车费", "怎么报销车费"),
        ("陈国墙管什么", "陈国强管什么"),
        ("早晨几点开门", "早上几点开门"),
        ("fp怎么开", "发票怎么开"),
        ("门禁如何打开", "门禁怎么开"),
    ],
)
def test_the_same_thing_in_other_words_does_not(question: str, wording: str) -> None:
    assert kinds(question, wording) == set()


def test_what_the_answer_speaks_of_is_no_stranger() -> None:
    assert kinds("健身房怎么预订", "会议室怎么预订", "健身房和会议室都在 OA 里订。") == set()
    assert kinds("临时工加班费怎么算", "加班费怎么算", "临时工也一样。") == set()
    assert kinds("去杭州住店能报多少", "去上海住店能报多少", "上海 600 元，其余城市 450 元。") == set()


def test_a_word_by_which_two_entries_differ_decides_between_them() -> None:
    red, blue = Entry("red", "洗衣液桶怎么放", "放左边。"), Entry("blue", "洗手液桶怎么放", "放右边。")
    assert {d.kind for d in FINDER.differences(FINDER.read(blue.question), red.question, red)} <= {Kind.NAME}
    bags, boxes = Entry("bags", "网袋怎么退", "退给仓库。"), Entry("boxes", "纸箱子怎么退", "不用退。")
    finder = DifferenceFinder([bags, boxes], SYNONYMS)
    found = finder.differences(finder.read("纸箱子怎么退"), bags.question, bags)
    assert [(d.asked, d.written) for d in found] == [("纸箱子", "网袋")]


def test_a_traditional_text_is_read_as_its_simplified_form() -> None:
    assert kinds("採購超過8000元找誰簽字", "采购超过8000元找谁签字") == set()
    assert kinds("採購超過800元找誰簽字", "采购超过8000元找谁签字") == {Kind.NUMBER}


TEXTS = st.text(
    st.one_of(st.sampled_from("第一二十半年个点周星期到不没转给从前后第3级A-7 .元%×假"), st.characters()), max_size=60
)


@given(TEXTS, TEXTS)
def test_any_two_texts_can_be_compared_and_none_differs_from_itself(question: str, wording: str) -> None:
    kinds(question, wording)
    assert kinds(question, question) == set()
