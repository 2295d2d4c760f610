"""Ratings of an answer: recognise the messages that rate it, and name the ratings in Chinese. Pure."""

from __future__ import annotations

from faqbot.language.chat_marks import emoji_codes_in
from faqbot.language.normalize import normalise, only_fillers
from faqbot.model.commands import Command, CommandKind
from faqbot.model.conversation import LastAnswer
from faqbot.model.question_log import Rating

# The Chinese name of each rating: as a link, as a message and in statistics.
RATING_NAMES = {
    Rating.HELPFUL: "有用",
    Rating.UNHELPFUL: "没用",
    Rating.OUTDATED: "过期",
    Rating.INACCURATE: "不准",
    Rating.UNCLEAR: "看不懂",
    Rating.NOT_ASKED: "不是我问的",
}
# The same by the value that the question log stores.
NAMES_BY_VALUE = {rating.value: name for rating, name in RATING_NAMES.items()}
REASONS = (Rating.OUTDATED, Rating.INACCURATE, Rating.UNCLEAR, Rating.NOT_ASKED)
# Whole messages that always rate.
_ALWAYS = {
    Rating.HELPFUL: "有用/有帮助/很有用/很有帮助/有用谢谢",
    Rating.UNHELPFUL: "没用/没有用/没啥用/没什么用/没帮助/没有帮助/没帮上忙",
    Rating.NOT_ASKED: "不是我问的/答非所问/不是我要问的/我问的不是这个/不是问这个/问的不是这个",
}
# Whole messages that rate only shortly after an answer.
_AFTER_AN_ANSWER = {
    Rating.HELPFUL: "解决了/对的/很准",
    Rating.UNHELPFUL: "不对/不行/没解决/没有解决",
    Rating.OUTDATED: "过期/过期了/过时了/过时/已经过期",
    Rating.INACCURATE: "不准/不准确/不正确/错了/说错了/答错了/写错了",
    Rating.UNCLEAR: "看不懂/没看懂/看不明白/太复杂/没看明白",
}
_PARTICLES = "啊呀哦呢吧嘛的了"
_EMOJIS = {"👍": Rating.HELPFUL, "👎": Rating.UNHELPFUL}
# The same as DingTalk's own codes: [赞].
_EMOJI_CODES = {"赞": Rating.HELPFUL, "强": Rating.HELPFUL, "弱": Rating.UNHELPFUL, "踩": Rating.UNHELPFUL}


def _by_word(words_by_rating: dict[Rating, str]) -> dict[str, Rating]:
    return {
        normalise(word).rstrip(_PARTICLES): rating
        for rating, words in words_by_rating.items()
        for word in words.split("/")
    }


_RATING_ALWAYS, _RATING_AFTER = _by_word(_ALWAYS), _by_word(_AFTER_AN_ANSWER)


def parse_rating(text: str, last_answer: LastAnswer | None) -> Command | None:
    """Read a message that only rates, as the command RATE with the rating as its text; None for any other message."""
    words = normalise(text).rstrip(_PARTICLES)
    rating = _RATING_ALWAYS.get(words)
    if rating is None and last_answer is not None:
        rating = _RATING_AFTER.get(words) or _emoji_rating(text)
    return Command(CommandKind.RATE, rating) if rating else None


def _emoji_rating(text: str) -> Rating | None:
    """Read a thumb with no question behind it; a skin tone or a thank-you may follow."""
    words = normalise(text)
    if words and not only_fillers(words):
        return None
    codes = emoji_codes_in(text)
    return _EMOJIS.get(text.strip()[:1]) or (_EMOJI_CODES.get(codes[0]) if codes else None)
