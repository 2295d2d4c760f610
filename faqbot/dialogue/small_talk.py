"""Small talk: recognise messages that are only a greeting, thanks, a goodbye, chat or a call for help. Pure."""

from __future__ import annotations

from faqbot.access.visibility import Allowed
from faqbot.dialogue.topic_menu import build_menu
from faqbot.language.chat_marks import emoji_codes_in
from faqbot.language.normalize import normalise, only_fillers
from faqbot.language.small_talk_words import ChatKind, chat_kind
from faqbot.model.decisions import Menu, SmallTalk, SmallTalkKind
from faqbot.search.index import Index


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split("/"))


_MENU = _words(
    "帮助/菜单/help/menu/功能/你会什么/你能做什么/能问什么/可以问什么/怎么用/使用说明/"
    "你是谁/你是什么/你是干什么的/你是做什么的/你是机器人吗/介绍一下自己/自我介绍"
)
_GREETING = _words(
    "你好/您好/你好啊/你好呀/您好啊/hi/hello/hey/哈喽/嗨/嗨喽/在吗/在么/在不在/有人吗/有人在吗/有人么/"
    "早/早上好/上午好/中午好/下午好/晚上好/早安/大家好"
)
_THANKS = _words(
    "谢谢/谢谢你/谢谢您/谢谢啦/谢谢了/多谢/多谢了/谢了/感谢/非常感谢/太感谢了/辛苦了/辛苦啦/"
    "thanks/thank you/thanks a lot/thx/3q/好的谢谢/好的谢谢你/收到谢谢/ok谢谢"
)
_GOODBYE = _words("再见/拜拜/bye/88/好的/好/ok/嗯/嗯嗯/收到/知道了/明白/明白了/了解/好滴/好嘞/行")

# DingTalk's own codes with which people thank.
_THANKING_EMOJI = _words("抱拳/玫瑰/谢谢/感谢/比心/握手/合十/爱心/爱你")

_PARTICLES = "啊呀哦噢啦哈呢吧嘛哇的了"


def small_talk(text: str, index: Index, allowed: Allowed) -> Menu | SmallTalk | None:
    """Decide on a message that is small talk or asks for the menu; None for any other."""
    words = normalise(text)
    without_particles = words.rstrip(_PARTICLES)
    codes = emoji_codes_in(text)
    if codes and not words:
        return SmallTalk(SmallTalkKind.THANKS if _THANKING_EMOJI.intersection(codes) else SmallTalkKind.GOODBYE)
    only_mention = text.lstrip().startswith(("@", "＠")) and only_fillers(words)
    if words in _MENU or not words or only_mention:
        return build_menu(filter(allowed, index.entries))
    if words in _THANKS or without_particles in _THANKS:
        return SmallTalk(SmallTalkKind.THANKS)
    if words in _GREETING or without_particles in _GREETING or only_fillers(words):
        return SmallTalk(SmallTalkKind.THANKS if "谢" in words else SmallTalkKind.GREETING)
    if words in _GOODBYE:
        return SmallTalk(SmallTalkKind.GOODBYE)
    match chat_kind(text):
        case ChatKind.CHAT if not index.has_wording(text):
            return SmallTalk(SmallTalkKind.CHAT)
        case ChatKind.COMPLAINT if not index.has_wording(text):
            return SmallTalk(SmallTalkKind.COMPLAINT)
        case _:
            return None
