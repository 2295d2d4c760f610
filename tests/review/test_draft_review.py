"""Drafts: a number each, approved byte for byte, sent back, withdrawn within a day; done twice it is done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from faqbot.errors import NotAllowed
from faqbot.knowledge.editing.audit_log import Edit, append_edit
from faqbot.model.entries import Entry
from faqbot.review import draft_records, draft_review
from faqbot.review.draft_notices import announce_drafts, drafts_message
from faqbot.review.draft_records import Reviewer, ReviewState
from faqbot.store.protocol import Store
from tests.room import Room, open_room

DRAFT = """\
# 休假
主题: 休假
负责人: 休假组
条目:
  - 问题: 年假有几天？   # 法定
    草稿: 是
    答案: 五天。

  - 问题: 病假怎么请？
    答案: 发起审批。
"""
PEOPLE = "people: {休假组: [zhang01, li02]}\n"
ZHANG = Reviewer("张姐", "zhang01")


@pytest.fixture
async def room(store: Store, tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(store, tmp_path / "knowledge", DRAFT, PEOPLE) as opened:
        yield opened


async def told(room: Room) -> list[tuple[str, str]]:
    return [(n.to.id, n.title) for n in await room.posted()]


async def test_approving_takes_out_the_draft_line_and_nothing_else(room: Room) -> None:
    paper = await draft_review.approve(room.at, room.entry(), ZHANG)
    assert room.read() == DRAFT.replace("    草稿: 是\n", "")
    assert not room.entry().draft
    assert (paper.number, paper.state, paper.by) == (1, ReviewState.APPROVED, "张姐")


async def test_approving_twice_is_approving_once(room: Room) -> None:
    first = await draft_review.approve(room.at, room.entry(), ZHANG)
    again = await draft_review.approve(room.at, room.entry(), Reviewer("李姐", "li02"))
    assert again == first
    assert len(await room.at.store.journal("edits", 0)) == 1


async def test_a_withdrawn_approval_leaves_the_file_as_it_was(room: Room) -> None:
    paper = await draft_review.approve(room.at, room.entry(), ZHANG)
    await draft_review.withdraw(room.at, paper, ZHANG)
    assert room.read() == DRAFT
    await draft_review.withdraw(room.at, paper, ZHANG)
    assert room.read() == DRAFT


async def test_what_was_changed_since_the_approval_stays(room: Room) -> None:
    paper = await draft_review.approve(room.at, room.entry(), ZHANG)
    await room.write(room.read().replace("五天", "十天"))
    await draft_review.withdraw(room.at, paper, ZHANG)
    assert room.entry().draft and room.entry().answer == "十天。"


async def test_after_a_day_it_is_too_late(room: Room) -> None:
    paper = await draft_review.approve(room.at, room.entry(), ZHANG)
    room.clock.at += draft_records.UNDO_SECONDS + 1
    with pytest.raises(NotAllowed):
        await draft_review.withdraw(room.at, paper, ZHANG)
    assert await draft_records.number_drafts(room.at) == {}


async def test_each_draft_is_told_once_to_each_of_its_keepers(room: Room) -> None:
    for _ in range(3):
        await announce_drafts(room.at, room.outbox, ["boss"])
    assert sorted(await told(room)) == [("li02", "草稿 1 等您看"), ("zhang01", "草稿 1 等您看")]


async def test_the_lines_of_a_draft_stay_lines(room: Room) -> None:
    await room.write(DRAFT.replace("答案: 五天。", "答案: |\n      五天。\n      满十年十天。"))
    await announce_drafts(room.at, room.outbox, [])
    assert all("五天。  \n满十年十天。" in n.body for n in await room.posted())


async def test_several_drafts_are_one_message_and_without_keepers_they_are_the_administrators(room: Room) -> None:
    await room.write(DRAFT.replace("休假组", "没有人的组").replace("    答案: 发起", "    草稿: 是\n    答案: 发起"))
    await announce_drafts(room.at, room.outbox, ["boss"])
    assert await told(room) == [("boss", "有 2 份草稿等您看")]


async def test_where_the_only_keeper_wrote_the_draft_the_administrators_are_told(room: Room) -> None:
    (room.folder / "groups.yaml").write_text("people: {休假组: [zhang01]}\n", encoding="utf-8")
    await room.write(DRAFT)
    await append_edit(room.at.store, 0.0, Edit("张姐", "faq/a.yaml", room.entry().id, "add", "", "x", "zhang01"))
    await announce_drafts(room.at, room.outbox, ["boss", "zhang01"])
    assert await told(room) == [("boss", "草稿 1 等您看")]


async def test_the_author_is_not_asked_although_the_journal_names_them_a_moment_later(room: Room) -> None:
    announcing = asyncio.create_task(announce_drafts(room.at, room.outbox, [], author_wait=60))
    await asyncio.sleep(0.1)
    await append_edit(room.at.store, 0.0, Edit("张姐", "faq/a.yaml", room.entry().id, "add", "", "x", "zhang01"))
    await announcing
    assert await told(room) == [("li02", "草稿 1 等您看")]


async def test_a_draft_that_was_sent_back_waits_again_once_it_is_changed(room: Room) -> None:
    await announce_drafts(room.at, room.outbox, [])
    paper = await draft_review.send_back(room.at, room.entry(), ZHANG, "少了一句")
    assert room.read() == DRAFT and not paper.is_pending(room.entry())
    assert list(await draft_records.number_drafts(room.at)) == [1]
    await room.write(DRAFT.replace("五天", "十天"))
    await announce_drafts(room.at, room.outbox, [])
    found = await draft_records.number_drafts(room.at)
    assert list(found) == [2] and found[2].is_pending(room.entry())
    assert len(await told(room)) == 4


async def test_numbers_are_not_used_again(room: Room) -> None:
    await draft_records.number_drafts(room.at)
    await room.write(DRAFT.replace("    草稿: 是\n", ""))
    assert await draft_records.number_drafts(room.at) == {}
    await room.write(DRAFT)
    assert list(await draft_records.number_drafts(room.at)) == [2]


async def test_a_draft_of_which_somebody_died_approving_still_waits(room: Room) -> None:
    """The paper says approved, the file does not."""
    paper = (await draft_records.number_drafts(room.at))[1]
    await draft_records.save_review(room.at, replace(paper, state=ReviewState.APPROVED, by="张姐", at=room.clock()))
    assert (await draft_records.number_drafts(room.at))[1].is_pending(room.entry())
    await draft_review.approve(room.at, room.entry(), ZHANG)
    assert not room.entry().draft


def test_a_long_answer_is_cut_in_the_message() -> None:
    entry = Entry("e", "规定？", "长" * 3000, draft=True)
    text = drafts_message([(draft_records.DraftReview(7, "e", ""), entry, Reviewer("张姐"))])
    assert "**草稿 7**（张姐 写的）：规定？" in text and "全文请到控制台看" in text and len(text) < 1200
