"""Renders any response as the messages to send, in DingTalk's markdown. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from faqbot.dialogue.choices import NONE_OF_THESE_TEXT
from faqbot.dialogue.ratings import RATING_NAMES
from faqbot.markup.blocks import example_hint, grey, label, numbered, pick_hint, send_word, tappable, typed, with_hint
from faqbot.markup.chunking import MARKDOWN_BYTES, split_markdown
from faqbot.markup.escaping import escape_markdown
from faqbot.model.commands import CommandResult, Response
from faqbot.model.decisions import (
    Answered,
    AskedBack,
    Likely,
    LikelyRefused,
    MultiAnswer,
    NoneOfThese,
    Offered,
    PrivateReply,
    Unanswered,
)
from faqbot.model.messages import Message, MessageKind, Reply
from faqbot.model.plain_replies import (
    Failure,
    Introduction,
    Menu,
    OutOfList,
    SmallTalk,
    SmallTalkKind,
    TooLate,
    TopicList,
    UnclearQuote,
)
from faqbot.model.question_log import Rating
from faqbot.model.remembered import Remembered
from faqbot.replies.answers import render_answer, render_answers, render_likely, render_question_back, sources
from faqbot.replies.differences import list_remark

# Title and body of a reply.
Content = tuple[str, str]


def render(response: Response, message: Message, footer: str = "") -> tuple[Reply, ...]:
    """Write the reply to `message`, with `footer` below it; several messages only if it is too long for one."""
    title, body = _content(response, message)
    notes = _notes(response, message)
    parts = split_markdown(body, MARKDOWN_BYTES)
    mention = message.staff_id if message.is_group else ""
    others = response.mentions if message.is_group else ()
    replies: list[Reply] = []
    for number, part in enumerate(parts, 1):
        is_last = number == len(parts)
        part += grey(*(notes if is_last else ()), f"（{number}/{len(parts)}）" if len(parts) > 1 else "")
        part += footer if is_last else ""
        replies.append(
            Reply(title, f"{_address(message)}{part}", mention, others) if number == 1 else Reply(title, part)
        )
    return tuple(replies)


def plain_body(response: Response, text: str) -> str:
    """Write the markdown that the asker of `text` would get in a single chat, for `ask` and the console."""
    message = Message(id="", robot_code="", conversation_id="", is_group=False, kind=MessageKind.TEXT, text=text)
    return "\n\n".join(r.body for r in render(response, message))


def _address(message: Message) -> str:
    """Name the asker in a group. DingTalk shows `@userId` as the name if the field `at` also has the id."""
    if not message.is_group:
        return ""
    if message.staff_id:
        return f"@{message.staff_id}\n\n"
    return f"{escape_markdown(message.sender_name, 20)}：\n\n" if message.sender_name else ""


def _content(response: Response, message: Message) -> Content:
    """Render each kind of response by the function that belongs to it."""
    match response:
        case Answered(entry) if entry.private and message.is_group:
            return _private_reply(PrivateReply(response))
        case Answered():
            return render_answer(response, message)
        case AskedBack():
            return render_question_back(response, message)
        case Likely():
            return render_likely(response, message)
        case LikelyRefused():
            return _likely_refused(response, message)
        case MultiAnswer():
            return render_answers(response, message)
        case Offered():
            return _offered(response, message)
        case Unanswered():
            return _unanswered(response, message)
        case NoneOfThese():
            return _none_of_these(response, message)
        case PrivateReply():
            return _private_reply(response)
        case Menu():
            return _menu(response, message)
        case TopicList():
            return _topic_list(response, message)
        case OutOfList(size, unclear=True):
            return "是第几个？", f"刚才的列表有 {size} 项，您要看第几个？请回复数字{example_hint(message, '1')}。"
        case Remembered():
            return _remembered(response, message)
        case OutOfList(size):
            return "没有这一项", f"刚才的列表只有 1–{size}，请回复其中一个数字{example_hint(message, '1')}。"
        case UnclearQuote():
            return _unclear_quote(response, message)
        case TooLate():
            return _too_late(response, message)
        case Failure():
            return _failure(response)
        case Introduction():
            return _introduction(response, message)
        case SmallTalk():
            return _small_talk(response, message)
        case CommandResult(title, body):
            return title, body


def _notes(response: Response, message: Message) -> Sequence[str]:
    """Write the notes for the grey line below an answer."""
    if not isinstance(response, Answered | Likely) or (response.entry.private and message.is_group):
        return ()
    if response.answered_minutes_ago is not None:
        return ("没找到的话，再问我一次",)
    # Below a likely answer stands how to refuse it, which says more than a rating.
    return sources(response) if isinstance(response, Likely) else (*sources(response), _rating_links(message))


def _rating_links(message: Message) -> str:
    words = "／".join(tappable(RATING_NAMES[rating], message) for rating in (Rating.HELPFUL, Rating.UNHELPFUL))
    return f"评价：{'@我 ' if message.is_group else ''}{words}"


# For questions in English.
_IN_CHINESE = "Sorry, my answers are written in Chinese; asking in Chinese works best."


def _offered(decision: Offered, message: Message) -> Content:
    questions = [c.entry.question for c in decision.candidates]
    english = _IN_CHINESE if decision.in_english else ""
    intro = "\n\n".join(filter(None, (english, list_remark(decision.candidates), "您是想问：")))
    return "您是想问哪一个？", numbered(intro, [*questions, NONE_OF_THESE_TEXT], message)


def _likely_refused(decision: LikelyRefused, message: Message) -> Content:
    if not decision.entries:
        return _none_of_these(NoneOfThese(decision.contact), message)
    questions = [entry.question for entry in decision.entries]
    return "您是想问哪一个？", numbered("好的，那您是想问：", [*questions, NONE_OF_THESE_TEXT], message)


_ASK_IN_PRIVATE = "请点我的头像，私聊再问一次"
_PRIVATE_LINES = {
    "sent": "已私聊您，请看我发给您的消息。",
    "due": f"这个问题不方便在群里回答。{_ASK_IN_PRIVATE}。",
    "barred": f"这个问题不方便在群里回答，我现在又没法主动给您发消息。{_ASK_IN_PRIVATE}。",
    "external": f"这个问题不方便在群里回答。您不在本公司的通讯录里，我没法主动给您发消息。{_ASK_IN_PRIVATE}。",
    "unsure": f"这个问题不方便在群里回答，我私聊了您，但不确定有没有送到。没有收到的话，{_ASK_IN_PRIVATE}。",
}
_MAYBE_PRIVATE = f"没有找到答案，已经记下来了。也可能是我没有听懂：涉及个人的事，{_ASK_IN_PRIVATE}。"


def _private_reply(decision: PrivateReply) -> Content:
    """Write the line that a group sees instead of a private answer: it names neither the question nor the answer."""
    return "已私聊您" if decision.status == "sent" else "请私聊我", _PRIVATE_LINES[decision.status]


def _unanswered(decision: Unanswered, message: Message) -> Content:
    title, contact = "没有找到答案", _contact_hint(decision.contact, message)
    if message.is_group and decision.private_entry:
        return title, f"{_MAYBE_PRIVATE}{grey(contact)}"
    asked = decision.asked or message.text
    question = f"「{escape_markdown(asked)}」" if asked.strip() else "这个问题"
    if decision.in_english:
        return title, f"{_IN_CHINESE} Your question has been recorded.{grey(contact)}"
    hint = contact or f"换个说法再问，或者{send_word('帮助', message)}看我能答什么。"
    return title, f"没有找到{question}的答案，已经记下来了。{grey(hint)}"


def _none_of_these(decision: NoneOfThese, message: Message) -> Content:
    hint = _contact_hint(decision.contact, message) or f"{send_word('帮助', message)}看我能答什么。"
    return "都不是", f"好的，已经记下来了。请换个说法再问我一次，说得具体一些更好找。{grey(hint)}"


def _contact_hint(contact: str | None, message: Message) -> str:
    """Name the contact after two questions without an answer; empty before that."""
    if contact is None:
        return ""
    # The contact may be a name without an account in DingTalk, so 人工 is always offered.
    named = f"可以找{label(contact)}，或者" if contact else ""
    return f"要找人，{named}{send_word('人工', message)}，我记下来转给同事。"


def _menu(decision: Menu, message: Message) -> Content:
    """List the topics; a bare question, of which only the topic is missing, gets no advice on asking another one."""
    topics = decision.topics
    if not topics:
        return "可以问我什么", "知识库里还没有内容，请联系 HR。"
    lines = "\n".join(
        f"{n}. {tappable(name, message)}（{count} 条）：{label(example)}"
        for n, (name, count, example) in enumerate(topics, 1)
    )
    title, intro, start = (
        "可以问我什么",
        "我能回答这些方面的问题：",
        "直接 @我 提问" if message.is_group else "直接问我",
    )
    how = f"{start}；看一类的问题，{pick_hint(message)}"
    if decision.unspecific:
        title, intro, how = "哪方面的？", "您想问哪方面的？请说得具体一些，或者选一类：", pick_hint(message)
    return title, with_hint(intro, lines, how, message)


def _topic_list(decision: TopicList, message: Message) -> Content:
    topic, entries, total = decision.topic, decision.entries, decision.total
    more = f"还有 {total - len(entries)} 条没有列出，直接问我就行。" if total > len(entries) else ""
    return topic, numbered(f"**{label(topic)}** 可以问：", [e.question for e in entries], message, more)


def _introduction(decision: Introduction, message: Message) -> Content:
    intro = "我是问答机器人，用同事写好的原话回答公司里的事，不会编答案。例如可以问我："
    more = f"{send_word('帮助', message)}看全部。"
    return "我是问答机器人", numbered(intro, [entry.question for entry in decision.examples], message, more)


def _unclear_quote(decision: UnclearQuote, message: Message) -> Content:
    at = " @我 " if message.is_group else ""
    match decision.missing:
        case "question":
            return "没看到引用的问题", f"我没看到您引用的是什么问题。请把要问的那句话复制下来{at}发给我。"
        case "answer":
            return "认不出引用的回答", f"我认不出您引用的是哪一条回答。请{at}把问题再问一次，再说这句话。"
        case "list":
            return "对不上引用的列表", f"这个列表我对不上序号了。请把您要的那一行文字{at}发给我。"


def _too_late(decision: TooLate, message: Message) -> Content:
    minutes = decision.minutes
    ago = f"{minutes} 分钟前" if minutes < 120 else f"{minutes // 60} 小时前"
    again = "请再 @我 问一次" if message.is_group else "请再问一次"
    return "抱歉，刚看到您的提问", f"抱歉，您 {ago}的提问我没能及时看到。如果还需要，{again}。"


def _failure(decision: Failure) -> Content:
    if decision.refused:
        return "答案没能发出", "这个问题有答案，但钉钉的内容检查没有放行。已经记下来，会请负责的同事处理。"
    return "抱歉，出了点问题", "抱歉，处理这条消息时出了问题，已经记下来，会请管理员查看。请稍后再问一次。"


def _small_talk(decision: SmallTalk, message: Message) -> Content:
    help_word = typed("帮助", message)
    match decision.kind:
        case SmallTalkKind.GREETING:
            hello = _hello(decision.greeting)
            return "您好", f"{hello}请直接说您的问题，例如「年假有几天」；发{help_word}看我能答什么。"
        case SmallTalkKind.THANKS:
            return "不客气", "不客气，有问题随时找我。"
        case SmallTalkKind.GOODBYE:
            return "好的", "好的，有问题随时找我。"
        case SmallTalkKind.CHAT:
            return "我不会闲聊", f"我只懂公司的制度和流程，闲聊还不会。请直接说您的问题，或发{help_word}看我能答什么。"
        case SmallTalkKind.COMPLAINT:
            human = send_word("人工", message)
            return "抱歉", f"抱歉，没有帮上您。请换个说法再问一次，说得具体一些更好找；要找人就{human}。"
        case SmallTalkKind.NOTHING_TO_PICK:
            body = f"现在没有可以选的列表（列表 10 分钟内有效）。请直接说您的问题，或发{help_word}。"
            return "没有可选的列表", body
        case SmallTalkKind.NOTHING_TO_REPEAT:
            where = "最近 10 分钟这个群里没有可以再说一遍的回答" if message.is_group else "单聊里看不到别人问了什么"
            return "请说一下问题", f"{where}。请直接说您的问题。"
        case SmallTalkKind.NOT_TEXT:
            return "请用文字提问", "我现在只看得懂文字，请把问题打成一句话发给我。"
        case SmallTalkKind.NOT_HEARD:
            return "没有听清", "这段语音没有识别出文字，请再说一次，或者打字告诉我。"


def _remembered(decision: Remembered, message: Message) -> Content:
    words = "、".join(f"「{escape_markdown(word)}」" for word in decision.words)
    if decision.is_forgotten:
        return "好的", f"好的，不再按{words}回答。"
    start = "直接 @我 就行" if message.is_group else "直接说就行"
    return "记住了", f"好的，记住了：您{'在' if decision.are_places else '是'}{words}。要问什么，{start}。"


def _hello(greeting: str) -> str:
    """Make a group's own greeting the beginning of a sentence, unless it is a sentence of its own."""
    if not greeting:
        return "您好，"
    return greeting if greeting[-1] in "。！？!?~～" else f"{greeting.rstrip('，,')}，"
