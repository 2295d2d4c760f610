"""What a message quotes is read in each shape: text, time, id and author, and that it quotes at all."""

from __future__ import annotations

import json

import pytest

from faqbot.dingtalk.wire.payloads import read_message
from faqbot.model.messages import MessageKind, QuoteOrigin

ASKER, BOT = "$:LWCP_v1:$asker", "$:LWCP_v1:$bot"
BASE = {
    "msgId": "m1",
    "msgtype": "text",
    "conversationType": "2",
    "conversationId": "cid1",
    "senderId": ASKER,
    "chatbotUserId": BOT,
    "isInAtList": True,
}


def read(**fields):
    message = read_message(BASE | fields, now=1_770_000_000.0)
    assert message is not None
    return message


def replied(content, **more):
    return {"content": " ", "isReplyMsg": True, "repliedMsg": {"content": content} | more}


QUESTION = "停车费能报吗"
SHAPES = {
    "object": {"text": replied({"text": QUESTION})},
    "object in an object": {"text": replied({"text": {"content": QUESTION}})},
    "JSON in a string": {"text": replied(json.dumps({"text": QUESTION}))},
    "plain string": {"text": replied(QUESTION)},
    "the whole message as JSON in a string": {
        "text": {"content": "", "repliedMsg": json.dumps({"content": {"text": QUESTION}})}
    },
    "rich text": {"text": replied({"richText": [{"text": "停车费"}, {"text": "能报吗"}]}, msgType="richText")},
    "rich text in a string": {"text": replied(json.dumps({"richText": [{"text": QUESTION}]}))},
    "rich text with a mention": {
        "text": replied({"richText": [{"type": "at", "text": "@小助手"}, {"text": QUESTION}]})
    },
    "bare list of items": {"text": replied([{"text": "停车费"}, {"text": "能报吗"}])},
    "voice": {"text": replied({"recognition": QUESTION}, msgType="audio")},
    "markdown": {"text": replied({"title": "停车", "text": QUESTION}, msgType="markdown")},
    "card": {"text": replied({"title": QUESTION, "biz_custom_action_url": "x"}, msgType="interactiveCard")},
    "old shape": {"text": {"content": ""}, "quoteMessage": {"msgtype": "text", "text": {"content": QUESTION}}},
    "old shape with a plain text": {"text": {"content": ""}, "quoteMessage": {"text": QUESTION}},
    "content beside the text": {"text": {"content": ""}, "content": {"quoteContent": QUESTION}},
    "content in a string": {"text": {"content": ""}, "content": json.dumps({"quoteContent": QUESTION})},
    "a message that is rich text": {
        "msgtype": "richText",
        "content": {
            "richText": [{"text": "@小助手"}],
            "isReplyMsg": True,
            "repliedMsg": {"content": {"text": QUESTION}},
        },
    },
    "no text beside the quote": {"content": {"repliedMsg": {"content": {"text": QUESTION}}}},
}


@pytest.mark.parametrize("fields", SHAPES.values(), ids=SHAPES)
def test_the_quoted_question_is_read_beside_a_mention_alone(fields):
    message = read(**fields)
    assert (message.kind, message.text, message.quoted, message.is_quote) == (MessageKind.TEXT, "", QUESTION, True)


UNREADABLE = {
    "nothing but the flag": {"text": {"content": " ", "isReplyMsg": True}},
    "empty message": {"text": {"content": " ", "isReplyMsg": True, "repliedMsg": {}}},
    "card without text": {"text": replied({}, msgType="interactiveCard")},
    "card whose text is null": {"text": replied(None, msgType="interactiveCard")},
    "kind that DingTalk does not show": {
        "text": replied({"unknownMsgType": "机器人暂不支持接收"}, msgType="unknownMsgType")
    },
    "picture": {"text": replied({"downloadCode": "d"}, msgType="picture")},
    "file": {"text": replied({"fileName": "制度.docx", "downloadCode": "d"}, msgType="file")},
}


@pytest.mark.parametrize("fields", UNREADABLE.values(), ids=UNREADABLE)
def test_a_quote_without_readable_text_is_a_quote_nevertheless(fields):
    message = read(**fields)
    assert (message.kind, message.quoted, message.is_quote) == (MessageKind.TEXT, "", True)


@pytest.mark.parametrize(
    "fields",
    [
        {"text": {"content": "年假几天"}},
        {"text": {"content": "年假几天", "isReplyMsg": False}},
        {"text": {"content": "年假几天", "repliedMsg": None}},
        {"text": '{"repliedMsg": {"content": "没有引用"}}'},
    ],
)
def test_a_message_without_a_quote_is_none(fields):
    message = read(**fields)
    assert (message.is_quote, message.quoted, message.quoted_at) == (False, "", 0.0)


@pytest.mark.parametrize(
    ("created", "seconds"),
    [
        ({"createdAt": 1_769_851_600_000}, 1_769_851_600.0),
        ({"createdAt": "1769851600000"}, 1_769_851_600.0),
        ({"createAt": 1_769_851_600_000}, 1_769_851_600.0),
        ({"createdAt": "昨天"}, 0.0),
        ({"createdAt": None}, 0.0),
        ({"createdAt": {}}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_time_of_the_quoted_message_may_be_a_number_or_a_text_or_missing(created, seconds):
    assert read(text=replied({"text": "x"}, **created)).quoted_at == seconds


@pytest.mark.parametrize(
    ("fields", "origin"),
    [
        ({"senderId": BOT, "msgType": "markdown"}, QuoteOrigin.BOT),
        ({"senderId": ASKER, "msgType": "text"}, QuoteOrigin.PERSON),
        ({"senderId": "$:LWCP_v1:$other", "msgType": "text"}, QuoteOrigin.UNKNOWN),
        ({"msgType": "picture"}, QuoteOrigin.PERSON),
        ({"msgType": "interactiveCard"}, QuoteOrigin.UNKNOWN),
        ({}, QuoteOrigin.UNKNOWN),
    ],
)
def test_the_author_of_the_quoted_message_is_known_only_where_the_callback_shows_it(fields, origin):
    message = read(text=replied({"text": "x"}, msgId="m0", **fields))
    assert (message.quoted_from, message.quoted_id) == (origin, "m0")
