"""Greetings, thanks and calls for help: whole messages that are no questions. Pure."""

from __future__ import annotations

from faqbot.access.visibility import Allowed
from faqbot.dialogue.topic_menu import menu_of
from faqbot.language.normalize import normalise, only_fillers
from faqbot.model.decisions import Decision, SmallTalk, SmallTalkKind
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

_PARTICLES = "啊呀哦噢啦哈呢吧嘛哇的了"


def courtesy(text: str, index: Index, allowed: Allowed) -> Decision | None:
    said = normalise(text)
    bare = said.rstrip(_PARTICLES)
    at_only = text.lstrip().startswith(("@", "＠")) and only_fillers(said)
    if said in _MENU or not said or at_only:
        return menu_of(filter(allowed, index.entries))
    if said in _GREETING or bare in _GREETING or only_fillers(said):
        return SmallTalk(SmallTalkKind.THANKS if "谢" in said else SmallTalkKind.GREETING)
    if said in _THANKS or bare in _THANKS:
        return SmallTalk(SmallTalkKind.THANKS)
    if said in _GOODBYE:
        return SmallTalk(SmallTalkKind.GOODBYE)
    return None
