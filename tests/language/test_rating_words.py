"""Which whole messages say whether an answer helped, and which only hold the same words."""

from __future__ import annotations

import pytest

from faqbot.language.rating_words import SaidRating, is_refusal, said_rating

ALWAYS = {
    "helpful": "有用 很有用 有帮助 帮到我了 非常有帮助 帮上忙了 有用谢谢",
    "unhelpful": """
        没用 没解决我的问题 没有帮助到我 没啥用 没什么用 不太有用 不怎么有用 用处不大 没帮助 没帮上忙 不管用 还是没用
        没什么帮助啊 一点用都没有 白问了 這個沒用 你说的没用
        """,
    "not_asked": """
        答非所问 跟我问的没关系 你答非所问 不是我问的 我问的不是这个 我没问这个 牛头不对马嘴 文不对题 你没理解我的意思
        没回答我的问题 不是我要的 你理解错了 我不是问这个
        """,
}
AFTER = {
    "helpful": "解决了 对的 很准 就是这个 没错 搞定了",
    "unhelpful": "不对 不太对 还是不行 好像不对 没解决 还是没解决 不太行 感觉不对啊 你说的不对",
    "not_asked": "不是这个 不是这样的 不是这个意思 不是一回事",
    "outdated": "过期 过期了 过时了 都是旧的了 早就过期了 已经过期",
    "inaccurate": "不准 不准确 说错了 你答错了 不太准 瞎说 胡说八道",
    "unclear": "看不懂 看得一头雾水 没看懂 还是不懂 太复杂了 不明白 看不太懂 太长了",
}
OTHERS = """
    有用的证件是哪些 没用完的年假怎么办 用处在哪 没用过怎么申请 不准请假吗 不准时怎么算 不对外的系统 过期药品怎么处理
    过期发票能报吗 旧的工牌怎么办 解决方案在哪 对的时间 错了怎么改 打错卡 算错工资怎么办 写错发票抬头
    看不懂工资条怎么办 不行使权利 不懂业务 不明白公积金怎么取 太长的假 复杂流程 帮助 没帮助他人 不是正式员工
    不是这个月 不是这个部门的 没错过报名 不满意可以投诉吗 白问卷 没用吗 不对吗 准吗 满意度 年假 谢谢 好的 1 不是工作日
    """


@pytest.mark.parametrize(
    ("text", "rating"), [(text, SaidRating(name, True)) for name, texts in ALWAYS.items() for text in texts.split()]
)
def test_some_rate_at_any_time(text, rating):
    assert said_rating(text) == rating


@pytest.mark.parametrize(
    ("text", "rating"), [(text, SaidRating(name, False)) for name, texts in AFTER.items() for text in texts.split()]
)
def test_others_rate_what_was_just_answered(text, rating):
    assert said_rating(text) == rating


@pytest.mark.parametrize("text", OTHERS.split())
def test_anything_else_rates_nothing(text):
    assert said_rating(text) is None
    assert not is_refusal(text)


@pytest.mark.parametrize("text", ["不是", "不是的", "不是啊", "好像不是"])
def test_a_bare_refusal_is_known(text):
    assert is_refusal(text) and said_rating(text) is None
