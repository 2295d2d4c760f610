"""Callbacks as DingTalk really sends them are understood; whatever else arrives never raises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.dingtalk.wire.payloads import encode, read_message, reply_body
from faqbot.model.messages import Message, MessageKind, Reply

SAMPLES = Path(__file__).parents[2] / "samples" / "payloads"
NOW = 1_770_000_000.0
WEBHOOK = "https://oapi.dingtalk.com/robot/sendBySession?session=0123456789abcdef"


def sample(name):
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def read(data):
    return read_message(data, now=NOW)


# -- recorded callbacks ------------------------------------------------------------------------

UNDERSTOOD = {
    "group-text": (MessageKind.TEXT, "年假怎么休", ""),
    "single-text": (MessageKind.TEXT, "年假怎么休", ""),
    "external-sender": (MessageKind.TEXT, "停车位怎么申请", ""),
    "rich-text": (MessageKind.TEXT, "这张单子怎么报销", ""),
    "rich-text-at-item": (MessageKind.TEXT, "年假怎么休", ""),
    "rich-text-picture-only": (MessageKind.PICTURE, "", ""),
    "picture": (MessageKind.PICTURE, "", ""),
    "audio-heard": (MessageKind.VOICE, "年假怎么休", ""),
    "audio-unheard": (MessageKind.AUDIO, "", ""),
    "video": (MessageKind.VIDEO, "", ""),
    "file": (MessageKind.FILE, "", ""),
    "unknown-type": (MessageKind.UNKNOWN, "", ""),
    "quote-object": (MessageKind.TEXT, "这个呢", "年假有几天"),
    "quote-string": (MessageKind.TEXT, "这个呢", "年假有几天"),
    "quote-missing": (MessageKind.TEXT, "这个呢", ""),
    "quote-old-shape": (MessageKind.TEXT, "这个呢", "年假有几天"),
    "quota-notice": (MessageKind.QUOTA, "", ""),
    "times-as-text": (MessageKind.TEXT, "年假怎么休", ""),
    "unpublished-robot": (MessageKind.TEXT, "帮助", ""),
}


def test_every_recorded_callback_is_tested():
    assert {p.stem for p in SAMPLES.glob("*.json")} == set(UNDERSTOOD)


@pytest.mark.parametrize(("name", "understood"), UNDERSTOOD.items())
def test_a_recorded_callback_is_understood(name, understood):
    message = read(sample(name))
    assert (message.kind, message.text, message.quoted) == understood
    assert message.id == "msgXyZ0123456789=="
    assert message.robot_code == "dingrobot0001"
    assert message.conversation_id == "cidAbC0123456789=="
    assert message.sender_id == "$:LWCP_v1:$aBcD0123=="
    assert message.webhook == WEBHOOK
    assert message.sent_at == 1769851697.611
    assert message.webhook_until == 1769857097.744


def test_every_field_of_a_group_message_is_read():
    assert read(sample("group-text")) == Message(
        id="msgXyZ0123456789==",
        robot_code="dingrobot0001",
        conversation_id="cidAbC0123456789==",
        conversation_title="全员群",
        is_group=True,
        kind=MessageKind.TEXT,
        text="年假怎么休",
        sender_id="$:LWCP_v1:$aBcD0123==",
        staff_id="manager123",
        sender_name="小李",
        sent_at=1769851697.611,
        received_at=NOW,
        webhook=WEBHOOK,
        webhook_until=1769857097.744,
    )


@pytest.mark.parametrize(
    ("name", "is_group"), [("group-text", True), ("external-sender", True), ("single-text", False), ("file", False)]
)
def test_a_group_is_told_from_a_single_chat(name, is_group):
    assert read(sample(name)).is_group is is_group


@pytest.mark.parametrize("name", ["external-sender", "unpublished-robot"])
def test_an_asker_without_a_staff_id_is_known_by_the_encrypted_one(name):
    message = read(sample(name))
    assert message.staff_id == "" and message.asker == message.sender_id != ""


def test_the_session_webhook_is_not_in_repr():
    assert "session=" not in repr(read(sample("group-text")))


# -- variations --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (" 年假", "年假"),
        ("\u3000年假\u00a0\n", "年假"),
        ("年假\x00", "年假"),
        ("年假\ud83d", "年假?"),
        ("年假" * 5000, "年假" * 2000),
        ("", ""),
        (123, "123"),
        (None, ""),
    ],
    ids=repr,
)
def test_text_is_stripped_cut_and_can_be_written(content, text):
    message = read(sample("group-text") | {"text": {"content": content}})
    assert message.text == text and message.kind is MessageKind.TEXT


@pytest.mark.parametrize(
    ("items", "understood"),
    [
        ([{"text": "@小助手 年假"}], (MessageKind.TEXT, "年假")),
        ([{"text": "＠小助手"}, {"text": "年假"}], (MessageKind.TEXT, "年假")),
        ([{"text": "@小助手"}, {"text": " @小王 年假"}], (MessageKind.TEXT, "年假")),
        ([{"text": "  "}, {"text": "@小助手"}, {"text": "年假"}], (MessageKind.TEXT, "年假")),
        ([{"text": "年假问"}, {"type": "at", "text": "@小王"}], (MessageKind.TEXT, "年假问@小王")),
        ([{"text": "年假", "downloadCode": "d"}], (MessageKind.TEXT, "年假")),
        ([{"type": "picture", "downloadCode": "d"}], (MessageKind.PICTURE, "")),
        ([{"pictureDownloadCode": "d"}, {"text": " "}], (MessageKind.PICTURE, "")),
        ([{"text": "@小助手"}], (MessageKind.TEXT, "")),
        ([], (MessageKind.TEXT, "")),
        ([None, 1, "x", [], {"text": None}, {"text": "年假"}], (MessageKind.TEXT, "年假")),
    ],
)
def test_rich_text_is_joined_without_the_mention_of_the_bot(items, understood):
    message = read(sample("rich-text") | {"content": {"richText": items}})
    assert (message.kind, message.text) == understood


def test_in_a_single_chat_a_leading_at_is_the_askers_own_words():
    message = read(sample("rich-text") | {"conversationType": "1", "content": {"richText": [{"text": "@小王 是谁"}]}})
    assert message.text == "@小王 是谁"


def test_content_is_read_where_it_comes_as_json_in_a_text():
    content = json.dumps({"richText": [{"text": "年假"}, {"text": "几天"}]}, ensure_ascii=False)
    message = read(sample("rich-text") | {"content": content})
    assert (message.kind, message.text) == (MessageKind.TEXT, "年假几天")
    assert read(TEXT | {"msgtype": "richText", "content": "{年假"}).text == ""


@pytest.mark.parametrize(
    ("replied", "quoted"),
    [
        ({"content": {"text": " 年假 "}}, "年假"),
        ({"content": "年假"}, "年假"),
        ({"content": '{"text": "年假"}'}, "年假"),
        ({"content": "{年假"}, "{年假"),
        ({"content": {"recognition": "年假"}}, "年假"),
        ({"content": {"fileName": "a.docx", "downloadCode": "d"}}, ""),
        ({"content": {"title": "标题", "summary": "摘要"}}, "标题"),
        ({"content": {"richText": [{"text": "年"}, {"downloadCode": "d"}, {"text": "假"}, None]}}, "年假"),
        ({"content": {"downloadCode": "d"}}, ""),
        ({"content": [1]}, ""),
        ({"content": '{"a": [1, 2]}'}, ""),
        ({"content": "年" * 9000}, "年" * 4000),
        ({}, ""),
        (None, ""),
        ("年假", ""),
    ],
    ids=lambda v: repr(v)[:40],
)
def test_a_quote_is_read_in_every_shape_seen(replied, quoted):
    message = read(sample("quote-object") | {"text": {"content": "这个呢", "isReplyMsg": True, "repliedMsg": replied}})
    assert (message.text, message.quoted) == ("这个呢", quoted)


def test_a_quote_in_rich_text_stands_in_content():
    content = {"richText": [{"text": "这个呢"}], "repliedMsg": {"content": {"text": "年假"}}}
    assert read(sample("rich-text") | {"content": content}).quoted == "年假"
    assert read(sample("rich-text") | {"content": {"richText": [], "quoteContent": "年假"}}).quoted == "年假"


@pytest.mark.parametrize("key", ["errorCode", "errCode"])
@pytest.mark.parametrize("code", ["20001", 20001])
def test_the_quota_notice_is_recognised_with_almost_nothing_else(key, code):
    assert read({key: code}).kind is MessageKind.QUOTA
    assert read({key: code, "msgtype": "text", "text": None}).kind is MessageKind.QUOTA


def test_an_error_code_beside_a_text_is_no_quota_notice():
    assert read(sample("group-text") | {"errorCode": "20001"}).kind is MessageKind.TEXT
    assert read(sample("quota-notice") | {"errorCode": "1"}).kind is MessageKind.UNKNOWN


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1769851697611, 1769851697.611),
        ("1769851697611", 1769851697.611),
        (1769851697611.0, 1769851697.611),
        (None, NOW),
        ("", NOW),
        ("昨天", NOW),
        (-1, NOW),
        (0, NOW),
        (10**400, NOW),
        (float("nan"), NOW),
        (float("inf"), NOW),
        ([1], NOW),
        ({}, NOW),
    ],
    ids=lambda v: repr(v)[:20],
)
def test_a_message_without_a_usable_time_was_sent_now(value, seconds):
    assert read(sample("group-text") | {"createAt": value}).sent_at == seconds


def test_a_webhook_without_a_usable_expiry_has_expired():
    assert read(sample("group-text") | {"sessionWebhookExpiredTime": "soon"}).webhook_until == 0.0


def test_a_message_without_an_id_gets_the_same_one_each_time_it_comes():
    data = {k: v for k, v in sample("group-text").items() if k != "msgId"}
    one, two = read(data), read(json.loads(json.dumps(data)))
    assert one.id == two.id and one.id.startswith("made-up-")
    assert read(data | {"createAt": 1}).id != one.id


def test_two_bots_named_in_one_message_are_told_apart():
    one, two = read(sample("group-text")), read(sample("group-text") | {"robotCode": "other"})
    assert one.id == two.id and one.partition_key != two.partition_key
    without = {k: v for k, v in sample("group-text").items() if k != "robotCode"}
    assert read(without).robot_code == "$:LWCP_v1:$bot0123=="


@pytest.mark.parametrize(
    ("fields", "is_group"),
    [
        ({"conversationType": "2"}, True),
        ({"conversationType": 2}, True),
        ({"conversationType": "1", "conversationTitle": "x"}, False),
        ({"conversationTitle": "全员群"}, True),
        ({"isInAtList": True}, True),
        ({}, False),
        ({"conversationType": None}, False),
    ],
)
def test_the_kind_of_conversation_is_guessed_where_it_is_missing(fields, is_group):
    assert read({"msgId": "m", **fields}).is_group is is_group


@pytest.mark.parametrize("value", [None, [], ["x"], {}, {"a": 1}, True, 1.5])
def test_a_name_or_id_of_another_kind_counts_as_missing(value):
    keys = ("senderStaffId", "senderId", "senderNick", "conversationTitle", "sessionWebhook", "conversationId")
    message = read(sample("group-text") | dict.fromkeys(keys, value))
    assert (message.staff_id, message.sender_id, message.sender_name, message.conversation_title) == ("",) * 4
    assert (message.webhook, message.conversation_id) == ("", "")


def test_a_number_as_an_id_is_read_as_text():
    assert read(sample("group-text") | {"senderStaffId": 123}).staff_id == "123"


# -- mutilated callbacks -----------------------------------------------------------------------

TEXT = {"msgId": "m", "msgtype": "text", "conversationId": "c"}
ODD = [
    None,
    "",
    "text",
    0,
    1.5,
    True,
    [],
    [TEXT],
    (),
    {},
    {"msgtype": "text"},
    {"senderNick": "小李"},
    {"msgId": None},
    {"msgId": ""},
    {"msgId": []},
    {"msgId": {}, "conversationId": "c"},
    {"msgId": 10**30, "conversationId": 10**30},
    {"msgId": True, "sessionWebhook": 5},
    TEXT,
    TEXT | {"text": None},
    TEXT | {"text": []},
    TEXT | {"text": [{"content": "x"}]},
    TEXT | {"text": 5},
    TEXT | {"text": {}},
    TEXT | {"text": {"content": []}},
    TEXT | {"text": {"content": {"content": "x"}}},
    TEXT | {"text": {"content": True}},
    TEXT | {"text": "\ud83d\ud83d"},
    TEXT | {"text": {"content": "\udfff" * 5000}},
    TEXT | {"msgtype": None},
    TEXT | {"msgtype": []},
    TEXT | {"msgtype": {}},
    TEXT | {"msgtype": 7},
    TEXT | {"msgtype": "TEXT", "text": {"content": "x"}},
    TEXT | {"msgtype": "richText"},
    TEXT | {"msgtype": "richText", "content": []},
    TEXT | {"msgtype": "richText", "content": {"richText": None}},
    TEXT | {"msgtype": "richText", "content": {"richText": {"text": "x"}}},
    TEXT | {"msgtype": "richText", "content": {"richText": [None, [], 5, "x", {}, {"text": 5}, {"text": []}]}},
    TEXT | {"msgtype": "richText", "content": {"richText": [{"type": [], "text": {}}]}},
    TEXT | {"msgtype": "audio"},
    TEXT | {"msgtype": "audio", "content": "x"},
    TEXT | {"msgtype": "audio", "content": {"recognition": None}},
    TEXT | {"msgtype": "audio", "content": {"recognition": ["x"]}},
    TEXT | {"msgtype": "picture", "content": None},
    TEXT | {"msgtype": "file", "content": [1]},
    TEXT | {"text": {"content": "x", "isReplyMsg": True, "repliedMsg": []}},
    TEXT | {"text": {"content": "x", "repliedMsg": {"content": 5}}},
    TEXT | {"text": {"content": "x", "repliedMsg": {"content": "{"}}},
    TEXT | {"text": {"content": "x", "repliedMsg": {"content": '{"richText": 5}'}}},
    TEXT | {"text": {"content": "x", "repliedMsg": {"content": {"richText": [[], None, 5]}}}},
    TEXT | {"text": {"content": "x", "repliedMsg": {"content": '{"text": ' + "9" * 5000 + "}"}}},
    TEXT | {"quoteMessage": "x", "content": {"quoteContent": []}},
    TEXT | {"createAt": "", "sessionWebhookExpiredTime": []},
    TEXT | {"createAt": 10**400, "sessionWebhookExpiredTime": -(10**400)},
    TEXT | {"createAt": float("nan"), "sessionWebhookExpiredTime": float("-inf")},
    TEXT | {"conversationType": [], "conversationTitle": {}, "isInAtList": "no"},
    TEXT | {"senderNick": None, "senderStaffId": [], "senderId": {}, "robotCode": False},
    TEXT | {"senderNick": "长" * 10_000, "senderStaffId": 5},
    TEXT | {"atUsers": "x", "robotCode": None, "chatbotUserId": []},
    TEXT | {"errorCode": {}, "errCode": []},
    {"errorCode": "20001"},
    {"conversationId": "c", "odd": "\ud83d", "list": [None, {"a": ()}]},
    {"sessionWebhook": "not an address"},
]


@pytest.mark.parametrize("data", ODD, ids=lambda d: ascii(d)[:60])
def test_an_odd_callback_never_raises(data):
    message = read(data)
    assert message is None or isinstance(message.kind, MessageKind)
    if message:
        assert message.id and message.sent_at > 0
        assert all(isinstance(getattr(message, f), str) for f in ("text", "quoted", "staff_id", "sender_id", "webhook"))
        assert len(message.text) <= 4000 and len(message.sender_name) <= 64
        message.text.encode()


@pytest.mark.parametrize("data", [None, "text", [], {}, {"msgtype": "text"}, {"senderNick": "小李"}, {"msgId": ""}])
def test_what_cannot_be_answered_is_nothing(data):
    assert read(data) is None


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=8,
)
KEYS = sorted({key for name in UNDERSTOOD for key in sample(name)})
DEEP = [
    "content",
    "text",
    "repliedMsg",
    "richText",
    "recognition",
    "quoteContent",
    "quoteMessage",
    "type",
    "downloadCode",
]
ODD_CONTENT = st.recursive(
    JSON,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(DEEP), inner, max_size=3)),
    max_leaves=8,
)


@given(
    st.sampled_from(sorted(UNDERSTOOD)),
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4),
    st.dictionaries(st.sampled_from(["text", "content", "quoteMessage"]), ODD_CONTENT, max_size=3),
    st.sets(st.sampled_from(KEYS), max_size=6),
)
def test_a_callback_with_any_fields_replaced_or_missing_never_raises(name, replaced, deep, missing):
    data = sample(name) | replaced | deep
    read({k: v for k, v in data.items() if k not in missing})


# -- replies -------------------------------------------------------------------------------------


def test_a_reply_is_a_markdown_message():
    assert reply_body(Reply("年假", "**5 天**")) == {
        "msgtype": "markdown",
        "markdown": {"title": "年假", "text": "**5 天**"},
    }


def test_a_mention_stands_in_at_too():
    body = reply_body(Reply("年假", "@manager123\n\n五天", mention="manager123"))
    assert body["at"] == {"atUserIds": ["manager123"]}
    assert body["markdown"]["text"].startswith("@manager123")


def test_without_a_mention_there_is_no_at_at_all():
    assert "at" not in reply_body(Reply("年假", "五天"))


@pytest.mark.parametrize(
    ("title", "shown"),
    [("年假 \n 几天", "年假 几天"), ("", "回复"), (" \n", "回复"), ("长" * 200, "长" * 64)],
)
def test_a_title_is_one_short_line(title, shown):
    assert reply_body(Reply(title, "x"))["markdown"]["title"] == shown


def test_bytes_are_utf8_without_escapes_or_blanks():
    raw = encode(reply_body(Reply("年假", "五天 😀\n“好”")))
    assert raw == '{"msgtype":"markdown","markdown":{"title":"年假","text":"五天 😀\\n“好”"}}'.encode()
    assert json.loads(raw)["markdown"]["text"] == "五天 😀\n“好”"


@given(st.text(), st.text(), st.text())
def test_any_reply_can_be_encoded_and_read_again(title, body, mention):
    sent = json.loads(encode(reply_body(Reply(title, body, mention))))
    assert sent["markdown"]["text"] == body
    assert sent.get("at") == ({"atUserIds": [mention]} if mention else None)


def test_half_an_emoji_does_not_keep_a_reply_from_being_sent():
    assert json.loads(encode(reply_body(Reply("a", "五\ud83d天"))))["markdown"]["text"] == "五?天"
