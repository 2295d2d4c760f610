"""Messages without a subject: those of question words only, and chat with or about the bot. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import cache

from faqbot.language.normalize import is_han, normalise, strip_fillers
from faqbot.language.vocabulary import any_of, builtin_synonyms, compile_any, small_talk_words

# A longer message says something, even in light words.
_MAX_UNSPECIFIC_CHARS = 24
_MAX_CHAT_CHARS = 16
# Light characters that make a word together with one behind them.
_JOINED = "年月日天人钱号时点到再长"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class ChatKind(StrEnum):
    """The kind of a message that only chats: with the bot, or about how bad it is."""

    CHAT = "chat"
    COMPLAINT = "complaint"


def is_unspecific(text: str) -> bool:
    """Return True if a text does not say what it is about: 怎么申请, 什么时候, 12345, a single character."""
    words = strip_fillers(normalise(text))
    if not words or len(words) > _MAX_UNSPECIFIC_CHARS:
        return False
    if len(words) == 1:
        return True
    if not any(map(is_han, words)):
        return all(word.isdecimal() or word in builtin_synonyms().stop_words for word in words.split())
    return not _unspecific().sub("", words).strip()


def without_unspecific(text: str) -> list[str]:
    """List the words of a normalised text that say what it is about, and its numbers: 折现 of 可以折现吗."""
    words: list[str] = []
    start = 0
    for light in (*_unspecific().finditer(text), None):
        end = light.start() if light else len(text)
        # 年 says nothing alone, but 年假 is a word.
        joins = end - start == 1 and start and text[start - 1] in _JOINED
        words.append(text[start - 1 if joins else start : end].strip())
        start = light.end() if light else end
    return [*filter(None, words), *_NUMBER.findall(text)]


def chat_kind(text: str) -> ChatKind | None:
    """Return the kind of a text that is of words of chat only; None where anything else is said."""
    words = normalise(text)
    if not words or len(words) > _MAX_CHAT_CHARS or _any_chat().sub("", words).strip():
        return None
    if _complaint().search(words):
        return ChatKind.COMPLAINT
    is_chat = _chat().search(words) or (_bot().search(words) and _about_bot().search(words))
    return ChatKind.CHAT if is_chat else None


def is_chat_words(text: str) -> bool:
    """Return True for a short text of words of chat only, even of those around it only: 你这个, 什么东西."""
    words = normalise(text)
    return bool(words) and len(words) <= _MAX_CHAT_CHARS and not _any_chat().sub("", words).strip()


@cache
def _unspecific() -> re.Pattern[str]:
    return _any_long_first(small_talk_words().unspecific)


@cache
def _any_chat() -> re.Pattern[str]:
    words = small_talk_words()
    return _any_long_first((*words.complaint, *words.chat, *words.about_bot, *words.around))


@cache
def _complaint() -> re.Pattern[str]:
    return compile_any(small_talk_words().complaint)


@cache
def _chat() -> re.Pattern[str]:
    return compile_any(small_talk_words().chat)


@cache
def _about_bot() -> re.Pattern[str]:
    return compile_any(small_talk_words().about_bot)


@cache
def _bot() -> re.Pattern[str]:
    return re.compile(rf"(?:{any_of(small_talk_words().bot)})(?!们)")


def _any_long_first(words: Iterable[str]) -> re.Pattern[str]:
    return compile_any(sorted(words, key=len, reverse=True))
