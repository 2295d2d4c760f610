"""`automations.yaml`: what it may say, in two languages, and how each mistake is told."""

from __future__ import annotations

from datetime import date, time

import pytest

from faqbot.knowledge.snapshot import build_snapshot
from faqbot.rules.definitions import AddContact, AttendanceReport, EventTrigger, HttpPost, Notify
from faqbot.rules.parser import read_automations
from faqbot.rules.schedule import Cron, Daily, Days, Monthly

CONTRACT = """\
robots:                                     # signed custom group robots
  all-hands: {token: $ROBOT_ALL_TOKEN, secret: $ROBOT_ALL_SECRET}
  sales:     {token: $ROBOT_SALES_TOKEN, secret: $ROBOT_SALES_SECRET}
automations:
  - id: standup
    when: {at: "09:00", on: workday}        # workday knows holidays and make-up Saturdays
    do: [{notify: {robot: all-hands, text: 早啊！站会开始啰～, at_mobiles: ["138…"], at_all: false}}]
    missed: skip                            # skip | once
  - id: new-customer
    when: {event: crm.customer.created, if: "amount > 100000 and region == '华东'"}
    do: [{notify: {robot: sales, markdown: "### 新客户 {name}\\n负责人 {owner}"}}]
  - id: onboarding
    when: {event: hr.employee.joined}
    do:
      - add_contact: {userid: "{id}", name: "{name}", mobile: "{mobile}", departments: ["{dept}"]}
      - notify: {robot: all-hands, text: "欢迎 {name} 加入！"}
  - id: attendance
    when: {monthly: 1, on: workday, at: "09:40"}
    do: [{attendance_report: {month: last, departments: [1], robot: all-hands, at: supervisors}}]
hooks: {crm.*: {token: $CRM_HOOK_TOKEN}}
allow_http: [erp.example.internal]
calendar: {holidays: [2026-12-25], workdays: [2026-10-07]}
"""


def read(text):
    return read_automations("automations.yaml", text.encode())


def rule(line):
    """The one rule of a file with a robot `r`."""
    found = read(f"robots: {{r: {{token: $T, secret: $S}}}}\nallow_http: [erp]\nautomations:\n  - {line}\n")
    return found.automations.rules[0], found


def test_the_contract_is_read_without_a_problem():
    found = read(CONTRACT)
    assert found.ok
    assert found.problems == ()
    a = found.automations
    assert a.robots["sales"].token.variable == "ROBOT_SALES_TOKEN"
    assert (
        a.robots["sales"]
        .blocked_reason({"ROBOT_SALES_TOKEN": "x", "ROBOT_SALES_SECRET": ""}.__getitem__)
        .endswith("还没有设置环境变量 ROBOT_SALES_SECRET")
    )
    assert [r.id for r in a.rules] == ["standup", "new-customer", "onboarding", "attendance"]
    assert [r.trigger for r in a.rules] == [
        Daily(time(9), Days("workday")),
        EventTrigger("crm.customer.created"),
        EventTrigger("hr.employee.joined"),
        Monthly(1, time(9, 40), on_workday=True),
    ]
    assert [type(action) for r in a.rules for action in r.actions] == [
        Notify,
        Notify,
        AddContact,
        Notify,
        AttendanceReport,
    ]
    assert a.webhook_tokens[0].allows("crm.customer.created")
    assert not a.webhook_tokens[0].allows("hr.employee.joined")
    assert a.allow_http == {"erp.example.internal"}
    assert a.calendar.is_workday(date(2026, 10, 7))
    assert not a.calendar.is_workday(date(2026, 12, 25))


