"""Decision → the messages that are sent, in DingTalk's documented markdown subset. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from faqbot.access.privacy import private_entry
from faqbot.dialogue.choices import NONE_OF_THESE
from faqbot.dialogue.ratings import NAMES
from faqbot.markup.blocks import grey, how, label, numbered, send_word, tap, typed
from faqbot.markup.chunking import MAX_BYTES, split
from faqbot.markup.escaping import neutralise
from faqbot.model.decisions import (
    Answered,
    AskedBack,
    Command,
    CommandResult,
    Decision,
    Failure,
    Menu,
    MultiAnswer,
    NoneOfThese,
    Offered,
    OutOfList,
    PrivateReply,
    SmallTalk,
    SmallTalkKind,
    TooLate,
    TopicList,
    Unanswered,
)
from faqbot.model.messages import Message, MessageKind, Reply
from faqbot.model.question_log import Rating
from faqbot.replies.answers import answer, asked_back, notes, several


def render(decision: Decision, message: Message, closing: str = "") -> tuple[Reply, ...]:
    """Write the reply to `message`, `closing` at its end; more than one only where it is too long for one."""
    title, body = _content(decision, message)
    parts = split(body, MAX_BYTES)
    behind = _behind(decision, message)
    mention = message.staff_id if message.is_group else ""
    replies: list[Reply] = []
    for number, part in enumerate(parts, 1):
        last = number == len(parts)
        part += grey(*(behind if last else ()), f"（{number}/{len(parts)}）" if len(parts) > 1 else "")
        part += closing if last else ""
        if number == 1:
            others = decision.mentions if isinstance(decision, CommandResult) and message.is_group else ()
            replies.append(Reply(title, f"{_address(message)}{part}", mention, others))
        else:
            replies.append(Reply(title, part))
    return tuple(replies)


def plain_body(decision: Decision, text: str) -> str:
    """The markdown for `ask`: what a colleague would get in a single chat."""
    message = Message(id="", robot_code="", conversation_id="", is_group=False, kind=MessageKind.TEXT, text=text)
    return "\n\n".join(r.body for r in render(decision, message))


def _address(message: Message) -> str:
    """Say whom the reply is for: DingTalk shows `@userId` as the name if the id also stands in `at`."""
    if not message.is_group:
        return ""
    if message.staff_id:
        return f"@{message.staff_id}\n\n"
    return f"{neutralise(message.sender_name, 20)}：\n\n" if message.sender_name else ""


def _content(decision: Decision, message: Message) -> tuple[str, str]:
    match decision:
        case Answered(entry) if entry.private and message.is_group:
            return _content(PrivateReply(decision), message)
        case Answered():
            return answer(decision, message)
        case AskedBack():
            return asked_back(decision, message)
        case MultiAnswer():
            return several(decision, message)
        case Offered(candidates):
            questions = [c.entry.question for c in candidates]
            return "您是想问哪一个？", numbered("您是想问：", [*questions, NONE_OF_THESE], message)
        case Unanswered():
            return "没有找到答案", _unanswered(decision, message)
        case NoneOfThese(contact):
            return "都不是", _none_of_these(message, contact)
        case PrivateReply(way=way):
            return _ASIDE_TITLES.get(way, "请私聊我"), _ASIDE[way]
        case Menu(topics):
            return "可以问我什么", _menu(topics, message)
        case TopicList(topic, entries, total):
            more = f"还有 {total - len(entries)} 条没有列出，直接问我就行。" if total > len(entries) else ""
            return topic, numbered(f"**{label(topic)}** 可以问：", [e.question for e in entries], message, more)
        case OutOfList(size):
            return "没有这一项", f"刚才的列表只有 1–{size}，请回复其中一个数字{how(message, '1')}。"
        case TooLate(minutes):
            again = "请再 @我 问一次" if message.is_group else "请再问一次"
            return "抱歉，刚看到您的提问", f"抱歉，您 {_ago(minutes)}的提问我没能及时看到。如果还需要，{again}。"
        case Failure(refused=True):
            return "答案没能发出", "这个问题有答案，但钉钉的内容检查没有放行。已经记下来，会请负责的同事处理。"
        case Failure():
            return "抱歉，出了点问题", "抱歉，处理这条消息时出了问题，已经记下来，会请管理员查看。请稍后再问一次。"
        case SmallTalk(kind, greeting):
            return _SMALL_TITLES[kind], _small(kind, greeting, message)
        case CommandResult(title, body):
            return title, body
        case Command():
            raise ValueError("an order is carried out before it is rendered")


def _ago(minutes: int) -> str:
    return f"{minutes} 分钟前" if minutes < 120 else f"{minutes // 60} 小时前"


def _behind(decision: Decision, message: Message) -> Sequence[str]:
    """What stands in the one grey line behind an answer."""
    if not isinstance(decision, Answered) or (decision.entry.private and message.is_group):
        return ()
    if decision.above is not None:
        return ("没找到的话，再问我一次",)
    return (*notes(decision), _did_it_help(message))


def _did_it_help(message: Message) -> str:
    at, helpful, no_help = ("@我 " if message.is_group else ""), NAMES[Rating.HELPFUL], NAMES[Rating.UNHELPFUL]
    return f"评价：发「{at}[{helpful}]({tap(helpful)})」或「{at}[{no_help}]({tap(no_help)})」"


# The group learns neither the question nor the answer.
_ALONE = "请点我的头像，私聊再问一次"
_ASIDE_TITLES = {"sent": "已私聊您"}
_ASIDE = {
    "sent": "已私聊您，请看我发给您的消息。",
    "due": f"这个问题不方便在群里回答。{_ALONE}。",
    "barred": f"这个问题不方便在群里回答，我现在又没法主动给您发消息。{_ALONE}。",
    "external": f"这个问题不方便在群里回答。您不在本公司的通讯录里，我没法主动给您发消息。{_ALONE}。",
    "unsure": f"这个问题不方便在群里回答，我私聊了您，但不确定有没有送到。没有收到的话，{_ALONE}。",
}
_NOT_ALOUD = f"没有找到答案，已经记下来了。也可能是我没有听懂：涉及个人的事，{_ALONE}。"


def _unanswered(decision: Unanswered, message: Message) -> str:
    if message.is_group and private_entry(decision):
        return f"{_NOT_ALOUD}{grey(_person(decision.contact, message))}"
    asked = f"「{neutralise(message.text)}」" if message.text.strip() else "这个问题"
    hint = _person(decision.contact, message) or f"换个说法再问，或者{send_word('帮助', message)}看我能答什么。"
    return f"没有找到{asked}的答案，已经记下来了。{grey(hint)}"


def _none_of_these(message: Message, contact: str | None) -> str:
    hint = _person(contact, message) or f"{send_word('帮助', message)}看我能答什么。"
    return f"好的，已经记下来了。请换个说法再问我一次，说得具体一些更好找。{grey(hint)}"


def _person(contact: str | None, message: Message) -> str:
    """Whom to turn to when the bot did not help twice."""
    if contact is None:
        return ""
    # There may be nobody in DingTalk behind the name.
    named = f"可以找{label(contact)}，或者" if contact else ""
    return f"要找人，{named}{send_word('人工', message)}，我记下来转给同事。"


def _menu(topics: Sequence[tuple[str, int, str]], message: Message) -> str:
    if not topics:
        return "知识库里还没有内容，请联系 HR。"
    lines = [
        f"{n}. [{label(name)}]({tap(name)})（{count} 条）：{label(example)}"
        for n, (name, count, example) in enumerate(topics, 1)
    ]
    start = "直接 @我 提问" if message.is_group else "直接问我"
    hint = f"{start}，例如「{label(topics[0][2])}」；回复序号看这一类的问题{how(message, '1')}。"
    return "我能回答这些方面的问题：\n\n" + "\n".join(lines) + grey(hint)


_SMALL_TITLES = {
    SmallTalkKind.GREETING: "您好",
    SmallTalkKind.THANKS: "不客气",
    SmallTalkKind.GOODBYE: "好的",
    SmallTalkKind.NOTHING_TO_PICK: "没有可选的列表",
    SmallTalkKind.NOT_TEXT: "请用文字提问",
    SmallTalkKind.NOT_HEARD: "没有听清",
}


def _hello(greeting: str) -> str:
    """HR's own words for the group, as the beginning of a sentence or as one of their own."""
    if not greeting:
        return "您好，"
    return greeting if greeting[-1] in "。！？!?~～" else f"{greeting.rstrip('，,')}，"


def _small(kind: SmallTalkKind, greeting: str, message: Message) -> str:
    help_word = typed("帮助", message)
    return {
        SmallTalkKind.GREETING: f"{_hello(greeting)}请直接说您的问题，例如「年假有几天」；发{help_word}看我能答什么。",
        SmallTalkKind.THANKS: "不客气，有问题随时找我。",
        SmallTalkKind.GOODBYE: "好的，有问题随时找我。",
        SmallTalkKind.NOTHING_TO_PICK: (
            f"现在没有可以选的列表（列表 10 分钟内有效）。请直接说您的问题，或发{help_word}。"
        ),
        SmallTalkKind.NOT_TEXT: "我现在只看得懂文字，请把问题打成一句话发给我。",
        SmallTalkKind.NOT_HEARD: "这段语音没有识别出文字，请再说一次，或者打字告诉我。",
    }[kind]
