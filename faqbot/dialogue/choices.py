"""Choices: decide on a message that picks lines of a numbered list, and tell which question the list was for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from faqbot.dialogue.clarification import case_name
from faqbot.dialogue.decision_context import DecisionContext
from faqbot.dialogue.ratings import says_not_helped
from faqbot.dialogue.topic_menu import MAX_LISTED, list_topic
from faqbot.language.normalize import normalise
from faqbot.language.picks import Pick, parse_pick, words_of_line
from faqbot.language.small_talk_words import without_unspecific
from faqbot.model.commands import Response
from faqbot.model.conversation import ConversationState, Option
from faqbot.model.decisions import (
    Answered,
    AskedBack,
    Decision,
    LikelyRefused,
    MultiAnswer,
    NoneOfThese,
    Part,
    PrivateReply,
    Unanswered,
)
from faqbot.model.entries import ELSE
from faqbot.model.plain_replies import OutOfList, SmallTalk, SmallTalkKind, TopicList

# The last line of a list of questions.
NONE_OF_THESE_TEXT = "都不是"
_NONE_OF_THESE = {
    NONE_OF_THESE_TEXT, "都不对", "以上都不是", "上面都不是", "这些都不是", "都不是这些", "不是这些", "没有我要",
    "没有我想问", "都不是我想问", "都不是我要问", "一个都不是", "都不太对", "都不像", "全都不是", "全不是", "没一个对",
    "没有一个对", "没有对", "没有符合", "都不符合", "都没有", "列表里没有", "里面没有", "这里面没有",
    "none of these", "none of them", "none",
}  # fmt: skip
# Said of a list only where nothing was answered after it.
_REFUSALS = {"不是", "不", "不对", "没有", "不是这个", "不是这", "不要", "no", "nope"}
_PARTICLES = "啊呀哦呢吧嘛的了"
# A list can be picked from, and an answer referred to, for this long.
OPTIONS_SECONDS = 600.0
# The answers to more lines than these would not fit a screen.
_MAX_PICKED = 3


def picked_decision(context: DecisionContext) -> Decision | None:
    """Decide on a message that picks from the list of an unexpired state; None for a message that picks nothing."""
    text, state, index = context.message.text, context.state, context.index
    words = normalise(text).rstrip(_PARTICLES)
    if words in _NONE_OF_THESE:
        return _none_of_these(context)
    pick = parse_pick(text)
    if pick is None:
        return _line_named(context)
    if pick.above:
        return None if index.has_wording(text) else _line_above(context)
    if not state.options or len(pick.numbers) != 1:
        # A number may be a question itself, such as 996.
        if index.has_wording(text):
            return None
        if not state.options:
            return None if pick.asks else SmallTalk(SmallTalkKind.NOTHING_TO_PICK)
    return _lines_picked(context, pick)


def refused_list(context: DecisionContext) -> NoneOfThese | None:
    """Decide on 不是, 没用 and the like right after a list of questions: none of them was meant.

    不是 after a question back refuses its cases, too.
    """
    state, text = context.state, context.message.text
    kind = state.options[-1].kind if state.has_list_last else ""
    if kind not in ("none", "case") or context.index.has_wording(text):
        return None
    refuses = normalise(text).rstrip(_PARTICLES) in _REFUSALS or (kind == "none" and says_not_helped(text))
    return NoneOfThese() if refuses else None


def picks_none(text: str, state: ConversationState) -> bool:
    """Return True for 都不是 and other words that refuse a whole list; right after it 不是 does, too."""
    words = normalise(text).rstrip(_PARTICLES)
    return words in _NONE_OF_THESE or (state.has_list_last and words in _REFUSALS)


def list_message_id(state: ConversationState, text: str, response: Response) -> str:
    """Find the message whose list `response` was picked from, or whose likely answer it refused; empty if neither.

    Tapping a line of a list sends its question as a text.
    """
    match response:
        case PrivateReply(decision):
            return list_message_id(state, text, decision)
        case LikelyRefused():
            return state.likely_answer.message_id if state.likely_answer else ""
        case Answered(repeated=True):
            return ""
        case Answered(entry, picked=True, case=case, slot_reused=False) if case:
            # The case may be named after another list was sent.
            return _message_id_of(state, Option.of_case(entry.id, case))
        case AskedBack(unclear=True):
            picked = state.options == response.options
        case AskedBack(entry, picked=True) | Answered(entry, picked=True):
            return _message_id_of(state, Option("entry", entry.id)) or state.options_message_id
        case MultiAnswer(picked=True):
            answer = response.answered[0]
            option = Option.of_case(answer.entry.id, answer.case) if answer.case else Option("entry", answer.entry.id)
            return _message_id_of(state, option) or state.options_message_id
        case NoneOfThese():
            picked = True
        case AskedBack(entry) | Answered(entry) if Option("entry", entry.id) in state.options:
            picked = normalise(text) == normalise(entry.question)
        case _:
            picked = False
    return state.options_message_id if picked else ""


def is_pick(text: str) -> bool:
    """Return True for a text that is only a pick from a list, so that it is no question by itself."""
    return parse_pick(text) is not None


def picked_number(text: str) -> int | None:
    """Read `2`, `第二个`, `选 2`, `②`, `2️⃣` as 2; None for any text that does not pick one line by its number."""
    pick = parse_pick(text)
    return pick.numbers[0] if pick and len(pick.numbers) == 1 and pick.numbers[0] >= 0 else None


def _message_id_of(state: ConversationState, option: Option) -> str:
    """Return the message whose list has this line; empty where none has."""
    if option in state.options:
        return state.options_message_id
    earlier = state.earlier_list
    return earlier.message_id if earlier and option in earlier.options else ""


def _none_of_these(context: DecisionContext) -> Decision | None:
    state = context.state
    if not state.options:
        return None if context.index.has_wording(context.message.text) else SmallTalk(SmallTalkKind.NOTHING_TO_PICK)
    if state.options[-1].key.endswith(f"\n{ELSE}"):
        return _decision_on(context, state.options[-1])
    return NoneOfThese()


def _lines_picked(context: DecisionContext, pick: Pick) -> Decision | None:
    """Decide on a pick by numbers, or of all lines, from the list that it means."""
    options = _list_meant(context.state, pick)
    lines = [option for option in options if option.kind != "none"]
    if pick.takes_all:
        if (pick.count and pick.count != len(lines)) or any(option.kind == "topic" for option in lines):
            return OutOfList(len(lines), unclear=True)
        return _decision_on_several(context, lines)
    # The last line is a question, not 都不是.
    numbers = [number if number >= 0 else len(lines) + 1 + number for number in pick.numbers]
    if not all(1 <= number <= len(options) for number in numbers):
        return None if pick.asks else OutOfList(len(options))
    chosen = [options[number - 1] for number in numbers]
    if len(chosen) == 1:
        return _decision_on(context, chosen[0])
    return _decision_on_several(context, [option for option in chosen if option.kind != "none"])


def _list_meant(state: ConversationState, pick: Pick) -> Sequence[Option]:
    """Return the list that a pick is from: below an answer picked from a list, 再看看第三个 means that list."""
    if state.earlier_list is None:
        return state.options
    fits = all(abs(number) <= len(state.options) for number in pick.numbers)
    return state.earlier_list.options if pick.again or not fits else state.options


def _decision_on_several(context: DecisionContext, options: Sequence[Option]) -> Decision:
    decisions = [_decision_on(context, option) for option in options]
    topics = [decision for decision in decisions if isinstance(decision, TopicList)]
    if topics:
        entries = tuple(entry for topic in topics for entry in topic.entries)
        name = "、".join(topic.topic for topic in topics)
        return TopicList(name, entries[:MAX_LISTED], sum(topic.total for topic in topics))
    # An entry may have been removed since the list was sent.
    answers = [decision for decision in decisions if isinstance(decision, Answered)]
    if len(answers) < 2:
        return answers[0] if answers else (decisions[0] if decisions else NoneOfThese())
    parts = tuple(Part(answer.entry.question, answer) for answer in answers[:_MAX_PICKED])
    return MultiAnswer(parts, picked=True, left_out=len(answers) - len(parts))


def _line_above(context: DecisionContext) -> Decision:
    """Decide on 上面那个: the only line of the list, or the answer after it; otherwise ask which."""
    state, index = context.state, context.index
    if state.has_list_last:
        lines = [option for option in state.options if option.kind != "none"]
        return _decision_on(context, lines[0]) if len(lines) == 1 else OutOfList(len(lines), unclear=True)
    entry = index.by_id.get(state.last_answer.entry_id) if state.last_answer else None
    if entry is None or not context.listable(entry):
        return SmallTalk(SmallTalkKind.NOTHING_TO_PICK)
    return Answered(entry, 1.0, entry.question, repeated=True)


def _line_named(context: DecisionContext) -> Decision | None:
    """Decide on 年假那个, where the word stands in exactly one line of the list; None for any other message.

    The list from which the last answer was picked counts after that.
    """
    state, text = context.state, context.message.text
    words = [word for word in words_of_line(text) if without_unspecific(word)] if state.options else []
    if not words or context.index.has_wording(text):
        return None
    earlier = state.earlier_list.options if state.earlier_list else ()
    return _line_with(context, state.options, words) or _line_with(context, earlier, words)


def _line_with(context: DecisionContext, options: Sequence[Option], words: Sequence[str]) -> Decision | None:
    """Decide on the only line with one of the words, the first that any line has; None if several have it or none."""
    lines = {option: _text_of(context, option) for option in options if option.kind != "none"}
    for form in (context.index.fold, context.sound):
        forms = {option: form(line) for option, line in lines.items()}
        for word in filter(None, map(form, words)):
            fitting = [option for option, line in forms.items() if word in line]
            if fitting:
                return _decision_on(context, fitting[0]) if len(fitting) == 1 else None
    return None


def _text_of(context: DecisionContext, option: Option) -> str:
    """Return the text of a line as the asker saw it; empty where its entry is gone."""
    entry_id, _, case = option.key.partition("\n")
    match option.kind:
        case "topic":
            return option.key
        case "case":
            return case_name(case)
        case _:
            entry = context.index.by_id.get(entry_id)
            return entry.question if entry else ""


def _decision_on(context: DecisionContext, option: Option) -> Decision:
    if option.kind == "none":
        return NoneOfThese()
    if option.kind == "topic":
        topic = list_topic(option.key, context.index, context.listable)
        return topic if topic.entries else Unanswered()
    entry_id, _, case = option.key.partition("\n")
    entry = context.index.by_id.get(entry_id)
    if entry and case and case not in entry.variants:
        entry = None
    # The entry may have been removed since the list was sent. One that is private now is answered in private.
    if entry is None or not context.answerable(entry):
        return Unanswered()
    slot_value = case_name(case) if case else ""
    return Answered(entry, 1.0, entry.question, picked=True, case=case, slot_value=slot_value)