def test_chinese_words_are_equal_citizens():
    found = read("""\
机器人: {全员: {令牌: $T, 密钥: $S}}
自动任务:
  - 编号: 早会
    什么时候: {时间: 9点半, 日子: 工作日}
    做什么: [{通知: {机器人: 全员, 文字: 开会啦, 提醒所有人: 是}}]
    错过: 补一次
  - 编号: 周报
    什么时候: {时间: 17：30, 日子: [周五, 星期日]}
    做什么: [{通知: {人: u1, 正文: 交周报}}]
  - 编号: 月结
    什么时候: {每月: 最后一个工作日, 时间: 16:00}
    做什么: [{通知: {群: cid1, 文字: 月结}}]
日历: {放假: [2026年12月25日]}
""")
    assert found.problems == ()
    first, second, third = found.automations.rules
    assert (first.trigger, first.misfire_policy) == (Daily(time(9, 30), Days("workday")), "once")
    assert second.trigger == Daily(time(17, 30), Days("weekdays", frozenset({4, 6})))
    assert third.trigger == Monthly(0, time(16))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{id: a, when: {at: '09:00'}}", "没有写做什么"),
        ("{id: a, do: [{notify: {robot: r, text: x}}]}", "没有写什么时候做"),
        ("{when: {at: '09:00'}, do: [{notify: {robot: r, text: x}}]}", "任务没有编号"),
        ("{id: a, whne: {at: '09:00'}, do: [{notify: {robot: r, text: x}}]}", "不认识的键“whne”，是不是“when”？"),
        ("{id: a, when: {at: '25:00'}, do: [{notify: {robot: r, text: x}}]}", "时间“25:00”读不懂"),
        ("{id: a, when: {on: workday}, do: [{notify: {robot: r, text: x}}]}", "没有写几点"),
        ("{id: a, when: {at: '09:00', on: workdya}, do: [{notify: {robot: r, text: x}}]}", "是不是“workday”？"),
        ("{id: a, when: {at: '09:00', cron: '0 9 * * *'}, do: [{notify: {robot: r, text: x}}]}", "不用写 at"),
        ("{id: a, when: {event: x, cron: '0 9 * * *'}, do: [{notify: {robot: r, text: x}}]}", "只能写一个"),
        ("{id: a, when: {cron: '0 9 * *'}, do: [{notify: {robot: r, text: x}}]}", "5 段"),
        ("{id: a, when: {cron: '0 9 * * *', on: [mon]}, do: [{notify: {robot: r, text: x}}]}", "第 5 段就是星期"),
        ("{id: a, when: {monthly: 32, at: '09:00'}, do: [{notify: {robot: r, text: x}}]}", "1 到 31"),
        ("{id: a, when: {monthly: 1, on: holiday, at: '9:00'}, do: [{notify: {robot: r, text: x}}]}", "只能是 workday"),
        ("{id: a, when: {event: 'a b'}, do: [{notify: {robot: r, text: x}}]}", "事件名“a b”"),
        ("{id: a, when: {event: x, if: 'a >'}, do: [{notify: {robot: r, text: x}}]}", "if 读不懂：条件没有写完"),
        ("{id: a, when: {event: x}, do: [{notify: {robot: R1, text: x}}]}", "没有叫“R1”的机器人"),
        ("{id: a, when: {event: x}, do: [{notify: {text: x}}]}", "没有写发给谁"),
        ("{id: a, when: {event: x}, do: [{notify: {robot: r}}]}", "没有写要说什么"),
        ("{id: a, when: {event: x}, do: [{notify: {robot: r, text: x, markdown: y}}]}", "只能有一种"),
        ("{id: a, when: {event: x}, do: [{notify: {robot: r, text: '{a'}}]}", "没有配对"),
        ("{id: a, when: {event: x}, do: [{notfy: {robot: r, text: x}}]}", "是不是“notify”？"),
        ("{id: a, when: {event: x}, do: [{notify: {robot: r, link: {title: t, url: ftp://x}}}]}", "以 https:// 开头"),
        ("{id: a, when: {event: x}, do: [{notify: {robot: r, card: {title: t, text: x}}}]}", "1 到 5 个按钮"),
        ("{id: a, when: {event: x}, do: [{http: {url: 'http://other/x'}}]}", "“other”不在 allow_http 里"),
        ("{id: a, when: {event: x}, do: [{http: {url: 'http://{host}/x'}}]}", "不在 allow_http 里"),
        ("{id: a, when: {event: x}, do: [{http: {url: 'http://erp{x}/'}}]}", "不在 allow_http 里"),
        ("{id: a, when: {event: x}, do: [{add_contact: {name: n, mobile: m}}]}", "没有部门"),
        ("{id: a, when: {event: x}, do: [{add_contact: {mobile: m, departments: [1]}}]}", "没有 name"),
        ("{id: a, when: {event: x}, do: [{attendance_report: {month: 昨天}}]}", "month 应是"),
        ("{id: a, missed: twice, when: {event: x}, do: [{notify: {robot: r, text: x}}]}", "skip（跳过）"),
        ("只有一句话", "每条任务应写成"),
    ],
)
def test_a_mistake_in_a_rule_stops_that_rule_alone_and_says_what_to_do(line, message):
    broken, found = rule(line)
    assert found.ok
    assert broken.problem is not None
    assert message in broken.problem.message
    assert broken.problem.place.line == 4
    assert broken.problem in found.problems


