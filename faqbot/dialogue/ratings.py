"""What people say about an answer: which whole messages rate it, and the words for each rating. Pure."""

from __future__ import annotations

from faqbot.language.normalize import normalise, only_fillers
from faqbot.model.conversation import LastAnswer
from faqbot.model.decisions import Command, CommandKind
from faqbot.model.question_log import Rating

# How each is called where it is tapped, typed and counted.
NAMES = {
    Rating.HELPFUL: "有用",
    Rating.UNHELPFUL: "没用",
    Rating.OUTDATED: "过期",
    Rating.INACCURATE: "不准",
    Rating.UNCLEAR: "看不懂",
    Rating.NOT_ASKED: "不是我问的",
}
# The same by what stands in a record.
RATINGS = {rating.value: name for rating, name in NAMES.items()}
REASONS = (Rating.OUTDATED, Rating.INACCURATE, Rating.UNCLEAR, Rating.NOT_ASKED)
# Whole messages that rate, whatever was said before.
_ALWAYS = {
    Rating.HELPFUL: "有用/有帮助/很有用/很有帮助/有用谢谢",
    Rating.UNHELPFUL: "没用/没有用/没啥用/没什么用/没帮助/没有帮助/没帮上忙",
    Rating.NOT_ASKED: "不是我问的/答非所问/不是我要问的/我问的不是这个/不是问这个/问的不是这个",
}
# Whole messages that rate only where an answer was just given.
_AFTER_AN_ANSWER = {
    Rating.HELPFUL: "解决了/对的/很准",
    Rating.UNHELPFUL: "不对/不行/没解决/没有解决",
    Rating.OUTDATED: "过期/过期了/过时了/过时/已经过期",
    Rating.INACCURATE: "不准/不准确/不正确/错了/说错了/答错了/写错了",
    Rating.UNCLEAR: "看不懂/没看懂/看不明白/太复杂/没看明白",
}
_PARTICLES = "啊呀哦呢吧嘛的了"
_SIGNS = {"👍": Rating.HELPFUL, "👎": Rating.UNHELPFUL}


def _words(written: dict[Rating, str]) -> dict[str, Rating]:
    return {
        normalise(word).rstrip(_PARTICLES): rating for rating, words in written.items() for word in words.split("/")
    }


_RATING_ALWAYS, _RATING_AFTER = _words(_ALWAYS), _words(_AFTER_AN_ANSWER)


def read_rating(text: str, last: LastAnswer | None) -> Command | None:
    """The order to rate that a whole message is, with the rating as its text; `last` is the asker's last answer."""
    said = normalise(text).rstrip(_PARTICLES)
    rating = _RATING_ALWAYS.get(said)
    if rating is None and last is not None:
        rating = _RATING_AFTER.get(said) or _sign(text)
    return Command(CommandKind.RATE, rating) if rating else None


def _sign(text: str) -> Rating | None:
    """What a sign with nothing to ask behind it says; a colour of skin or a thank you may be there."""
    said = normalise(text)
    return _SIGNS.get(text.strip()[:1]) if not said or only_fillers(said) else None
