"""The built-in synonyms unify what asks the same in any company, and nothing by which answers differ."""

from __future__ import annotations

import pytest

from faqbot.language.normalize import Synonyms, normalise, skeleton, strip_fillers
from faqbot.language.vocabulary import builtin_synonyms

SYNONYMS = Synonyms(builtin_synonyms().groups)
ENDINGS = """
    吗 呢 啊 呀 吧 哈 呗 鸭 伐 吼 咩 捏 撒 嘞 噻 咯 不 不嘞 没 急 谢谢大家 求解答 在线等急急急 哈哈哈
"""
OPENINGS = """
    哈喽 不好意思，打扰一下， HR你好， 早上好， 各位同事， 求助！ 我想咨询一下 弱弱地问一下 哈哈 有人知道
"""


def compared(text: str) -> str:
    return skeleton(SYNONYMS.apply(strip_fillers(normalise(text))))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("多少钱", "费用"),
        ("多少钱", "价格"),
        ("换工牌", "改工牌"),
        ("换成钱", "更换钱"),
        ("更换地址", "更新地址"),
        ("更换密码", "修改密码"),
        ("取消账号", "注销账号"),
        ("取消会议", "关闭会议"),
        ("关闭账号", "停用账号"),
        ("取消订单", "退订"),
        ("不能报销", "无法报销"),
        ("不可以登录", "无法登录"),
        ("不行", "没办法"),
        ("休假手续", "休假程序"),
        ("小程序", "小步骤"),
        ("手续费", "步骤费"),
        ("入职证件", "入职材料"),
        ("证件丢了", "资料丢了"),
        ("贷款", "借款"),
        ("还贷", "还款"),
        ("打开文件", "开通文件"),
        ("绩效表现", "绩效症状"),
        ("电话号码", "手机号"),
        ("手机应用", "手机使用"),
        ("发给谁", "寄送谁"),
        ("内部推荐", "内部建议"),
        ("消息", "信息"),
        ("带薪休假", "年假"),
        ("采购电脑", "购买电脑"),
        ("发钱", "工资"),
        ("改掉了", "改丢失"),
        ("不同城市", "区别城市"),
        ("检查", "检查询"),
        ("体检查询", "体检"),
        ("办公用品", "办理公用品"),
        ("功能", "功可以"),
        ("未来", "没有来"),
        ("几乎", "多少乎"),
        ("企业微信", "公司微信"),
    ],
)
def test_words_by_which_answers_differ_are_not_unified(one: str, other: str) -> None:
    assert compared(one) != compared(other)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("工牌丢了咋整", "工牌丢了怎么办"),
        ("工牌搞丢了咋个办", "工牌丢失怎么办"),
        ("发票丢了怎么弄", "发票丢了怎么处理"),
        ("缺卡该怎么办", "缺卡怎么办"),
        ("年假肿么请", "年假怎么请"),
        ("凭啥扣我工资", "为什么扣我工资"),
        ("有木有年终奖", "有没有年终奖"),
        ("啥时候发薪", "什么时候发工资"),
        ("停车怎么收费", "停车多少钱"),
        ("停车位收费多少", "停车位多少钱"),
        ("换个工牌", "更换工牌"),
        ("更改地址", "修改地址"),
        ("电脑上不去没法登陆", "电脑上不去无法登录"),
        ("个人所得税几号扣", "个税几号扣"),
        ("爸妈能体检不", "父母可以体检吗"),
        ("老丈人去世", "岳父去世"),
        ("报账要多久", "报销要多长时间"),
        ("离职流程", "离职手续"),
        ("离职能折现吗", "离职可以折现吗"),
        ("春节能休几天", "春节可以休几天"),
        ("已经办了怎么查", "已经办理了怎么查询"),
        ("办公积金要什么", "办理公积金要什么"),
        ("几个钟头", "几个小时"),
    ],
)
def test_other_words_for_the_same_are_unified(typed: str, meant: str) -> None:
    assert compared(typed) == compared(meant)


@pytest.mark.parametrize("ending", ENDINGS.split())
def test_colloquial_endings_ask_the_same(ending: str) -> None:
    assert compared(f"实习生给年终奖{ending}") == compared("实习生给年终奖")


@pytest.mark.parametrize("start", OPENINGS.split())
def test_openings_ask_nothing(start: str) -> None:
    assert compared(f"{start}实习生给年终奖吗") == compared("实习生给年终奖")


@pytest.mark.parametrize("text", ["年假还有没", "系统可不可", "流程要不要", "打印机着急", "业务应急"])
def test_an_ending_that_is_part_of_a_word_stays(text: str) -> None:
    assert strip_fillers(normalise(text)) == text
