"""Question segmentation: finds the questions that a message contains, and what is only told around them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from faqbot.language.chat_marks import without_chat_marks
from faqbot.language.normalize import normalise, only_fillers, strip_fillers
from faqbot.language.small_talk_words import is_unspecific
from faqbot.language.vocabulary import any_of, compile_any, wrapper_words

# More questions are a list rather than a message.
MAX_QUESTIONS = 3
# A shorter question asks nothing by itself.
_MIN_QUESTION_CHARS = 3
# Clauses told before a question that are taken for its circumstances, the nearest.
_MAX_CIRCUMSTANCES = 2
# Words that join a question to the one before it.
_CONJUNCTIONS = re.compile(
    r"^(?:还有(?:就是)?|另外|以及|顺便(?:问(?:一?下)?)?|对了|然后|再问(?:一?下)?|那么?(?![段个天种些边里时])|和)+"
)
_SENTENCE_END = re.compile(r"[。…？?！!\n]+")
# Between clauses: punctuation, a blank, or a word that begins another question. 、 joins words of one question.
_BORDER = re.compile(
    r"[，,；;~～]+|(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])|"
    r"(?=(?:还有|另外|以及|顺便|对了|然后再|再问)(?![没多几]))"
)
_REASON = re.compile("(?:主要是?|是)?(?:因为|由于)")
_QUESTION_WORDS = re.compile(
    r"(?<!好)几(?!乎)|多少|多[久长大]|怎么|怎样|如何|(?:什么|啥|哪[儿里]?|谁)(?!都|也|知道)|吗|(?<!那)(?<!这)么$|咋|能不能|可不可以|是不是|有没有|有木有|要不要|会不会|"
    r"是否|为何|多高|行不行|能否|需不需要|算不算|(?<=..)(?<!要)不$|(?<=..)(?<!还)没$"
)


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a message: with its circumstances, and the words that ask alone.

    They are the same where nothing but the question was said.

    told: the circumstances before it.
    said: all that may speak against an answer, with who asks; not why, nor how long it took.
    """

    text: str
    alone: str
    told: str
    said: str

    @property
    def variants(self) -> tuple[str, ...]:
        """The texts to search for, the more complete first. Words without a subject are not searched for alone."""
        if is_unspecific(self.alone):
            return (self.text,)
        return tuple(dict.fromkeys(filter(None, (self.text, self.alone, self.told))))


def asks(text: str) -> bool:
    """Return True if a text is a question by its words."""
    normalised = normalise(text)
    return normalised.endswith("呢") or _QUESTION_WORDS.search(normalised) is not None


def questions_in(text: str) -> tuple[Question, ...]:
    """Find the questions of a message; empty where there are none or too many.

    A clause that stands before a question without asking anything is its circumstance and stays with it, unless it only
    tells who asks or why. A message that never asks by its words is one question, of all that it tells.
    """
    questions: list[Question] = []
    introductions: list[str] = []
    told: list[str] = []
    for clause in _clauses(text):
        if _introduction().fullmatch(strip_fillers(normalise(clause))) and not asks(clause):
            introductions.append(clause)
            continue
        # 还有 joins a question only to one before it: 还有几天年假.
        question = _CONJUNCTIONS.sub("", clause).strip() if questions or told else clause
        if not asks(question):
            told.append(clause)
            continue
        questions.append(_question(introductions, told, question))
        told = []
    if not questions:
        whole = "，".join(told)
        return (Question(whole, whole, "", "，".join((*introductions, whole))),) if told else ()
    if told:
        # A clause behind the last question belongs to it.
        last = questions[-1]
        text, said = "，".join((last.text, *told[:_MAX_CIRCUMSTANCES])), "，".join((last.said, *told))
        questions[-1] = Question(text, last.alone, last.told, said)
    long_enough = all(len(strip_fillers(normalise(q.text))) >= _MIN_QUESTION_CHARS for q in questions)
    return tuple(questions) if long_enough and len(questions) <= MAX_QUESTIONS else ()


def main_question(text: str) -> str:
    """Return the one question of a message without what is only told around it; the message itself where it has several
    or none."""
    questions = questions_in(text)
    if len(questions) != 1 or normalise(questions[0].text) == normalise(text):
        return text
    return questions[0].text


def _question(introductions: Sequence[str], told: Sequence[str], asking: str) -> Question:
    alone = _lead_ins().sub("", asking) or asking
    circumstances = told[-_MAX_CIRCUMSTANCES:]
    return Question(
        text="，".join((*circumstances, alone)),
        alone=alone,
        told="，".join(circumstances),
        said="，".join((*introductions, *told, asking)),
    )


def _clauses(text: str) -> list[str]:
    """Cut a message into clauses and leave out greetings, thanks and what is only told around a question."""
    clauses: list[str] = []
    asked = False
    for sentence in _SENTENCE_END.split(_opening().sub(r"，\g<0>", without_chat_marks(text))):
        in_reason = False
        for clause in map(str.strip, _BORDER.split(sentence)):
            whole = normalise(clause)
            words = strip_fillers(whole)
            asking = asks(words)
            # Behind a question a reason goes on to the end of its sentence or to the next question; before one, it may
            # be what the question is about.
            in_reason = asked and (_REASON.match(words) is not None or (in_reason and not asking))
            wrapped = in_reason or _call().fullmatch(whole) or (_wrapper().fullmatch(words) and not asking)
            if words and not wrapped and not only_fillers(whole):
                clauses.append(clause)
                asked = asked or asking
    return clauses


@cache
def _opening() -> re.Pattern[str]:
    return compile_any(wrapper_words().openings)


@cache
def _lead_ins() -> re.Pattern[str]:
    return re.compile(rf"^(?:(?:{any_of(wrapper_words().lead_ins)})[\s，,：:]*)+")


@cache
def _call() -> re.Pattern[str]:
    return compile_any(wrapper_words().calls)


@cache
def _introduction() -> re.Pattern[str]:
    return compile_any(wrapper_words().introductions)


@cache
def _wrapper() -> re.Pattern[str]:
    return compile_any(wrapper_words().wrappers)
