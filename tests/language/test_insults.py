"""Insults are recognised in their spellings, and taken out of a question; words that only look alike stay."""

from __future__ import annotations

import pytest

from faqbot.language.insults import only_insults, without_insults

INSULTS = """
    傻逼 破机器人 你是不是傻 闭嘴 气死我了 傻B 傻x 煞笔 沙雕 sb SB s.b s_b 傻.逼 傻*逼 傻_逼 你是傻逼吗 大傻逼 傻叉
    傻缺 shabi 他妈的 特么的 tmd TMD 妈的 草泥马 操你妈 cnm c_n_m nmsl mmp rnm 卧槽 我操 我靠 沃日 wtf fuck fuck_you
    shit stupid idiot 狗屁不通 放屁 屁用没有 滚 滚蛋 滚犊子 给我滚 去死 去死吧 王八蛋 混蛋 贱人 畜生 脑残 弱智 智障
    人工智障 白痴 蠢货 二百五 垃圾 垃圾机器人 你真垃圾 废物 你这个废物 真是个废物 你是猪吗 你好蠢 你太笨了 辣鸡 lj
    你有病吧 神经病 你脑子有病 脑子进水了 草 操 靠 md 呸 尼玛 你妈的 你妹的 你大爷的 什么狗东西 傻逼机器人
    死机器人垃圾 机器人真垃圾 什么破玩意儿垃圾 傻瓜机器人 你这智障 骗子 你真恶心 你好烦人 傻屄 你是弱智吧
    破机器人真垃圾 这机器人是智障吧 妳是豬嗎 廢物 傻逼玩意 fuck!!! 真他妈的傻逼 你他妈的 bullshit 蠢猪 垃圾东西
    """

CLEANED = [
    ("傻逼机器人，年假到底几天", "年假到底几天"), ("年假几天啊傻逼", "年假几天啊"), ("这tm怎么报销", "这 怎么报销"),
    ("他妈的工资什么时候发", "工资什么时候发"),
    ("卧槽工牌丢了怎么办", "工牌丢了怎么办"), ("妈的，打卡又失败了怎么补", "打卡又失败了怎么补"),
    ("sb 公积金怎么取", "公积金怎么取"),
    ("你真笨，我问的是病假工资", "我问的是病假工资"), ("垃圾机器人 婚假几天", "婚假几天"),
    ("什么时候发工资 tmd", "什么时候发工资"),
    ("年假几天 cnm", "年假几天"), ("我靠加班费怎么算的", "加班费怎么算的"),
    ("fuck how to reset password", "how to reset password"),
    ("人工 你们这帮傻逼", "人工 你们这帮"), ("報銷怎麼這麼慢 操你媽", "報銷怎麼這麼慢"),
]  # fmt: skip

CLEAN = """
    垃圾怎么分类 垃圾分类怎么扣分 垃圾桶放哪 废物怎么处理 危险废物谁来收 废物处理流程 智障员工补贴
    残疾智障人士能报名吗 我妈的医保能报吗 他妈的医保怎么交 丈母娘生病能请假吗 你有病假吗 你们有病假工资吗 有病能请假吗
    有病历怎么办 神经病学体检吗 神经科报销 我靠谱的同事 我靠什么登录 滚动字幕怎么改 滚筒洗衣机 草稿在哪 草案 操作手册
    操场 实操考试 日常报销 我日常打卡 工作日 干你们这行 屁股疼请假 狗能带来吗 带狗上班 猪肉 死亡抚恤金 丧假
    直系亲属去世 伤亡 死机怎么办 电脑死机了 机器死机 笨重物品 傻瓜相机 傻瓜式教程 呆账 烂尾楼 渣土车 弱电间 差劲
    靠窗工位 靠近 依靠 md5 md文件 sb-200 sbc usb USB接口 ssb tm码 tmall 商标tm lj001 nc代码 zz 2b铅笔 无能力 混合办公
    混账单 贱卖 二货架 二百五十元 去你们公司 去死角检查 放屁股垫 妈妈生病 我妈 他妈 你妈妈节放假吗 奶妈 陪妈妈看病
    骗子电话 遇到骗子怎么办 诈骗 坑位 恶心呕吐请假 变态反应 讨厌的同事 弱势群体 我擦桌子 卧室 我操心 老子公司
    机器人怎么充电 机器人坏了 ai工具 客服电话 东西丢了 沙比亚 啥比例 傻子 有毛病的设备 你们公司烂尾 scnmx 草莓
    年假几天
    """


@pytest.mark.parametrize("text", INSULTS.split())
def test_insults_are_recognised_in_their_spellings(text):
    text = text.replace("_", " ")
    assert only_insults(text)
    assert without_insults(text) == text


@pytest.mark.parametrize(("text", "clean"), CLEANED)
def test_an_insult_is_taken_out_of_a_question(text, clean):
    assert without_insults(text) == clean
    assert not only_insults(text)


@pytest.mark.parametrize("text", CLEAN.split())
def test_words_that_look_alike_stay(text):
    assert without_insults(text) == text
    assert text in ("差劲", "zz") or not only_insults(text)
