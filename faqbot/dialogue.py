"""What to do with a text: pick, command, small talk, answer, offer or admit. Values in, one Decision out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import date

from faqbot.features import Floats
from faqbot.matching import Asked, Explanation, Index
from faqbot.model import (
    Answered,
    Candidate,
    Context,
    Decision,
    Entry,
    Menu,
    Message,
    MessageKind,
    Offered,
    Option,
    OutOfList,
    Small,
    Smalltalk,
    TopicList,
    Unanswered,
)
from faqbot.orders import read_order
from faqbot.text import normalise, only_fillers

Allowed = Callable[[Entry], bool]

NO_TOPIC = "其他"
OFFERED_AT_MOST = 5
LIST_AT_MOST = 15
# An entry joins a list that is sent anyway from this share of the bar.
_CLOSE = 0.3
CONTEXT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Probabilities from which an entry is answered outright, and from which it is offered in a list."""

    answer_at: float
    offer_at: float


# The fitted bars; each knowledge base moves them by what its own wordings show (see calibration).
LIMITS = {
    "strict": Limits(answer_at=0.91, offer_at=0.25),
    "balanced": Limits(answer_at=0.86, offer_at=0.18),
    "lenient": Limits(answer_at=0.70, offer_at=0.12),
}
# The second sign beside the score: so much of the question must occur in the entry's wordings at all.
COVERED_TO_ANSWER, COVERED_TO_OFFER = 0.3, 0.1


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split("/"))


_MENU = _words("帮助/菜单/help/menu/功能/你会什么/你能做什么/能问什么/可以问什么/怎么用/使用说明")
_GREETING = _words(
    "你好/您好/你好啊/你好呀/您好啊/hi/hello/hey/哈喽/嗨/嗨喽/在吗/在么/在不在/有人吗/"
    "早/早上好/上午好/中午好/下午好/晚上好/早安/大家好"
)
_THANKS = _words(
    "谢谢/谢谢你/谢谢您/谢谢啦/谢谢了/多谢/多谢了/谢了/感谢/非常感谢/太感谢了/辛苦了/辛苦啦/"
    "thanks/thank you/thanks a lot/thx/3q/好的谢谢/好的谢谢你/收到谢谢/ok谢谢"
)
_GOODBYE = _words("再见/拜拜/bye/88/好的/好/ok/嗯/嗯嗯/收到/知道了/明白/明白了/了解/好滴/好嘞/行")

_ONES = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_PICK = re.compile(
    r"(?:[@＠]\S+\s)?[(\[]*(?:我?[选選要看])?\s*第?\s*(?P<n>\d{1,3}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九])"
    r"\s*[个個条條项項号號题題]?\s*吧?[。.、,!)\]~\s]*(?:谢谢|謝謝)?[。.!~]*"
)
_PARTICLES = "啊呀哦噢啦哈呢吧嘛哇的了"


def open_to(entry: Entry, day: date, conversation_id: str | None) -> bool:
    """Whether an entry may be answered on `day` in this conversation; None stands for the keeper's own view.

    Entries limited to departments need the asker's department, which is not known here: nobody sees them.
    """
    if entry.draft or entry.held or not entry.valid.covers(day):
        return False
    if conversation_id is None:
        return True
    return not entry.departments and (not entry.groups or conversation_id in entry.groups)


@dataclass(frozen=True, slots=True)
class Case:
    """A message to decide on, with what its asker was offered last and, if there is one, the vector of its text."""

    message: Message
    context: Context | None = None
    meaning: Floats | None = None


def decide(case: Case, index: Index, *, limits: Limits, now: float, today: date) -> Decision:
    """Choose the one thing to reply. `now` is in epoch seconds and says whether the context still holds."""
    return decide_many([case], index, limits=limits, now=now, today=today)[0]


