"""What must hold in every order, judged by what was said: addressing, privacy, picks, the question log."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from faqbot.access.privacy import withheld_topic
from faqbot.analytics.stats import gap_records
from faqbot.dialogue.choices import OPTIONS_SECONDS
from faqbot.dialogue.clarification import case_name
from faqbot.knowledge.snapshot import Snapshot
from faqbot.markup.blocks import label
from faqbot.model.question_log import RATED, QuestionRecord
from tests.conversations.fuzz.knowledge import Tells, tells_of
from tests.conversations.fuzz.session import Cast, Heard
from tests.conversations.fuzz.turns import Kind, Turn

# The lines that are picked by number.
_NUMBERS = {
    "1": (1,), "2": (2,), "3": (3,), "5": (5,), "第二个": (2,), "就第一个": (1,), "第一个吧": (1,), "那就2吧": (2,),
    "第一个": (1,), "我要看第3个谢谢": (3,), "第二个是怎么说的": (2,), "再看看第3个": (3,), "４": (4,),
    "选 2": (2,), "②": (2,), "1和3": (1, 3), "1、2都要": (1, 2), "第一个和第三个": (1, 3),
}  # fmt: skip
_NONE_OF_THESE = "都不是"
_CIRCLED = {ord("①") + n: f"{n + 1}" for n in range(20)}
_TICKET = re.compile(r"单号 ?\d+")


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that does not hold, and the turn at which that shows."""

    rule: str
    turn: int
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}"


