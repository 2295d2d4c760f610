"""Places are read by name, nickname, district or abbreviation, and not in what is only called after one."""

from __future__ import annotations

import pytest

from faqbot.language.gazetteer import is_place, place_mentions
from faqbot.language.normalize import normalise
from faqbot.language.place_words import place_words
from faqbot.language.vocabulary import places


def cities(text: str) -> tuple[str, ...]:
    return tuple(mention.name for mention in place_mentions(normalise(text)))


@pytest.mark.parametrize(
    ("text", "city"),
    [
        ("我在深圳", "深圳"),
        ("广东省深圳市", "深圳"),
        ("魔都的社保", "上海"),
        ("帝都公积金", "北京"),
        ("在羊城上班", "广州"),
        ("鹏城", "深圳"),
        ("我人在姑苏", "苏州"),
        ("沪上同事", "上海"),
        ("在沪工作", "上海"),
        ("驻京办公", "北京"),
        ("base深", "深圳"),
        ("base bj", "北京"),
        ("我 base Shanghai", "上海"),
        ("那沪的呢", "上海"),
        ("京", "北京"),
        ("上海浦东的", "上海"),
        ("我在浦东", "上海"),
        ("望京这边", "北京"),
        ("苏州工业园区", "苏州"),
        ("我在中山", "中山"),
        ("中山分公司的", "中山"),
        ("大连的产假", "大连"),
        ("我在朝阳区", "北京"),
        ("国外", "国外"),
    ],
)
def test_a_place_is_read_in_many_forms(text, city):
    assert cities(text) == (city,)


@pytest.mark.parametrize(
    "text",
    [
        "上海迪士尼门票", "北京时间几点", "南京路怎么走", "南京东路门店", "中山路", "北京烤鸭能报吗", "北京银行卡",
        "上海地铁怎么报", "北京户口", "上海牌照", "成都火锅", "天津麻花", "京东卡怎么领", "深夜打车", "在深入研究",
        "审批完成都要多久", "形成都可以", "大同小异", "日照时间", "更新余额", "阿里云账号", "三明治", "担保定金",
        "确定西区", "经常德语", "普通化妆品", "东西安全吗", "江南京剧", "大理由", "汉语考试", "宁可不要",
        "津贴怎么发", "在津贴里", "sh脚本", "bjd", "大连接", "当日本人打卡", "沪深300", "在汉语角", "深造补贴",
        "新乡村", "天水围", "在京东买",
    ],
)  # fmt: skip
def test_what_is_called_after_a_place_or_only_looks_like_one_is_none(text):
    assert cities(text) == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("北京和上海", ("北京", "上海")),
        ("京沪两地", ("北京", "上海")),
        ("魔都还是帝都", ("上海", "北京")),
        ("浙江杭州", ("杭州",)),
        ("杭州和余杭", ("杭州", "杭州")),
    ],
)
def test_what_is_part_of_the_same_is_one_place(text, named):
    assert cities(text) == named


def test_a_district_keeps_the_names_of_what_it_is_part_of() -> None:
    (mention,) = place_mentions("我在福田区那边")
    assert mention.names == ("福田", "深圳", "广东") and mention.name == "深圳"
    (mention,) = place_mentions("我在余杭")
    assert mention.names == ("余杭", "杭州", "浙江")


def test_is_place_takes_names_only() -> None:
    assert is_place("杭州") and is_place("广东省深圳市")
    assert not is_place("杭州的") and not is_place("帝都")


def test_other_words_lead_to_cities_that_are_known() -> None:
    words, names = place_words(), set(places().names)
    cities = [
        *words.nicknames.values(),
        *words.districts.values(),
        *words.abbreviations.values(),
        *words.latin.values(),
    ]
    assert set(cities) <= names and {name for group in words.groups.values() for name in group} <= names
    assert set(words.not_behind) | set(words.not_before) <= names
    assert set(words.nicknames).isdisjoint(words.districts)
