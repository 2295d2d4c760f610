"""Small talk: recognise messages that are only a remark, chat, an insult or a call for help or introduction. Pure."""

from __future__ import annotations

import unicodedata

from faqbot.access.visibility import Allowed
from faqbot.dialogue.topic_menu import build_menu
from faqbot.language.chat_marks import emoji_codes_in
from faqbot.language.insults import only_insults
from faqbot.language.normalize import normalise, only_fillers
from faqbot.language.remarks import RemarkKind, remark_kind
from faqbot.language.small_talk_words import ChatKind, chat_kind
from faqbot.model.entries import Entry
from faqbot.model.plain_replies import Introduction, Menu, SmallTalk, SmallTalkKind
from faqbot.search.index import Index


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split("/"))


_MENU = _words("帮助/菜单/help/menu/功能/能问什么/可以问什么/怎么用/使用说明")
# DingTalk's own codes, and emoji, with which people thank.
_THANKING_EMOJI = _words("抱拳/玫瑰/谢谢/感谢/比心/握手/合十/爱心/爱你")
_THANKING_SIGNS = frozenset("🙏🌹💐❤🤝😘💕")
_REPLIES = {
    RemarkKind.THANKS: SmallTalkKind.THANKS,
    RemarkKind.GREETING: SmallTalkKind.GREETING,
    RemarkKind.ACKNOWLEDGEMENT: SmallTalkKind.GOODBYE,
}
# So many real questions introduce the bot.
_MAX_EXAMPLES = 3


def small_talk(text: str, index: Index, allowed: Allowed) -> Menu | SmallTalk | Introduction | None:
    """Decide on a message that is small talk or asks for the menu; None for any other."""
    words = normalise(text)
    codes = emoji_codes_in(text)
    if codes and not words:
        return SmallTalk(SmallTalkKind.THANKS if _THANKING_EMOJI.intersection(codes) else SmallTalkKind.GOODBYE)
    if not words and any(unicodedata.category(character) == "So" for character in text):
        return SmallTalk(SmallTalkKind.THANKS if _THANKING_SIGNS.intersection(text) else SmallTalkKind.GOODBYE)
    only_mention = text.lstrip().startswith(("@", "＠")) and only_fillers(words)
    if words in _MENU or not words or only_mention:
        return build_menu(filter(allowed, index.entries))
    if index.has_wording(text) or words in index.topics:
        return None
    if only_insults(text):
        return SmallTalk(SmallTalkKind.COMPLAINT)
    kind = remark_kind(text)
    if kind is RemarkKind.IDENTITY:
        return introduce(index, allowed)
    if kind in _REPLIES:
        return SmallTalk(_REPLIES[kind])
    if only_fillers(words):
        return SmallTalk(SmallTalkKind.THANKS if "谢" in words else SmallTalkKind.GREETING)
    match chat_kind(text):
        case ChatKind.CHAT:
            return SmallTalk(SmallTalkKind.CHAT)
        case ChatKind.COMPLAINT:
            return SmallTalk(SmallTalkKind.COMPLAINT)
        case _:
            return None


def introduce(index: Index, allowed: Allowed) -> Introduction | Menu:
    """Introduce the bot with real questions, each of another topic where there are so many; none is private."""
    entries = [entry for entry in index.entries if allowed(entry) and not entry.private]
    if not entries:
        return build_menu(filter(allowed, index.entries))
    first_of_topics: dict[str, Entry] = {}
    for entry in entries:
        first_of_topics.setdefault(entry.topic, entry)
    chosen = list(first_of_topics.values())[:_MAX_EXAMPLES]
    others = [entry for entry in entries if entry not in chosen]
    return Introduction(tuple([*chosen, *others][:_MAX_EXAMPLES]))
