"""Ratings of an answer: recognise the messages that rate it, and name the ratings in Chinese. Pure."""

from __future__ import annotations

from faqbot.language.chat_marks import emoji_codes_in
from faqbot.language.normalize import normalise, only_fillers
from faqbot.language.rating_words import is_refusal, said_rating
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
# A list that gets one of these ratings holds nothing that was meant.
_NOT_HELPED = (Rating.UNHELPFUL, Rating.NOT_ASKED, Rating.INACCURATE)
_EMOJIS = {"👍": Rating.HELPFUL, "👎": Rating.UNHELPFUL}
# The same as DingTalk's own codes: [赞].
_EMOJI_CODES = {"赞": Rating.HELPFUL, "强": Rating.HELPFUL, "弱": Rating.UNHELPFUL, "踩": Rating.UNHELPFUL}


def parse_rating(text: str, last_answer: LastAnswer | None) -> Command | None:
    """Read a message that only rates, as the command RATE with the rating as its text; None for any other message.

    过期 and the like are read without an answer, too: the command replies that there is none. 对的 is not.
    """
    said = said_rating(text)
    if said is not None:
        rating = Rating(said.name)
        return Command(CommandKind.RATE, rating) if last_answer or said.always or rating is not Rating.HELPFUL else None
    if last_answer is None:
        return None
    if is_refusal(text):
        return Command(CommandKind.RATE, Rating.NOT_ASKED)
    thumb = _emoji_rating(text)
    return Command(CommandKind.RATE, thumb) if thumb else None


def says_not_helped(text: str) -> bool:
    """Return True for a message that only says that what was shown does not help: 没用, 不太对, 答非所问."""
    said = said_rating(text)
    return said is not None and said.name in _NOT_HELPED


def _emoji_rating(text: str) -> Rating | None:
    """Read a thumb with no question behind it; a skin tone or a thank-you may follow."""
    words = normalise(text)
    if words and not only_fillers(words):
        return None
    codes = emoji_codes_in(text)
    return _EMOJIS.get(text.strip()[:1]) or (_EMOJI_CODES.get(codes[0]) if codes else None)
