"""An order that is misspelt is explained to administrators, and refused to others in a line."""

from __future__ import annotations

import pytest

from faqbot.commands.orders import ExplainOrder
from faqbot.dialogue.stray_commands import ORDERS
from faqbot.messaging.pipeline import Outcome, Turn
from faqbot.messaging.stages import ListOrders
from faqbot.model.commands import Command, CommandKind
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.model.plain_replies import Menu, SmallTalk, SmallTalkKind

MENU = Menu((("休假", 1, "年假有几天"),))


def message(userid: str = "boss", *, is_group: bool = False) -> Message:
    return Message("m", "r", "cid", is_group, MessageKind.TEXT, "帮助", staff_id=userid)


@pytest.mark.parametrize("kind", sorted(set(ORDERS.values())))
async def test_every_order_is_explained_to_administrators_and_refused_to_others(kind: CommandKind) -> None:
    explain = ExplainOrder(["boss"])
    command = Command(CommandKind.EXPLAIN, kind)
    word = next(word for word, known in ORDERS.items() if known is kind)
    told = await explain(message(), command)
    assert f"请发「{word}" in told.body
    assert f"请发「@我 {word}" in (await explain(message(is_group=True), command)).body
    refused = await explain(message("somebody"), command)
    assert "只给机器人的管理员用" in refused.body and refused.outcome == "order_refused"


@pytest.mark.parametrize(
    ("sender", "response", "is_listed"),
    [
        (message(), MENU, True),
        (message("somebody"), MENU, False),
        (message(""), MENU, False),
        (message(is_group=True), MENU, False),
        (message(), Menu(MENU.topics, unspecific=True), False),
        (message(), SmallTalk(SmallTalkKind.GREETING), False),
    ],
)
async def test_help_lists_the_orders_for_administrators_in_a_single_chat(sender, response, is_listed) -> None:
    seen: list[Turn] = []

    async def send(turn: Turn) -> Outcome:
        seen.append(turn)
        return Outcome(turn.decided, DeliveryResult(DeliveryState.ANSWERED))

    await ListOrders(["boss"])(Turn(sender, response=response), send)
    assert ("打卡 小李 昨天" in seen[0].footer) is is_listed
