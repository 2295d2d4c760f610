"""A correction is told once to each of those who were answered lately, and several in one message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faqbot.review.correction_notices import MERGE_SECONDS, send_due_corrections
from faqbot.review.pending_corrections import AnswerRecipients, cancel_correction, plan_correction, recent_recipients
from faqbot.store.protocol import Store
from tests.room import Room, open_room

TEXT = """\
- {id: annual, question: 年假有几天？, answer: 年假 5 天。}
- {id: sick, question: 病假有几天？, answer: 病假 3 天。}
"""


@pytest.fixture
async def room(store: Store, tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(store, tmp_path / "knowledge", TEXT, "") as opened:
        yield opened


async def correct(room: Room, before: str, after: str, *people: str) -> None:
    entry = next(e for e in room.at.snapshot.entries if before in e.answer)
    await plan_correction(room.at, entry, people)
    await room.write(room.read().replace(before, after))


async def bodies(room: Room) -> dict[str, str]:
    """What waits in the outbox, once the time is over."""
    room.clock.at += MERGE_SECONDS
    await send_due_corrections(room.at, room.outbox)
    return {n.to.id: n.body for n in await room.posted()}


async def test_those_answered_in_the_last_fourteen_days_can_be_reached(room: Room) -> None:
    await room.asked("xiaoli01", "annual")
    await room.asked("xiaoli01", "annual", "picked", days_ago=3)
    await room.asked("xiaowang02", "annual", "picked", days_ago=13)
    await room.asked("$:LWCP_v1:$abc", "annual")
    await room.asked("longago03", "annual", days_ago=15)
    await room.asked("other04", "sick")
    await room.asked("offered05", "annual", "offered")
    assert await recent_recipients(room.at, "annual") == AnswerRecipients(("xiaowang02", "xiaoli01"), 1)


async def test_they_are_told_what_was_and_what_is_once(room: Room) -> None:
    await correct(room, "年假 5 天", "年假 10 天", "xiaoli01", "xiaowang02")
    assert await room.posted() == []
    sent = await bodies(room)
    assert set(sent) == {"xiaoli01", "xiaowang02"}
    assert "原来说：年假 5 天。\n\n现在是：年假 10 天。" in sent["xiaoli01"]
    before = await room.posted()
    assert await bodies(room) == sent and await room.posted() == before


async def test_a_picture_is_named_where_it_cannot_be_shown_and_another_one_is_no_correction(room: Room) -> None:
    await correct(room, "病假 3 天。", '"病假 3 天，见图 ![](流程2.png)"', "xiaowang02")
    assert await bodies(room) == {}
    await correct(room, "病假 3 天", "病假 4 天", "xiaoli01")
    told = (await bodies(room))["xiaoli01"]
    assert "（图片：流程2.png）" in told and "![" not in told


async def test_corrections_within_minutes_are_one_message_a_person(room: Room) -> None:
    await correct(room, "年假 5 天", "年假 10 天", "xiaoli01", "xiaowang02")
    room.clock.at += 100
    await correct(room, "病假 3 天", "病假 4 天", "xiaoli01")
    room.clock.at += 100
    await correct(room, "年假 10 天", "年假 12 天", "xiaoli01")
    sent = await bodies(room)
    assert len(await room.posted()) == 2
    assert "年假 5 天。\n\n现在是：年假 12 天。" in sent["xiaoli01"] and "病假 4 天" in sent["xiaoli01"]
    assert "年假 5 天。\n\n现在是：年假 12 天。" in sent["xiaowang02"] and "病假" not in sent["xiaowang02"]


async def test_what_is_put_back_in_time_is_not_told(room: Room) -> None:
    await correct(room, "年假 5 天", "年假 10 天", "xiaoli01")
    await room.write(TEXT)
    assert await bodies(room) == {}


async def test_what_was_not_saved_is_not_told(room: Room) -> None:
    planned = await plan_correction(room.at, room.entry(), ["xiaoli01"])
    await cancel_correction(room.at, planned)
    await room.write(TEXT.replace("5 天", "6 天"))
    assert await bodies(room) == {}


async def test_an_entry_that_became_a_draft_meanwhile_is_not_told(room: Room) -> None:
    await plan_correction(room.at, room.entry(), ["xiaoli01"])
    await room.write(TEXT.replace("年假 5 天。}", "年假 10 天。, draft: true}"))
    assert await bodies(room) == {}