@pytest.mark.parametrize(
    "line",
    [
        "{id: a, when: {event: x}, do: [{http: {url: 'http://erp:8080/x/{id}', body: {n: '{n}', list: [1, {a: b}]}}}]}",
        "{id: a, when: {event: x}, do: {notify: {robot: r, card: {title: t, text: x, buttons: "
        "[{title: 看, url: 'https://x/{id}'}]}}}}",
        "{id: a, when: {cron: '0 9 * * *', on: workday}, do: [{notify: {robot: [r], link: {title: t, url: https://x}}}]}",
    ],
)
def test_what_is_right_is_no_problem(line):
    right, found = rule(line)
    assert found.problems == ()
    assert right.problem is None


def test_the_body_of_a_post_keeps_its_shape():
    right, _ = rule("{id: a, when: {event: x}, do: [{http: {url: 'http://erp/', body: {n: '{n}', l: [x]}}}]}")
    assert isinstance(right.actions[0], HttpPost)
    assert right.actions[0].body["n"].names == ("n",)
    assert right.actions[0].body["l"][0].text == "x"


def test_a_cron_rule_may_keep_to_working_days():
    right, _ = rule("{id: a, when: {cron: '0 9 * * *', on: workday}, do: [{notify: {robot: r, text: x}}]}")
    assert right.trigger == Cron("0 9 * * *", Days("workday"))


def test_two_rules_of_one_name_are_told_apart_and_the_second_stands_still():
    one = "  - {id: a, when: {event: x}, do: [{notify: {person: u, text: x}}]}\n"
    first, second = read("automations:\n" + one + one).automations.rules
    assert first.problem is None
    assert "重复（第 2 行已有）" in second.problem.message
    assert first.id != second.id


def test_a_secret_that_is_written_out_is_warned_of_and_never_shown():
    token = "0123456789abcdef" * 4
    found = read(f"robots: {{r: {{token: {token}}}}}\n")
    assert found.ok
    assert [p.is_error for p in found.problems] == [False]
    assert "直接写在了文件里" in found.problems[0].message
    assert token not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "- a\n",
        "robots: [a]\n",
        "robots: {r: {secret: $S}}\n",
        "robts: {}\n",
        "automations: {a: b}\n",
        "calendar: {holidays: [国庆]}\n",
        "calendar: {holidays: [2026-10-01], workdays: [2026-10-01]}\n",
        "hooks: {crm.*: $X}\n",
        "a: [\n",
    ],
)
def test_a_mistake_outside_the_rules_keeps_the_last_good_version(text):
    assert not read(text).ok
    last = build_snapshot({"automations.yaml": CONTRACT.encode()}, label="k", today=date(2026, 1, 1))
    now = build_snapshot({"automations.yaml": text.encode()}, label="k", today=date(2026, 1, 1), last=last)
    assert [r.id for r in now.automations.rules] == ["standup", "new-customer", "onboarding", "attendance"]
    assert any(p.is_error for p in now.problems)


def test_an_empty_or_missing_file_has_no_rules():
    assert read("").ok
    assert read("robots:\nautomations:\n").ok
    last = build_snapshot({"automations.yaml": CONTRACT.encode()}, label="k", today=date(2026, 1, 1))
    assert build_snapshot({}, label="k", today=date(2026, 1, 1), last=last).automations.rules == ()
