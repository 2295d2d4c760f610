"""What exactly will be sent: notices for each receiver, JSON for an allowed address, fields of a new colleague."""

from __future__ import annotations

import pytest

from faqbot.automation.payloads import build_notices, build_request, contact_fields
from faqbot.rules.parser import read_automations
from faqbot.rules.values import MissingValue

PEOPLE = {"休假组": ("zhangjie", "liuhr")}
EVENT = {"id": "u-7", "name": "小[新]", "n": 3, "owner": "138001"}


def people(name):
    return PEOPLE.get(name, (name,) if name.isascii() else ())


def action(text):
    rules = f"automations: [{{id: a, when: {{event: x}}, do: [{text}]}}]\n"
    found = read_automations("a.yaml", f"robots: {{r: {{token: $T}}}}\nallow_http: [erp]\n{rules}".encode())
    assert found.problems == ()
    return found.automations.rules[0].actions[0]


def test_each_receiver_gets_a_notice_of_its_own():
    planned = build_notices(
        action("{notify: {robot: r, group: cid1, person: [休假组, zhangjie], text: 早}}"), "k", EVENT, people
    )
    assert [(n.key, n.to.id) for n in planned] == [
        ("k/robot:r", "r"),
        ("k/group:cid1", "cid1"),
        ("k/person:zhangjie", "zhangjie"),
        ("k/person:liuhr", "liuhr"),
    ]


def test_only_a_robot_mentions_and_only_whom_the_rule_names():
    rule = "{notify: {robot: r, person: u1, text: '@所有人 {name}', at_mobiles: ['{owner}'], at_all: true}}"
    robot, person = build_notices(action(rule), "k", {**EVENT, "name": "@138009"}, people)
    assert (robot.at_mobiles, robot.at_all, person.at_mobiles, person.at_all) == (("138001",), True, (), False)
    assert robot.body == "@所有人 ＠138009"


@pytest.mark.parametrize(
    ("said", "shape", "title", "body", "links"),
    [
        ("text: '欢迎 {name}'", "text", "欢迎 小[新]", "欢迎 小[新]", []),
        (r'markdown: "### 新人 {name}\n第二行"', "markdown", "新人 小［新］", "### 新人 小［新］\n第二行", []),
        ("title: 公告, markdown: 正文", "markdown", "公告", "正文", []),
        ("link: {title: '{name}', text: 看, url: 'https://x/{name}'}", "link", "小[新]", "看",
         [("小[新]", "https://x/%E5%B0%8F%5B%E6%96%B0%5D")]),
        ("card: {title: t, text: '{name}', buttons: [{title: '看 {n}', url: 'https://x/{n}'}]}",
         "card", "t", "小［新］",
         [("看 3", "https://x/3")]),
    ],
)  # fmt: skip
def test_the_forms_of_a_message(said, shape, title, body, links):
    (notice,) = build_notices(action(f"{{notify: {{robot: r, {said}}}}}"), "k", EVENT, people)
    assert (notice.shape, notice.title, notice.body) == (shape, title, body)
    assert [(link.title, link.url) for link in notice.links] == links


def test_a_single_chat_gets_the_same_as_markdown_in_which_a_value_can_do_nothing():
    rule = "{notify: {person: u1, text: '看 https://x {name}'}}"
    (notice,) = build_notices(action(rule), "k", EVENT, people)
    assert (notice.shape, notice.body) == ("markdown", "看 https://x 小［新］")
    card = "{notify: {group: c1, card: {title: t, text: x, buttons: [{title: 看, url: 'https://x'}]}}}"
    (notice,) = build_notices(action(card), "k", EVENT, people)
    assert (notice.shape, notice.body, notice.links) == ("markdown", "x\n\n[看](https://x)", ())


def test_a_list_that_stands_alone_is_several_receivers():
    planned = build_notices(action("{notify: {person: '{who}', text: 早}}"), "k", {"who": ["u1", "u2"]}, people)
    assert [n.to.id for n in planned] == ["u1", "u2"]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("{notify: {robot: r, text: '{nmae}'}}", "没有“nmae”这个值"),
        ("{notify: {person: 人事部, text: x}}", "不知道“人事部”是谁"),
    ],
)
def test_what_cannot_be_said_names_the_reason(rule, reason):
    with pytest.raises(MissingValue, match=reason):
        build_notices(action(rule), "k", EVENT, people)


def test_json_keeps_numbers_and_the_shape_of_the_body():
    planned = build_request(
        action("{http: {url: 'http://erp:8080/p/{id}?q={name}', body: {n: '{n}', t: '第 {n} 个', l: [a, '{id}']}}}"),
        EVENT,
        frozenset({"erp"}),
    )
    assert planned.url == "http://erp:8080/p/u-7?q=%E5%B0%8F%5B%E6%96%B0%5D"
    assert planned.body == {"n": 3, "t": "第 3 个", "l": ["a", "u-7"]}
    assert build_request(action("{http: {url: 'http://erp/x'}}"), EVENT, frozenset({"erp"})).body == EVENT


def test_no_address_beyond_the_allowed_ones_is_posted_to():
    with pytest.raises(MissingValue, match="不在 allow_http 里"):
        build_request(action("{http: {url: 'http://erp/x'}}"), EVENT, frozenset({"crm"}))


def test_the_fields_of_a_new_colleague():
    rule = "{add_contact: {userid: '{id}', name: '{name}', mobile: '{owner}', departments: ['{n}', 研发部]}}"
    fields = {"userid": "u-7", "name": "小[新]", "mobile": "138001", "departments": ["3", "研发部"]}
    assert contact_fields(action(rule), EVENT) == fields
