"""An answer about one person is told from one for everybody; names, amounts and numbers in it are named."""

from __future__ import annotations

import pytest

from faqbot.language.personal_answers import Audience, MarkedAnswer, details_to_check, personal_sign, read_mark

PERSONAL = """
您的工资条已重发
您的工资条，已重发，请查收
已经给您重发了
帮您查了，是 3 月 2 号到账
已处理
处理好了
我稍后打给您
我会联系你
已帮你改好了
你的单子批了
您的年假还剩 3 天
您上个月实发 8000 元
可以，我帮您改了
你这个情况比较特殊，找我聊
已重置，新密码发你邮箱了
您的快递单号 SF12345678，在前台
电话 13812345678 找他
林小满的合同下周寄
您的申请被驳回了，缺发票
我让 IT 的同事联系你
您少算了两天，下月补
补上了
""".strip().splitlines()
FOR_EVERYBODY = """
不可以，年假只能自己用。
离职时才能折算。
可以，找张三盖章
您可以在 OA 里提交
每月 10 号发给您
已提交的申请不能撤，要重新提
您的直属主管审批后生效
餐补每天 30 元
如果您已经提交，请联系考勤组改
系统会在 3 个工作日内把结果发给您
每年 12 月 31 日前休完
你在钉钉里点审批就行
已婚的有 3 天
公司已给所有员工买了意外险
内线 8001
您离职后一个月内发
您的部门助理会帮您办
需要您提前 3 天申请
新员工的工牌已统一放在前台，自己去拿
可以的，您去前台领
年假没休完可以结转到次年 3 月
""".strip().splitlines()


@pytest.mark.parametrize("text", PERSONAL)
def test_an_answer_about_one_person_shows_it(text):
    assert personal_sign(text, "林小满")


@pytest.mark.parametrize("text", FOR_EVERYBODY)
def test_an_answer_for_everybody_shows_nothing(text):
    assert personal_sign(text, "林小满") == ""


def test_the_sign_is_in_the_answer():
    assert personal_sign("您好，您的工资条已重发。") in "您好，您的工资条已重发。"


@pytest.mark.parametrize(
    ("text", "answer", "audience"),
    [
        ("仅此人：已办", "已办", Audience.ASKER),
        ("每年 10 天，仅此人", "每年 10 天", Audience.ASKER),
        ("每年 10 天（仅此人）", "每年 10 天", Audience.ASKER),
        ("【仅此人】\n好的\n可以", "好的\n可以", Audience.ASKER),
        ("存为问答：您的已重发", "您的已重发", Audience.EVERYBODY),
        ("存为问答", "", Audience.EVERYBODY),
        ("仅此人", "", Audience.ASKER),
        ("这事仅此人知道的规定", "这事仅此人知道的规定", Audience.UNMARKED),
        ("收入证明不用存档", "收入证明不用存档", Audience.UNMARKED),
    ],
)
def test_a_mark_stands_at_the_edge_of_the_answer(text, answer, audience):
    assert read_mark(text) == MarkedAnswer(answer, audience)


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("餐补每天 30 元，找张三盖章，工号 A12345", ["30 元", "A12345", "张三"]),
        ("给王老师打电话 021-55667788", ["021-55667788", "王老师"]),
        ("罚 1,000 元，2026 年 12 月 31 日前", ["1,000 元"]),
        ("李主管审批，和周晓明说一声", ["李主管", "周晓明"]),
        ("每年 10 天，找行政组", []),
    ],
)
def test_what_may_not_be_for_everybody_is_listed(text, details):
    assert list(details_to_check(text)) == details
