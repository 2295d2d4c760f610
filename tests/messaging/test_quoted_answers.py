"""Quoted answers are found by text, also cut or changed since, by question and by time; unsure ones are not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from faqbot.messaging.quoted_answers import QuotedAnswers
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind, QuoteOrigin
from faqbot.model.question_log import RATED, QuestionRecord
from faqbot.store.opening import open_store
from tests.room import Room, open_room

DAY = 86400.0
KNOWLEDGE = """
- id: parking
  question: 停车位怎么申请？
  answer: 在 OA 里提交「停车位」表单，行政每周五统一安排，一人一位，先到先得。
  owner: 行政组
- id: bikes
  question: 自行车停哪里？
  answer: 在 OA 里提交「停车位」表单，行政每周三统一登记，棚子在西门旁边。
- id: lockers
  question: 储物柜怎么领？
  answer: 带工牌到前台登记，当天就能领到钥匙，离职时交还。
- id: canteen
  question: 食堂几点开？
  answer: 十一点半。
- id: illness
  question: 生病的事找谁？
  answer: 私下联系员工关系组，分机 8800，内容会保密。
  topic: 关怀
  private: true
"""
PARKING = "在 OA 里提交「停车位」表单，行政每周五统一安排，一人一位，先到先得。"
LOCKERS = "带工牌到前台登记，当天就能领到钥匙，离职时交还。"
ILLNESS = "私下联系员工关系组，分机 8800，内容会保密。"


class NoDepartments:
    async def departments(self, message: Message) -> frozenset[str]:
        return frozenset()


@dataclass
class Chat:
    """The records of a few conversations, and the finder over them."""

    room: Room
    answers: QuotedAnswers

    async def asked(
        self,
        entry: str,
        *,
        ago: float = 60.0,
        asker: str = "li",
        where: str = "cid",
        outcome: str = "answered",
        text: str = "问",
        **more: str,
    ) -> str:
        when = self.room.clock() - ago
        number = f"{asker}-{entry}-{ago}-{where}"
        message = Message(number, "robot", where, True, MessageKind.TEXT, text, staff_id=asker)
        record = QuestionRecord(number, when, where, asker, text, outcome, entry, **more)
        await self.room.at.store.accept(message, "")
        await self.room.at.store.finish(message, DeliveryResult(DeliveryState.ANSWERED), record, None)
        return number

    async def find(self, quoted: str = "", *, ago: float | None = None, surely: bool = False, **fields: object) -> str:
        """The message whose answer is quoted; `ago` is when that answer was written."""
        at = 0.0 if ago is None else self.room.clock() - ago
        message = Message("m", "robot", "cid", True, MessageKind.TEXT, "没用", staff_id="wang")
        message = replace(message, quoted=quoted, is_quote=True, quoted_at=at)
        found = await self.answers.find(replace(message, **fields), surely=surely)
        return found.message_id if found else ""


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    store = await open_store(f"sqlite:///{tmp_path / 'faqbot.db'}")
    async with open_room(store, tmp_path / "room", KNOWLEDGE, "") as room:
        room.clock.at = 2_000_000_000.0
        yield Chat(room, QuotedAnswers(room.at, NoDepartments()))
    await store.close()


@pytest.mark.parametrize("ago", [60.0, 13 * DAY])
@pytest.mark.parametrize(
    "quoted", [PARKING, f"@小李 {PARKING}\n> 负责：行政组", PARKING[:22] + "…"], ids=["all", "framed", "cut"]
)
async def test_a_colleague_finds_an_answer_by_its_text_however_old(chat: Chat, quoted: str, ago: float) -> None:
    wanted = await chat.asked("parking", ago=ago)
    await chat.asked("lockers", ago=30.0)
    assert await chat.find(quoted) == wanted
    assert await chat.find(quoted, ago=ago - 2) == wanted
    assert await chat.find(quoted, surely=True) == wanted


async def test_an_answer_is_not_found_after_fourteen_days_nor_in_another_conversation(chat: Chat) -> None:
    await chat.asked("parking", ago=15 * DAY)
    await chat.asked("parking", where="another", ago=10.0)
    assert await chat.find(PARKING) == ""
    assert await chat.find(PARKING, ago=15 * DAY - 2) == ""
    assert await chat.find(ago=8.0) == ""


async def test_a_quote_older_than_all_records_of_its_entry_is_none_of_them(chat: Chat) -> None:
    await chat.asked("parking", ago=DAY)
    assert await chat.find(PARKING, ago=5 * DAY) == ""


@pytest.mark.parametrize("outcome", ["offered", "unanswered", "asked_back", RATED])
async def test_only_answers_are_found(chat: Chat, outcome: str) -> None:
    await chat.asked("parking", outcome=outcome)
    assert await chat.find(PARKING, ago=58.0) == ""


async def test_an_answer_that_did_not_arrive_is_not_found(chat: Chat) -> None:
    await chat.asked("parking", delivery="timeout")
    assert await chat.find(PARKING) == ""


async def test_of_two_answers_that_begin_alike_the_time_decides_or_nothing_does(chat: Chat) -> None:
    wanted, other = await chat.asked("parking", ago=500.0), await chat.asked("bikes", ago=200.0)
    cut = PARKING[:19]
    assert await chat.find(cut) == ""
    assert await chat.find(cut, ago=495.0) == wanted
    assert await chat.find(cut, ago=198.0) == other
    assert await chat.find(PARKING) == wanted


async def test_of_two_that_begin_alike_at_the_same_time_none_is_found(chat: Chat) -> None:
    await chat.asked("parking", ago=60.0)
    await chat.asked("bikes", ago=62.0, asker="zhao")
    assert await chat.find(PARKING[:19], ago=58.0) == ""


async def test_an_answer_changed_since_is_found_by_its_time_or_if_very_like(chat: Chat) -> None:
    wanted = await chat.asked("lockers", ago=DAY)
    await chat.room.write(KNOWLEDGE.replace("当天就能领到钥匙", "三天后短信通知来取"))
    assert await chat.find(LOCKERS, ago=DAY - 3) == wanted
    # Without the time it is not like enough.
    assert await chat.find(LOCKERS) == ""
    await chat.room.write(KNOWLEDGE.replace("当天", "次日"))
    assert await chat.find(LOCKERS) == wanted


async def test_a_changed_answer_is_not_taken_for_a_similar_one(chat: Chat) -> None:
    await chat.asked("parking", ago=DAY)
    await chat.asked("bikes", ago=2 * DAY)
    assert await chat.find(PARKING.replace("每周五统一安排，一人一位", "每周四统一登记，一人一位")) == ""


async def test_an_entry_that_is_gone_is_not_found(chat: Chat) -> None:
    await chat.asked("parking")
    await chat.room.write(KNOWLEDGE.replace("id: parking", "id: renamed"))
    assert await chat.find(PARKING, ago=58.0) == ""


async def test_a_short_answer_is_found_only_whole(chat: Chat) -> None:
    wanted = await chat.asked("canteen")
    assert await chat.find("十一点半。") == wanted
    assert await chat.find("十一点半开会，都别忘了") == ""


async def test_a_quote_without_text_means_the_only_reply_at_its_time(chat: Chat) -> None:
    wanted = await chat.asked("parking", ago=600.0)
    await chat.asked("lockers", ago=200.0)
    assert await chat.find(ago=598.0) == wanted
    assert await chat.find(ago=598.0, quoted_from=QuoteOrigin.PERSON) == ""
    assert await chat.find(ago=500.0) == ""
    assert await chat.find(ago=598.0, surely=True) == ""
    assert await chat.find() == ""
    await chat.asked("canteen", ago=605.0, asker="zhao")
    assert await chat.find(ago=598.0) == ""


async def test_a_quote_without_text_may_be_the_list_that_was_sent_then(chat: Chat) -> None:
    await chat.asked("parking", ago=605.0)
    await chat.asked("", ago=600.0, outcome="offered", asker="zhao")
    assert await chat.find(ago=598.0) == ""


async def test_the_only_answer_of_a_conversation_needs_no_time(chat: Chat) -> None:
    await chat.asked("parking", ago=900.0)
    last = await chat.asked("parking", ago=60.0, asker="zhao")
    own = await chat.asked("parking", ago=700.0, asker="wang")
    assert await chat.find() == own
    assert await chat.find(staff_id="chen") == last


async def test_the_record_nearest_to_the_quoted_answer_is_taken(chat: Chat) -> None:
    first, second = await chat.asked("parking", ago=3 * DAY), await chat.asked("parking", ago=DAY, asker="zhao")
    assert await chat.find(PARKING, ago=3 * DAY - 2) == first
    assert await chat.find(PARKING, ago=DAY - 2) == second


async def test_a_quoted_question_means_its_answer(chat: Chat) -> None:
    wanted = await chat.asked("parking", text="车停哪儿")
    await chat.asked("lockers", ago=30.0)
    assert await chat.find("@小助手 车停哪儿？") == wanted
    assert await chat.find("车停哪儿", quoted_from=QuoteOrigin.PERSON) == wanted
    assert await chat.find(quoted_id=wanted) == wanted
    assert await chat.find("车停哪儿", surely=True) == ""
    assert await chat.find("车停哪儿呢大家") == ""


async def test_a_quoted_question_that_got_a_list_means_what_was_picked(chat: Chat) -> None:
    listed = await chat.asked("parking", outcome="offered", text="车停哪儿", ago=90.0)
    picked = await chat.asked("bikes", outcome="picked", text="2", ago=80.0, picked_for=listed)
    assert await chat.find("车停哪儿") == picked


async def test_one_question_with_two_answers_is_not_sure(chat: Chat) -> None:
    await chat.asked("parking", text="车停哪儿", ago=900.0)
    second = await chat.asked("bikes", text="车停哪儿", ago=100.0)
    assert await chat.find("车停哪儿") == ""
    assert await chat.find("车停哪儿", ago=100.0) == second


async def test_a_private_answer_is_found_in_the_single_chat_of_its_asker_only(chat: Chat) -> None:
    wanted = await chat.asked("", asker="wang", text="（私密：关怀）")
    await chat.asked("", asker="zhao", text="（私密：关怀）", ago=30.0)
    single = {"is_group": False, "conversation_id": "single-wang"}
    assert await chat.find(ILLNESS, **single) == wanted
    assert await chat.find(ILLNESS) == ""
    assert await chat.find(ILLNESS, is_group=False, conversation_id="single-chen", staff_id="chen") == ""


async def test_a_message_that_quotes_nothing_has_no_quoted_answer(chat: Chat) -> None:
    await chat.asked("parking")
    assert await chat.find(PARKING, is_quote=False) == ""