def decide_many(
    cases: Sequence[Case],
    index: Index,
    *,
    limits: Limits,
    now: float,
    today: date,
    known: MutableMapping[Hashable, Sequence[Candidate]] | None = None,
) -> list[Decision]:
    """Decide on several messages; those that are questions are searched for together.

    `known` holds what was found for questions before, with the same index; what is found now is added.
    """
    decisions = [_without_search(case, index, now, today) for case in cases]
    open_cases = [n for n, decision in enumerate(decisions) if decision is None]
    found: MutableMapping[Hashable, Sequence[Candidate]] = {} if known is None else known
    keys = {n: _same_for(cases[n], index, today) for n in open_cases}
    new = [n for n in open_cases if keys[n] not in found]
    asked = [Asked(cases[n].message.text, _allowed(cases[n].message, today), cases[n].meaning) for n in new]
    found.update(zip((keys[n] for n in new), index.search_batch(asked), strict=True))
    for number in open_cases:
        message, ranking = cases[number].message, found[keys[number]]
        decisions[number] = _match(message.text, ranking, index, _listed(message, today), limits)
    return [
        _discreet(decision) if case.message.is_group else decision
        for case, decision in zip(cases, decisions, strict=True)
        if decision is not None
    ]


def _same_for(case: Case, index: Index, today: date) -> Hashable:
    """Two messages with the same key find the same; a vector tells a text apart as well as the text does."""
    place = case.message.conversation_id if index.limited else ""
    return case.message.text, place, today, case.meaning is None


def _without_search(case: Case, index: Index, now: float, today: date) -> Decision | None:
    """The decision on what is no question: pictures, commands, picks from a list."""
    message = case.message
    if message.kind not in (MessageKind.TEXT, MessageKind.VOICE):
        return Smalltalk(Small.NOT_HEARD if message.kind is MessageKind.AUDIO else Small.NOT_TEXT)
    if (order := read_order(message)) and not index.has_wording(message.text):
        return order
    live = case.context if case.context and now < case.context.until else None
    listed = _listed(message, today)
    return _command(message.text, index, listed) or _pick(message.text, live, index, listed)


def _allowed(message: Message, today: date) -> Allowed:
    return lambda entry: open_to(entry, today, message.conversation_id)


def _listed(message: Message, today: date) -> Allowed:
    # Lists show the question, which already says too much in front of colleagues.
    return lambda entry: open_to(entry, today, message.conversation_id) and not (entry.private and message.is_group)


def _discreet(decision: Decision) -> Decision:
    """Keep private questions out of a list for a group; where one comes first, the neutral line is the reply."""
    if not isinstance(decision, Offered):
        return decision
    best = decision.candidates[0]
    public = tuple(c for c in decision.candidates if not c.entry.private)
    if not public or best.score > public[0].score:
        return Answered(best.entry, best.score, best.question)
    return Offered(public)


def judge(
    text: str, index: Index, *, limits: Limits, today: date, meaning: Floats | None = None
) -> tuple[Decision, Sequence[Candidate]]:
    """Decide on one bare question without asker or context, with the ranking beside it (`ask`, `evaluate`)."""
    return judge_many([text], index, limits=limits, today=today, meanings=[meaning])[0]


def judge_many(
    texts: Sequence[str],
    index: Index,
    *,
    limits: Limits,
    today: date,
    meanings: Sequence[Floats | None] | None = None,
) -> list[tuple[Decision, Sequence[Candidate]]]:
    """judge() for many, searched together."""

    def allowed(entry: Entry) -> bool:
        return open_to(entry, today, None)

    vectors = meanings if meanings is not None else [None] * len(texts)
    rankings = index.search_batch([Asked(t, allowed, v) for t, v in zip(texts, vectors, strict=True)])
    return [
        (_command(text, index, allowed) or _match(text, ranking, index, allowed, limits), ranking)
        for text, ranking in zip(texts, rankings, strict=True)
    ]


def explain(text: str, index: Index, *, today: date, meaning: Floats | None = None) -> Sequence[Explanation]:
    """Why the candidates of `judge` came where they did, in the same order."""
    return index.explain(text, allowed=lambda e: open_to(e, today, None), meaning=meaning)