@dataclass(frozen=True, slots=True)
class _ShownList:
    """The lines of the list that somebody saw last in a conversation.

    heading: the entry that asked back.
    below: True if these are further questions below an answer.
    earlier: the list that was picked from before, if these are.
    """

    at: float
    lines: Mapping[int, str]
    heading: str = ""
    below: bool = False
    earlier: _ShownList | None = None

    def means(self, turn: Turn) -> _ShownList:
        """The list that a pick is from: 再看看第3个 goes back to the one before, and so does a number too high."""
        fits = all(number in self.lines for number in _NUMBERS.get(turn.text, ()))
        goes_back = not fits or turn.text.startswith("再")
        return self.earlier if self.earlier and goes_back else self


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads from messages which entries they name and answer, and which lines they offer."""

    tells: Mapping[str, Tells]
    line: re.Pattern[str]
    private: Sequence[Tells]
    limited: Sequence[Tells]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Reader:
        tells = tells_of(snapshot)
        entries = [t.entry for t in tells.values()]
        cases = {case_name(case) for e in entries for case in e.cases}
        labels = {label(e.question) for e in entries} | {label(e.topic) for e in entries} | {label(c) for c in cases}
        return cls(
            tells,
            _line_of(labels | {_NONE_OF_THESE}),
            [t for t in tells.values() if t.entry.private],
            [t for t in tells.values() if t.entry.groups or t.entry.departments],
        )

    def answered(self, text: str) -> frozenset[str]:
        """The ids of the entries whose answer stands in a text, if only a part of it."""
        return frozenset(id for id, t in self.tells.items() if t.answers_in(text))

    def quoted_list(self, text: str, at: float) -> _ShownList | None:
        """The list of a quoted message, or the entry that it answers by a case."""
        heading = next((t.entry.id for t in self.tells.values() if t.entry.ask and t.names_in(text)), "")
        return self.list_in(text, at, None) or (_ShownList(at, {}, heading) if heading else None)

    def depending(self, text: str) -> frozenset[str]:
        """The entries in a text whose answer depends on the asker."""
        return frozenset(id for id in self.named(text) | self.answered(text) if self.tells[id].entry.ask)

    def named(self, text: str) -> frozenset[str]:
        return frozenset(id for id, t in self.tells.items() if t.names_in(text))

    def list_in(self, text: str, at: float, before: _ShownList | None) -> _ShownList | None:
        """The numbered lines of a message, however they are laid out; `before` is the list that was seen before it."""
        lines = {int(number): line for number, line in self.line.findall(text.translate(_CIRCLED))}
        if not lines:
            return None
        heading = next((t.entry.id for t in self.tells.values() if t.entry.ask and t.names_in(text)), "")
        if not heading and before and lines == before.lines:
            # What is asked once more may leave out what it is about.
            heading = before.heading
        below = bool(self.answered(text))
        earlier = (before.earlier if before.below else before) if below and before else None
        return _ShownList(at, lines, heading, below, earlier)


def _line_of(labels: Collection[str]) -> re.Pattern[str]:
    """A number and what it stands for, linked or not; in bold it is a heading."""
    # The longest first, as one may begin another.
    alternatives = "|".join(map(re.escape, sorted(filter(None, labels), key=len, reverse=True)))
    return re.compile(rf"(?<![\d.*])(\d{{1,2}})\s*[.．、]?\s*\[?({alternatives})")


def violations(reader: Reader, cast: Cast, heard: Sequence[Heard]) -> Iterator[Violation]:
    """What does not hold in one order, beside isolation."""
    for one in heard:
        yield from _misaddressed(cast, one)
        yield from _indiscreet(reader, cast, one, [b.turn.text for b in heard if b.turn.who == one.turn.who])
    yield from _repeated_unheard(reader, heard)
    yield from _picked_unseen(reader, cast, heard)
    yield from _misrecorded(reader, cast, heard)


def _misaddressed(cast: Cast, heard: Heard) -> Iterator[Violation]:
    turn, asker = heard.turn, cast.userids[heard.turn.who]

    def violation(what: str) -> Violation:
        return Violation("addressing", turn.number, what)

    if len(heard.replies) != 1:
        yield violation(f"{len(heard.replies)} replies to one message")
    for reply in heard.replies:
        others = set(reply.mentions) - {asker}
        if reply.at_all:
            yield violation("everybody is mentioned")
        if turn.where and (asker not in reply.mentions or not reply.text.startswith(f"@{asker}\n")):
            yield violation(f"{turn.who} is not mentioned")
        if others and not (turn.where and _TICKET.search(reply.text) and others <= cast.owners):
            yield violation(f"also mentions {others}")
        if strangers := [who for who, id in cast.userids.items() if who != turn.who and f"@{id}" in reply.text]:
            yield violation(f"speaks of {strangers}")
        if not turn.where and reply.mentions:
            yield violation("a mention in a single chat")
    for userid, _ in heard.direct:
        if userid != asker or not turn.where:
            yield violation(f"a direct message to {userid}")
    for notice in heard.notices:
        if notice.to.kind != "person" or notice.to.id not in cast.owners:
            yield violation(f"a notice to {notice.to}")


def _indiscreet(reader: Reader, cast: Cast, heard: Heard, own: Sequence[str]) -> Iterator[Violation]:
    """Private matters in a group, and limited ones told to somebody else; `own` is all that the asker typed."""
    turn = heard.turn

    def violation(what: str) -> Violation:
        return Violation("privacy", turn.number, what)

    said = [f"{reply.title}\n{reply.text}" for reply in heard.replies]
    if turn.where:
        for text in said:
            for tells in reader.private:
                words = [w for w in tells.entry.wordings if len(w) > 5 and w in text]
                if words or tells.names_in(text) or tells.answers_in(text):
                    yield violation(f"the group reads of {tells.entry.question}")
            if (asked := _private_words(turn, heard.quoted)) and asked in text:
                yield violation(f"the group reads {asked}")
            if any(t.entry.topic in text for t in reader.private if t.entry.topic == "员工关怀"):
                yield violation("the group reads the private topic")
    group = cast.conversations[turn.where] if turn.where else ""
    mine = "\n".join((*own, heard.quoted))
    for text in (*said, *(f"{message.title}\n{message.text}" for _, message in heard.direct)):
        for tells in reader.limited:
            entry = tells.entry
            if (not entry.groups or group in entry.groups) and (
                not entry.departments or cast.departments[turn.who] & set(entry.departments)
            ):
                continue
            # Words that were typed or quoted may be repeated.
            named = [w for w in (*tells.names, entry.topic) if w in text and w not in mine]
            if named or tells.answers_in(text):
                yield violation(f"{turn.who} reads of {entry.question}")


def _private_words(turn: Turn, quoted: str) -> str:
    if turn.kind in (Kind.PRIVATE, Kind.PRIVATE_PERSON):
        return turn.text.removeprefix("人工").strip()
    return ""


def _repeated_unheard(reader: Reader, heard: Sequence[Heard]) -> Iterator[Violation]:
    """Answers to 同问 that are not the last answer of the group."""
    for n, one in enumerate(heard):
        turn = one.turn
        # Of what is said at once, nobody can tell what came last.
        if turn.kind is not Kind.SAME or turn.quoting or turn.together:
            continue
        asked = [b for b in heard[:n] if b.turn.where == turn.where and b.record] if turn.where else []
        last = [f"{m.title}\n{m.text}" for b in asked if b.at == asked[-1].at for m in b.replies]
        known = frozenset().union(*(reader.named(text) | reader.answered(text) for text in last))
        if wrong := frozenset().union(*(reader.answered(m.text) for m in one.replies)) - known:
            yield Violation("picks", turn.number, f"{turn.text} got {set(wrong)}, but the last answer was {set(known)}")


def _picked_unseen(reader: Reader, cast: Cast, heard: Sequence[Heard]) -> Iterator[Violation]:
    """Picks of what does not stand on the list that the picker saw last in that conversation.

    Another case of an entry may be named for as long as the asker had to do with the entry there.
    """
    shown: dict[tuple[str, str], _ShownList] = {}
    depending: dict[tuple[str, str], frozenset[str]] = defaultdict(frozenset)
    for one in heard:
        turn = one.turn
        here = (turn.who, turn.where)
        seen = _unexpired(shown.get(here), one.at)
        if turn.quoting:
            # What is quoted is seen, whoever it was sent to.
            seen = reader.quoted_list(one.quoted, one.at) or seen
        texts = [m.text for m in one.replies] + [m.text for _, m in one.direct]
        if turn.kind is Kind.NUMBER and not turn.quoting:
            yield from _wrong_picks(reader, turn, seen, frozenset().union(*map(reader.answered, texts)))
        if one.record and one.record.outcome == "picked" and one.record.entry_id:
            question = label(reader.tells[one.record.entry_id].entry.question)
            lists = [shown_list for shown_list in (seen, seen and seen.earlier) if shown_list]
            on_list = any(question in s.lines.values() or one.record.entry_id == s.heading for s in lists)
            if not on_list and one.record.entry_id not in depending[here]:
                yield Violation("picks", turn.number, f"{question} was picked, but {seen} was seen")
        depending[here] |= frozenset().union(*map(reader.depending, texts))
        for message in one.replies:
            if new := reader.list_in(message.text, one.at, seen):
                shown[here] = new
        for _, message in one.direct:
            shown.pop((turn.who, ""), None)
            depending[turn.who, ""] |= reader.depending(message.text)
            if new := reader.list_in(message.text, one.at, None):
                shown[turn.who, ""] = new


def _unexpired(shown: _ShownList | None, at: float) -> _ShownList | None:
    if shown is None or at >= shown.at + OPTIONS_SECONDS:
        return None
    return replace(shown, earlier=_unexpired(shown.earlier, at))


def _wrong_picks(reader: Reader, turn: Turn, seen: _ShownList | None, answered: frozenset[str]) -> Iterator[Violation]:
    seen = seen and seen.means(turn)
    questions = {label(reader.tells[id].entry.question): id for id in answered}
    allowed = set(seen.lines.values()) if seen else set()
    for question, id in questions.items():
        if question not in allowed and not (seen and id == seen.heading):
            yield Violation("picks", turn.number, f"{turn.text} got {question}, but {seen} was seen")
    picked = [seen.lines.get(number) for number in _NUMBERS.get(turn.text, ())] if seen else []
    for line in picked:
        if line == _NONE_OF_THESE and len(picked) > 1:
            continue
        if line and answered and line not in questions and seen and seen.heading not in answered:
            yield Violation("picks", turn.number, f"{turn.text} got {list(questions)}, not {line}: {seen}")


def _misrecorded(reader: Reader, cast: Cast, heard: Sequence[Heard]) -> Iterator[Violation]:
    by_id = {one.record.message_id: one for one in heard if one.record}
    for one in by_id.values():
        rated = by_id.get(one.record.picked_for) if one.record and one.record.outcome == RATED else None
        if rated and rated.record and one.record and rated.record.text == one.record.text:
            # Whoever rates the answer of a colleague by quoting it has its question on record, too.
            continue
        if what := _wrong_record(reader, cast, one, one.record, _subjects_seen(heard, one)):
            yield Violation("question log", one.turn.number, f"{what}: {one.record}")
    for record in gap_records([one.record for one in by_id.values() if one.record]):
        one = by_id[record.message_id]
        turn = one.turn
        asks_quoted = bool(turn.quoting) and (record.text in one.quoted or withheld_topic(record.text) is not None)
        if not turn.may_be_question and not asks_quoted:
            yield Violation("question log", turn.number, f"{turn.text} is no question, but missed")


def _subjects_seen(heard: Sequence[Heard], one: Heard) -> str:
    """What the asker of a turn was told or quotes, so that a short question may be recorded with its subject."""
    turn = one.turn
    before = [b for b in heard if b.turn.number < turn.number]
    # A private question of a group is answered in the single chat.
    told = [b for b in before if b.turn.who == turn.who and (b.turn.where == turn.where or not turn.where)]
    told += [b for b in before if turn.quoting and b.turn.number == turn.quoting.turn]
    # To a quote beside which little stands, and to 同问, the reply names what it takes for the subject.
    told += [one] if turn.quoting or turn.kind is Kind.SAME else []
    messages = [m for b in told for m in (*b.replies, *(m for _, m in b.direct))]
    return "\n".join(f"{m.title}\n{m.text}" for m in messages)


def _wrong_record(reader: Reader, cast: Cast, one: Heard, record: QuestionRecord | None, seen: str) -> str:
    assert record is not None
    turn, text = one.turn, record.text
    if record.asker != cast.userids[turn.who]:
        return "another asker"
    if record.conversation_id != cast.conversation(turn):
        return "another conversation"
    withheld = withheld_topic(text) is not None
    if one.direct and not (withheld and not record.entry_id):
        return "a private question is on record"
    said = f"{turn.text}\n{one.quoted}"
    if any(name not in said and name in text for t in reader.private for name in map(_bare, t.names)):
        return "a private subject is on record"
    subject, colon, rest = text.rpartition("：")
    # 上面那个 and the like stand for a question as a whole.
    if withheld or text in said or (text in seen and record.entry_id) or (colon and rest in said and subject in seen):
        return ""
    return "another text"


def _bare(question: str) -> str:
    return question.rstrip("？?")
