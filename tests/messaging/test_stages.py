"""The stages of a message run in the order of their list, each around those that follow."""

from __future__ import annotations

import pytest

from faqbot.messaging.pipeline import MessageTakenOver, NextStage, Outcome, Stage, Turn, chain
from faqbot.messaging.stages import CarryOutCommand, CheckOwnership, RejectLate
from faqbot.model.commands import Command, CommandKind, CommandResult
from faqbot.model.decisions import Answered
from faqbot.model.entries import Entry
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.model.plain_replies import Failure, SmallTalk, SmallTalkKind, TooLate

RECEIVED = 1_000_000.0
MESSAGE = Message("m", "robot", "cid", True, MessageKind.TEXT, "年假", staff_id="u1", received_at=RECEIVED)
ANSWER = Answered(Entry("annual", "年假有几天？", "五天"), 0.9, "年假")
DELIVERED = DeliveryResult(DeliveryState.ANSWERED)


class Last:
    """The stage at the end: keeps the turns that reach it."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        self.turns.append(turn)
        return Outcome(turn.response, turn.response.delivery_result)


def noting(name: str, calls: list[str]) -> Stage:
    async def stage(turn: Turn, proceed: NextStage) -> Outcome:
        calls.append(f"before {name}")
        outcome = await proceed(turn)
        calls.append(f"after {name}")
        return outcome

    return stage


async def test_a_stage_acts_before_and_after_those_that_follow() -> None:
    calls: list[str] = []
    outcome = await chain((noting("a", calls), noting("b", calls), Last()))(Turn(MESSAGE, response=ANSWER))
    assert calls == ["before a", "before b", "after b", "after a"]
    assert outcome == Outcome(ANSWER, DELIVERED)


async def test_where_nothing_was_decided_the_asker_is_told_that_something_went_wrong() -> None:
    assert (await chain((Last(),))(Turn(MESSAGE))).decided == Failure()


@pytest.mark.parametrize(("minutes", "replied"), [(0, ANSWER), (10, ANSWER), (11, TooLate(11)), (1439, TooLate(1439))])
async def test_a_late_answer_is_replaced_and_the_question_stays_on_record(minutes: int, replied: object) -> None:
    last = Last()
    outcome = await chain((RejectLate(lambda: RECEIVED + minutes * 60), last))(Turn(MESSAGE, response=ANSWER))
    assert last.turns[0].response == replied
    assert outcome.decided == ANSWER
    assert outcome.delivery.reason == ("ok" if replied == ANSWER else "late")


async def test_after_a_day_and_for_small_talk_nothing_is_said() -> None:
    last = Last()
    for minutes, response in ((1441, ANSWER), (11, SmallTalk(SmallTalkKind.THANKS))):
        run = chain((RejectLate(lambda minutes=minutes: RECEIVED + minutes * 60), last))  # type: ignore[misc]
        outcome = await run(Turn(MESSAGE, response=response))
        assert outcome == Outcome(response, DeliveryResult(DeliveryState.ABANDONED, "too_old"))
    assert not last.turns


async def test_an_asker_who_was_slowed_down_gets_every_answer() -> None:
    last = Last()
    run = chain((RejectLate(lambda: RECEIVED + 660), last))
    assert (await run(Turn(MESSAGE, response=ANSWER, was_slowed=True))).decided == ANSWER
    assert last.turns[0].response == ANSWER


async def test_a_late_command_is_not_carried_out() -> None:
    command, last = Command(CommandKind.HOTTEST), Last()
    outcome = await chain((RejectLate(lambda: RECEIVED + 660), CarryOutCommand({}), last))(
        Turn(MESSAGE, command=command)
    )
    assert last.turns[0].response == TooLate(11)
    assert outcome == Outcome(command, DeliveryResult(DeliveryState.ANSWERED, "late"))


async def test_a_message_that_another_worker_took_over_goes_no_further() -> None:
    last = Last()

    async def taken_over(message: Message) -> bool:
        return False

    with pytest.raises(MessageTakenOver):
        await chain((CheckOwnership(taken_over), last))(Turn(MESSAGE, response=ANSWER))
    assert not last.turns


async def test_the_result_of_a_command_is_replied_and_a_failed_one_is_said() -> None:
    result = CommandResult("热门问题", "…")

    async def handle(message: Message, command: Command) -> CommandResult:
        return result

    async def fail(message: Message, command: Command) -> CommandResult:
        raise ZeroDivisionError

    last = Last()
    run = chain((CarryOutCommand({CommandKind.HOTTEST: handle, CommandKind.WHY: fail}), last))
    for kind in (CommandKind.HOTTEST, CommandKind.WHY):
        await run(Turn(MESSAGE, command=Command(kind)))
    assert [turn.response for turn in last.turns] == [result, Failure()]
    assert all(turn.command is None for turn in last.turns)