def _match(text: str, ranking: Sequence[Candidate], index: Index, allowed: Allowed, limits: Limits) -> Decision:
    """The name of a topic opens the topic, unless HR wrote these very words as a question."""
    said = normalise(text)
    topic = index.topics.get(said) or (NO_TOPIC if said == NO_TOPIC else None)
    if topic is not None and not (ranking and ranking[0].score >= 1.0):
        listed = _topic(topic, index, allowed)
        if listed.entries:
            return listed
    return choose(ranking, limits)


def choose(ranking: Sequence[Candidate], limits: Limits) -> Answered | Offered | Unanswered:
    """Answer outright, offer a numbered list, or admit there is no answer."""
    offers = tuple(c for c in ranking if c.score >= limits.offer_at and c.covered >= COVERED_TO_OFFER)
    if not offers:
        return Unanswered(nearest=tuple(ranking[:3]))
    best = offers[0]
    if best.score >= limits.answer_at and best.covered >= COVERED_TO_ANSWER:
        return Answered(best.entry, best.score, best.question)
    # Where one is doubtful, those that follow closely belong on the list too.
    close = tuple(c for c in ranking if c in offers or c.score >= limits.offer_at * _CLOSE)
    return Offered(close[:OFFERED_AT_MOST])


def options(decision: Decision) -> tuple[Option, ...]:
    """What the numbers of the list that is about to be sent stand for."""
    match decision:
        case Offered(candidates):
            return tuple(Option("entry", c.entry.id) for c in candidates)
        case Menu(topics):
            return tuple(Option("topic", name) for name, _, _ in topics)
        case TopicList(_, entries):
            return tuple(Option("entry", e.id) for e in entries)
        case _:
            return ()


def _command(text: str, index: Index, allowed: Allowed) -> Decision | None:
    said = normalise(text)
    bare = said.rstrip(_PARTICLES)
    at_only = text.lstrip().startswith(("@", "＠")) and only_fillers(said)
    if said in _MENU or not said or at_only:
        return _menu(filter(allowed, index.entries))
    if said in _GREETING or bare in _GREETING or only_fillers(said):
        return Smalltalk(Small.THANKS if "谢" in said else Small.GREETING)
    if said in _THANKS or bare in _THANKS:
        return Smalltalk(Small.THANKS)
    if said in _GOODBYE:
        return Smalltalk(Small.GOODBYE)
    return None


def _pick(text: str, context: Context | None, index: Index, allowed: Allowed) -> Decision | None:
    number = picked_number(text)
    if number is None:
        return None
    if context is None or not context.options:
        # An entry about 996 is asked for by its number.
        return None if index.has_wording(text) else Smalltalk(Small.NOTHING_TO_PICK)
    if not 1 <= number <= len(context.options):
        return OutOfList(len(context.options))
    option = context.options[number - 1]
    if option.kind == "topic":
        opened = _topic(option.key, index, allowed)
        return opened if opened.entries else Unanswered()
    entry = next((e for e in index.entries if e.id == option.key and allowed(e)), None)
    # The entry may have been taken away since the list was sent.
    return Answered(entry, 1.0, entry.question, picked=True) if entry else Unanswered()


def picked_number(text: str) -> int | None:
    """`2`, `第二个`, `选 2`, `②` → 2; None for anything that is not just a number to pick."""
    found = _PICK.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if not found:
        return None
    written = found.group("n")
    if written.isdigit():
        return int(written)
    tens, ten, ones = written.partition("十")
    if not ten:
        return _ONES[written]
    return _ONES.get(tens, 1) * 10 + _ONES.get(ones, 0)


def _menu(entries: Iterable[Entry]) -> Menu:
    topics: dict[str, list[Entry]] = {}
    for entry in entries:
        topics.setdefault(entry.topic or NO_TOPIC, []).append(entry)
    return Menu(tuple((name, len(found), found[0].question) for name, found in topics.items()))


def _topic(topic: str, index: Index, allowed: Allowed) -> TopicList:
    found = [e for e in index.entries if (e.topic or NO_TOPIC) == topic and allowed(e)]
    return TopicList(topic, tuple(found[:LIST_AT_MOST]), len(found))
