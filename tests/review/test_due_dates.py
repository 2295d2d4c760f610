"""Which answers grow old, and who is told of it, once."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from faqbot.model.entries import Entry, Period
from faqbot.review.due_dates import due_entries
from faqbot.review.due_reminders import remind_owners
from faqbot.store.protocol import Store
from tests.room import open_room

TODAY = date(2026, 11, 25)


def day(days: int) -> date:
    return TODAY + timedelta(days=days)


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (Entry("e", "问？", "答"), []),
        (Entry("e", "问？", "答", review=day(14)), ["复核"]),
        (Entry("e", "问？", "答", review=day(15)), []),
        (Entry("e", "问？", "答", review=day(-90)), ["复核"]),
        (Entry("e", "问？", "答", valid=Period(end=day(14))), ["到期"]),
        (Entry("e", "问？", "答", valid=Period(end=day(-1)), review=day(-1)), []),
        (Entry("e", "问？", "答", valid=Period(start=day(1)), review=day(2)), []),
        (Entry("e", "问？", "答", review=day(1), draft=True), []),
    ],
)
def test_two_weeks_before_something_is_to_be_done(entry, what):
    assert [d.what for d in due_entries([entry], TODAY)] == what


def test_what_a_later_version_follows_needs_nothing():
    old = Entry("old", "问？", "旧", valid=Period(end=day(3)))
    assert due_entries([old, Entry("new", "问？", "新", valid=Period(start=day(4)))], TODAY) == []


FILE = """\
owner: 福利组
entries:
  - {{question: 健身房怎么办卡？, answer: 找前台。, review: {}}}
  - {{question: 体检几月？, answer: 五月。, valid: {{until: {}}}}}
"""


async def test_each_person_is_told_once_in_one_message_and_again_of_another_date(store: Store, tmp_path: Path) -> None:
    today = date(2026, 3, 2)
    text = FILE.format(today, today + timedelta(days=3))
    async with open_room(store, tmp_path / "knowledge", text, "people: {福利组: [lin01]}\n") as room:
        for _ in range(2):
            await remind_owners(room.at, room.outbox, ["boss01"])
        (first,) = await room.posted()
        assert first.to.id == "lin01" and "健身房怎么办卡" in first.body and "体检几月" in first.body
        room.clock.at += 1.0
        await room.write(FILE.format(today, today + timedelta(days=5)))
        await remind_owners(room.at, room.outbox, ["boss01"])
        _, second = await room.posted()
        assert "健身房" not in second.body and "体检几月" in second.body


async def test_where_an_owner_has_no_people_the_administrators_are_told(store: Store, tmp_path: Path) -> None:
    text = FILE.format("2026-03-02", "2026-03-02")
    async with open_room(store, tmp_path / "knowledge", text, "people: {}\n") as room:
        await remind_owners(room.at, room.outbox, ["boss01"])
        assert [n.to.id for n in await room.posted()] == ["boss01"]
