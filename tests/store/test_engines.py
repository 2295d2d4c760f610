"""What every store promises: one suite over a real SQLite file and a real Redis."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import time
from dataclasses import replace
from pathlib import Path

import pytest

from faqbot.errors import StartError
from faqbot.model.conversation import (
    CaseAnswer,
    ConversationState,
    LastAnswer,
    LikelyAnswer,
    NamedCase,
    Option,
    OptionList,
    Slot,
)
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.model.question_log import QuestionRecord
from faqbot.store.opening import open_store
from faqbot.store.protocol import Accepted, Store

RECORD = QuestionRecord("m1", 1.0, "cid", "user-1", "年假有几天", "answered", "annual-leave", 0.9)
DONE = DeliveryResult(DeliveryState.ANSWERED)
ME, YOU = "worker-me", "worker-you"


def message(number: int = 1, robot: str = "robot", asker: str = "user-1", **changes: object) -> Message:
    made = Message(
        id=f"m{number}", robot_code=robot, conversation_id="cid", is_group=True, kind=MessageKind.TEXT,
        text="年假有几天", staff_id=asker, received_at=100.0 + number, sent_at=99.0,
        webhook="https://oapi.dingtalk.com/robot/sendBySession?session=sesame",
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


async def joined(store: Store, *owners: str, ttl: float = 30.0) -> None:
    for owner in owners:
        await store.join(owner, ttl)


async def test_a_message_is_accepted_once(store: Store) -> None:
    results = await asyncio.gather(*(store.accept(message(), f"worker-{n}") for n in range(20)))
    assert [result for result in results if result] == [Accepted(0, None)]


async def test_the_same_message_to_another_robot_is_another_message(store: Store) -> None:
    assert await store.accept(message(robot="a"), ME)
    assert await store.accept(message(robot="b"), ME)


async def test_an_accepted_message_hears_how_many_of_its_thread_came_before(store: Store) -> None:
    async def ahead(m: Message, owner: str = ME) -> int | None:
        accepted = await store.accept(m, owner)
        return accepted and accepted.ahead

    assert [await ahead(message(n)) for n in (1, 2, 3)] == [0, 1, 2]
    assert await ahead(message(4, asker="user-2")) == 0
    await store.finish(message(2), DONE, None, None)
    assert await ahead(message(5), YOU) == 2


async def test_an_accepted_message_comes_with_what_its_asker_was_offered_last(store: Store) -> None:
    said = ConversationState(options=(Option("entry", "annual-leave"),), options_expire_at=200.0)
    await store.accept(message(1), ME)
    await store.finish(message(1), DONE, RECORD, said)
    assert await store.accept(message(2), ME) == Accepted(0, said)
    assert await store.accept(message(3, asker="user-2"), ME) == Accepted(0, None)
    assert await store.accept(message(4, received_at=199.0), ME) == Accepted(1, said)
    assert await store.accept(message(5, received_at=201.0), ME) == Accepted(2, None)


async def test_a_message_is_next_when_those_before_it_are_finished(store: Store) -> None:
    await store.accept(message(1), ME)
    await store.accept(message(2), YOU)
    assert await store.is_first_in_partition(message(1)) and not await store.is_first_in_partition(message(2))
    await store.finish(message(1), DONE, None, None)
    assert await store.is_first_in_partition(message(2))


async def test_an_unfinished_message_comes_back_whole_and_a_finished_one_does_not(store: Store) -> None:
    for number in (3, 1, 2):
        await store.accept(message(number), ME)
    await store.accept(message(4), YOU)
    await store.finish(message(2), DONE, RECORD, None)
    assert list(await store.unfinished(ME)) == [message(1), message(3)]


async def test_a_finished_message_is_still_known(store: Store) -> None:
    await store.accept(message(), ME)
    await store.finish(message(), DONE, RECORD, None)
    assert await store.accept(message(), YOU) is None


async def test_work_is_taken_over_only_when_the_lease_of_its_worker_is_over(store: Store) -> None:
    await joined(store, ME)
    await joined(store, YOU, ttl=0.2)
    for number in (2, 1):
        await store.accept(message(number), YOU)
    assert list(await store.reclaim(ME, 10)) == []
    await asyncio.sleep(0.3)
    assert list(await store.reclaim(ME, 10)) == [message(1), message(2)]
    assert list(await store.reclaim(ME, 10)) == []
    assert list(await store.unfinished(ME)) == [message(1), message(2)]


async def test_a_worker_holds_its_message_until_it_is_finished_or_taken_over(store: Store) -> None:
    await joined(store, ME, YOU)
    await store.accept(message(), YOU)
    assert await store.holds(YOU, message()) and not await store.holds(ME, message())
    await store.leave(YOU)
    await store.reclaim(ME, 10)
    assert await store.holds(ME, message()) and not await store.holds(YOU, message())
    await store.finish(message(), DONE, None, None)
    assert not await store.holds(ME, message())


async def test_two_workers_never_take_the_same_message_over(store: Store) -> None:
    await joined(store, ME, YOU)
    for number in range(20):
        await store.accept(message(number), "dead")
    taken = await asyncio.gather(*(store.reclaim(owner, 3) for owner in (ME, YOU) * 4))
    ids = [m.id for part in taken for m in part]
    assert len(ids) == len(set(ids)) == 20


async def test_a_renewed_lease_keeps_its_work_and_a_lapsed_one_is_told_so(store: Store) -> None:
    await joined(store, ME)
    await joined(store, YOU, ttl=0.2)
    await store.accept(message(), YOU)
    for _ in range(4):
        await asyncio.sleep(0.08)
        assert await store.renew(YOU, 0.2)
    assert list(await store.reclaim(ME, 10)) == []
    await asyncio.sleep(0.3)
    assert not await store.renew(YOU, 0.2)


async def test_who_leaves_hands_its_work_over_at_once(store: Store) -> None:
    await joined(store, ME, YOU)
    await store.accept(message(), YOU)
    await store.leave(YOU)
    assert list(await store.reclaim(ME, 10)) == [message()]


async def test_a_message_without_a_worker_is_there_for_whoever_has_room(store: Store) -> None:
    await joined(store, ME)
    for number in (1, 2, 3):
        await store.accept(message(number), "")
    assert list(await store.reclaim(ME, 2)) == [message(1), message(2)]
    assert list(await store.reclaim(ME, 2)) == [message(3)]


async def test_the_backlog_counts_what_is_unfinished(store: Store) -> None:
    assert await store.backlog() == (0, 0.0)
    for number in (2, 1):
        await store.accept(message(number), ME)
    assert await store.backlog() == (2, 101.0)
    await store.finish(message(1), DONE, None, None)
    assert await store.backlog() == (1, 102.0)


async def test_a_context_holds_until_it_expires_and_is_replaced(store: Store) -> None:
    now = time.time()
    first = ConversationState((Option("entry", "a"), Option("topic", "休假")), options_expire_at=now + 100)
    await store.finish(message(), DONE, None, first)
    assert await store.context(message().partition_key, now) == first
    assert await store.context(message().partition_key, now + 100) is None
    assert await store.context("someone else", now) is None
    second = ConversationState((Option("entry", "b"),), options_expire_at=now + 200)
    await store.finish(message(2), DONE, None, second)
    await store.finish(message(3), DONE, None, None)
    assert await store.context(message().partition_key, now) == second
    await store.put_context(message().partition_key, first)
    assert await store.context(message().partition_key, now) == first
    full = ConversationState(
        (Option("none", ""),),
        now,
        LastAnswer("m", "a", "年假", 0.9, now),
        (now, now + 5),
        (Slot("city", "上海", "a", now + 9),),
        likely_answer=LikelyAnswer("m", ("b", "c"), now + 1, (NamedCase("上海"),)),
        earlier_list=OptionList((Option("entry", "a"),), now + 1, "m", (NamedCase("北京", is_usable=False),)),
        options_cases=(NamedCase("北京"),),
        case_answer=CaseAnswer("a", "上海", now + 3),
        handoff_expires_at=now + 2,
    )
    await store.finish(message(4), DONE, None, full)
    assert await store.context(message().partition_key, now + 8) == full
    assert await store.context(message().partition_key, now + 9) is None


async def test_finishing_twice_changes_nothing(store: Store) -> None:
    await store.accept(message(), ME)
    await store.finish(message(), DONE, RECORD, None)
    other = ConversationState((Option("entry", "x"),), options_expire_at=time.time() + 100)
    await store.finish(message(), DeliveryResult(DeliveryState.FAILED, "timeout"), RECORD, other)
    assert list(await store.questions(0.0)) == [RECORD]
    assert await store.context(message().partition_key, time.time()) is None


async def test_a_pick_names_its_question_until_it_goes(store: Store) -> None:
    picked = replace(RECORD, outcome="picked", picked_for="m0")
    context = ConversationState((Option("entry", "a"),), options_expire_at=time.time() + 100, options_message_id="m0")
    await store.finish(message(), DONE, picked, context)
    assert list(await store.questions(0.0)) == [picked]
    assert await store.context(message().partition_key, time.time()) == context
    await store.purge(time.time() + 100)
    await store.finish(message(2), DONE, RECORD, None)
    assert [r.picked_for for r in await store.questions(0.0)] == [""]


async def test_a_rating_stands_beside_its_question_until_that_goes(store: Store) -> None:
    await store.finish(message(), DONE, RECORD, None)
    await store.rate(message().robot_code, RECORD.message_id, "outdated")
    await store.rate(message().robot_code, "nobody asked", "outdated")
    assert list(await store.questions(0.0)) == [replace(RECORD, rating="outdated")]
    await store.rate(message().robot_code, RECORD.message_id, "helpful")
    assert list(await store.questions(0.0)) == [replace(RECORD, rating="helpful")]
    await store.forget(RECORD.asker)
    await store.finish(message(2), DONE, RECORD, None)
    assert [r.rating for r in await store.questions(0.0)] == [""]


async def test_questions_come_back_in_order_from_a_moment_on(store: Store) -> None:
    records = [dataclasses.replace(RECORD, message_id=f"m{n}", asked_at=float(n)) for n in (3, 1, 2)]
    for number, record in zip((3, 1, 2), records, strict=True):
        await store.finish(message(number), DONE, record, None)
    assert [r.asked_at for r in await store.questions(2.0)] == [2.0, 3.0]
    assert list(await store.questions(3.0)) == [records[0]]


async def test_a_person_is_forgotten_and_nobody_else(store: Store) -> None:
    until = time.time() + 100
    for number, asker in ((1, "user-1"), (2, "user-2"), (3, "user-1")):
        m = message(number, asker=asker)
        await store.accept(m, ME)
        record = dataclasses.replace(RECORD, message_id=m.id, asker=asker)
        await store.finish(m, DONE, record, ConversationState((Option("entry", "a"),), until))
    assert await store.forget("user-1") == 2
    assert [r.asker for r in await store.questions(0.0)] == ["user-2"]
    assert await store.context(message(1).partition_key, 0.0) is None
    assert await store.context(message(2, asker="user-2").partition_key, 0.0) is not None
    assert await store.accept(message(1), ME) is None, "that it was answered stays known"
    assert await store.forget("user-1") == 0


@pytest.mark.parametrize("person", ["", "*", "user-[12]", "user-?", "%", "'; DROP TABLE questions"])
async def test_forgetting_an_odd_name_takes_nobody_else_along(store: Store, person: str) -> None:
    context = ConversationState((Option("entry", "a"),), time.time() + 100)
    await store.finish(message(), DONE, RECORD, context)
    assert await store.forget(person) == 0
    assert len(await store.questions(0.0)) == 1
    assert await store.context(message().partition_key, 0.0) == context


async def test_old_questions_are_purged(store: Store) -> None:
    for number in range(1, 1201):
        m = message(number)
        await store.finish(m, DONE, dataclasses.replace(RECORD, message_id=m.id, asked_at=float(number)), None)
    assert await store.purge(1101.0) == 1100
    assert [r.asked_at for r in await store.questions(0.0)] == [float(n) for n in range(1101, 1201)]
    assert await store.purge(1101.0) == 0


async def test_a_claim_is_won_once_until_it_expires(store: Store) -> None:
    assert sum(await asyncio.gather(*(store.claim("cron:9:00", 0.2) for _ in range(10)))) == 1
    await asyncio.sleep(0.3)
    assert await store.claim("cron:9:00", 30)
    assert not await store.claim("cron:9:00", 30)
    await store.release("cron:9:00")
    assert await store.claim("cron:9:00", 30)


async def test_a_claim_that_is_prolonged_lasts_longer_and_one_that_ended_does_not_come_back(store: Store) -> None:
    assert not await store.prolong("job", 30)
    assert await store.claim("job", 0.3)
    assert await store.prolong("job", 30)
    await asyncio.sleep(0.4)
    assert not await store.claim("job", 30)
    assert await store.prolong("job", 0.1)
    await asyncio.sleep(0.2)
    assert not await store.prolong("job", 30)
    assert await store.claim("job", 30)


async def test_a_note_is_kept_until_it_expires(store: Store) -> None:
    assert await store.note("token") is None
    await store.put_note("token", "a", 0.2)
    await store.put_note("token", "b", 0.2)
    assert await store.note("token") == "b"
    await asyncio.sleep(0.3)
    assert await store.note("token") is None


async def test_a_note_and_a_claim_of_one_name_are_two_things(store: Store) -> None:
    assert await store.claim("x", 30)
    assert await store.note("x") is None
    await store.put_note("x", "1", 30)
    assert not await store.claim("x", 30)


async def test_slots_are_a_gap_apart_whoever_books_them(store: Store) -> None:
    # The gap is far longer than a busy machine takes for the four bookings.
    waits = sorted(await asyncio.gather(*(store.reserve("robot", 20.0) for _ in range(4))))
    assert waits[0] == pytest.approx(0.0, abs=0.05)
    assert [b - a for a, b in itertools.pairwise(waits)] == pytest.approx([20.0] * 3, abs=15.0)
    assert await store.reserve("another", 20.0) == pytest.approx(0.0, abs=0.05)


async def test_an_unused_slot_is_not_saved_up(store: Store) -> None:
    await store.reserve("robot", 0.1)
    await asyncio.sleep(0.4)
    assert await store.reserve("robot", 20.0) == pytest.approx(0.0, abs=0.05)
    assert await store.reserve("robot", 20.0) > 5.0


async def test_counters_add_up_and_are_found_by_prefix(store: Store) -> None:
    await asyncio.gather(*(store.count({"2026-11|calls": 2, "2026-11|messages": 1}) for _ in range(5)))
    await store.count({"2026-12|calls": 7})
    await store.count({})
    assert await store.counts("2026-11|") == {"2026-11|calls": 10, "2026-11|messages": 5}


async def test_a_journal_is_kept_in_order_and_apart_from_others(store: Store) -> None:
    numbers = [await store.write_journal("edits", at, text) for at, text in ((3.0, "c|d"), (1.0, "a"), (2.0, "改"))]
    await store.write_journal("runs", 2.0, "x")
    assert numbers == sorted(set(numbers))
    assert [(line.at, line.text) for line in await store.journal("edits", 2.0)] == [(2.0, "改"), (3.0, "c|d")]
    assert [line.number for line in await store.journal("edits", 0.0)] == [numbers[1], numbers[2], numbers[0]]
    same = [await store.write_journal("edits", 9.0, "same") for _ in range(3)]
    assert [line.number for line in await store.journal("edits", 9.0)] == same
    await store.trim_journal("edits", 3.0)
    assert [line.at for line in await store.journal("edits", 0.0)] == [3.0, 9.0, 9.0, 9.0]
    assert len(await store.journal("runs", 0.0)) == 1


async def test_a_mark_stays_until_it_is_replaced_or_taken_back(store: Store) -> None:
    await store.put_mark("missed", "年假", "not ours")
    await store.put_mark("missed", "年假", "done")
    await store.put_mark("missed", "病假", "x")
    await store.put_mark("other", "年假", "y")
    await store.put_mark("missed", "病假", None)
    assert await store.marks("missed") == {"年假": "done"}


async def test_documents_and_vectors_are_kept(store: Store) -> None:
    await store.put_documents({"faq/a.yaml": b"a", "faq/b.yaml": b"\xff"})
    await store.put_documents({"faq/a.yaml": b"new"})
    assert await store.documents() == {"faq/a.yaml": b"new", "faq/b.yaml": b"\xff"}
    await store.put_vectors({f"k{n}": bytes([n % 256]) for n in range(700)})
    assert len(await store.vectors([f"k{n}" for n in range(800)])) == 700
    assert await store.vectors([]) == {}


async def test_all_vectors_are_listed_and_those_named_are_dropped(store: Store) -> None:
    assert await store.vector_keys() == []
    await store.put_vectors({f"k{n}": bytes(1536) for n in range(700)})
    assert set(await store.vector_keys()) == {f"k{n}" for n in range(700)}
    await store.drop_vectors([f"k{n}" for n in range(1, 900)])
    await store.drop_vectors([])
    assert list(await store.vector_keys()) == ["k0"]


async def test_everything_survives_closing_and_opening(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for url in (f"sqlite:///{tmp_path / 'again.db'}", request.getfixturevalue("redis_server").url):
        store = await open_store(url)
        await store.accept(message(), ME)
        await store.put_note("token", "secret", 30)
        await store.close()
        store = await open_store(url)
        assert list(await store.unfinished(ME)) == [message()]
        assert await store.note("token") == "secret"
        await store.close()


async def test_a_closed_store_says_so(store: Store) -> None:
    await store.close()
    await store.close()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://:hunter22@127.0.0.1:1/0"])
async def test_an_unreachable_redis_is_explained_without_its_password(url: str) -> None:
    with pytest.raises(StartError, match=r"127\.0\.0\.1:1") as caught:
        await open_store(url)
    assert "hunter22" not in str(caught.value)
