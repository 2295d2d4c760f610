"""Ways of saying the same that hold in any company: question words, everyday verbs, a little HR vocabulary.

The first word of a line stands for all of them. Only words whose difference never decides between two answers are here;
what a company calls its own things belongs into `synonyms.yaml`.
"""

from __future__ import annotations

_LINES = """
怎么 怎么样可以 怎么样才能 怎么样能 怎样可以 怎么可以 如何可以
怎么 怎样 如何 咋 咋个 怎么着 怎么才能 如何才能 怎样才能 要怎么 该怎么 应该怎么 该如何 应如何 应该如何 要如何
什么 啥 甚么 哪些
为什么 为啥 为何 怎么回事 什么原因 咋回事
多少 几
什么时候 啥时候 何时 几时 什么时间 啥时间 哪天
哪里 哪儿 在哪 何处 什么地方 啥地方
可以 能 能够 可 可否 能否 能不能 可不可以 是否可以 是否能 是不是可以
有没有 有无 是否有 是不是有
是否 是不是
没有 没 未
需要 需 须 必须 用不用
多长时间 多久 多长
多少钱 费用 价格 价钱 什么价 收费 几钱
更换 更改 变更 修改 改变 改 换 改成 换成 更新 换个 改一下
查询 查 查看 查下 查一下 查查 查找
办理 办 申办 办一下
申请 提出申请 申请办理
开通 开启 打开 启用
取消 关闭 关掉 停用 注销 退订
无法 不能 没法 不可以 没办法
收不到 没收到 未收到 接收不到 没有收到
怎么办 咋办 怎么处理 如何处理 怎么解决 如何解决 怎样处理 怎样解决
区别 不同 差别 差异 不一样
步骤 流程 程序 手续
材料 资料 证件
方法 办法 方式 途径 渠道
忘记 忘 忘了 忘掉 不记得
丢失 丢 丢了 遗失 不见了 弄丢 掉了
购买 买 购
还款 还钱 还贷
借款 贷款 借钱 借贷
账户 账号 帐号 帐户
登录 登陆 登入
密码 口令
设置 设定
失败 不成功 没成功 不通过 没通过
目前 现在 当前 如今
马上 立刻 立即 尽快
员工 职工 雇员 受雇者 劳工
公司 单位 企业
工资 薪水 薪资 薪酬 发钱
年假 年休假 带薪年假 带薪年休假 带薪休假
公积金 住房公积金 gjj
社保 社会保险
离职 辞职
孩子 小孩 儿童 宝宝 小朋友
治疗 医治
引起 导致 造成
生育 分娩 生孩子
电脑 计算机
手机号 手机号码 电话号码 电话号
使用 运用 应用
发送 发给 寄送
症状 表现
小时 钟头
没办法 不行 不了
信息 讯息 消息
推荐 建议
"""

# Function words say little about what is asked; they weigh this much of what their rarity gives them.
STOP_WEIGHT = 0.5
_STOP_WORDS = """
a an the is are am was were be been do does did i my me you your it its of to in on at for and or can
could would will should how what when where why who which if this that these those have has had please
tell with from need want get there any some so as by not just about
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

GROUPS: tuple[tuple[str, ...], ...] = tuple(tuple(line.split()) for line in _LINES.split("\n") if line)
