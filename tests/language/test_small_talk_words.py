"""A message without a subject is told from a question by its words: all of them must say nothing."""

from __future__ import annotations

import pytest

from faqbot.language.small_talk_words import ChatKind, chat_kind, is_unspecific

UNSPECIFIC = """
    是什么 几天 怎么申请 什么时候 多少钱 什么 需要提前几天 要什么材料 找谁 怎么办 多久 这个怎么弄 那个多少钱 67890
    13900001111 2+3等于几 3.14*2 人 5000块 3天 流程是什么 有什么要求 我想问个问题 怎么查 在哪里办 要交钱吗 申请流程
    怎么算 为什么 有没有 可以吗 找哪个部门办 走什么流程 怎么开 到底怎么操作啊 几号 什么意思 咋整 多少 how A
    请问怎么领 公司有规定吗
"""
SPECIFIC = """
    什么时候发工资 怎么请假 走人要提前几天 年会几号 怎么报销 用车找谁 找人事 开会怎么办 手续费 过年几天 退钱 加班
    VPN 工号 怎么转正 钱什么时候发 假怎么请 卡怎么办 报到时间 996福利 入职 食堂 交通费 提成 产假 分机号多少 发票 年终
    交接 收入证明 5000元以上找谁批 证明怎么开 联系方式 联系电话 体检 wifi
"""
CHAT = """
    你吃了吗 我好累 我好困啊 说个笑话 真不想上班 今天不想上班 你几岁 你叫什么名字 你是真人吗 你真棒 你太厉害了 唱首歌
    来讲个故事 好无聊 陪我聊聊天 你喜欢我吗 画一张图 上班好累 你是男的女的 烦死了 好困 你有女朋友吗 写首诗 饿了
"""
COMPLAINTS = "你好笨 真是个破玩意儿垃圾 你怎么这么笨 听不懂人话 机器人真蠢 太差了 你这个垃圾机器人 真没用"
QUESTIONS = """
    我不想上班了怎么辞职 食堂吃饭吗 你们几点下班 饿了么怎么报销 焦虑怎么办 抑郁了怎么办 我很焦虑 垃圾扔哪里 讲师费
    女朋友能一起体检吗 结婚几天假 生日送礼物吗 我要结婚了 名字写错了 年假 对象能办落户吗 累计工龄 住哪里
    加班累了能调休吗 困难补助 睡觉的地方 人才公寓 爱心捐款 男员工陪产假 你们公司好吗 人工 今天好冷 明天会下雨吗
    写作文怎么报名 图片怎么上传 我想生孩子 忙不过来怎么办 打卡太麻烦
"""


@pytest.mark.parametrize("text", UNSPECIFIC.split())
def test_question_words_alone_do_not_say_what_is_asked(text: str) -> None:
    assert is_unspecific(text)


@pytest.mark.parametrize("text", SPECIFIC.split())
def test_one_word_of_a_subject_is_enough(text: str) -> None:
    assert not is_unspecific(text)


@pytest.mark.parametrize("text", CHAT.split())
def test_chat_is_recognised(text: str) -> None:
    assert chat_kind(text) is ChatKind.CHAT


@pytest.mark.parametrize("text", COMPLAINTS.split())
def test_complaints_about_the_bot_are_recognised(text: str) -> None:
    assert chat_kind(text) is ChatKind.COMPLAINT


@pytest.mark.parametrize("text", [*QUESTIONS.split(), *SPECIFIC.split()])
def test_a_question_is_no_chat(text: str) -> None:
    assert chat_kind(text) is None


def test_what_is_long_says_something() -> None:
    assert not is_unspecific("怎么申请" * 10)
    assert chat_kind("我好累" * 10) is None
    assert not is_unspecific("") and chat_kind("") is None
