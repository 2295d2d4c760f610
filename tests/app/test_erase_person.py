"""Forgetting one person: what waits for them and names them is gone, what is others' stays."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from faqbot.app.erase_person import erase_person
from faqbot.attendance.confirmations import Confirmation
from faqbot.handoff.tickets import Ticket, load_tickets, notice_key_prefixes, save_ticket
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.store.protocol import Store


@pytest.fixture
def outbox(store: Store) -> Outbox:
    return Outbox(store, {})


def notice(key: str, userid: str) -> Notice:
    return Notice(key, Address("person", userid), "标题", "内容")


async def waiting(outbox: Outbox) -> set[str]:
    return {n.key for n in await outbox.waiting()}


async def test_what_waits_for_the_person_is_not_sent_any_more(store: Store, outbox: Outbox) -> None:
    long = Notice("long", Address("person", "u1"), "标题", "很长的一段。" * 4000)
    in_group = Notice("group", Address("group", "u1"), "标题", "内容")
    await outbox.post(notice("a", "u1"), long, notice("b", "u10"), in_group)
    gone = await erase_person(store, "u1")
    assert gone.notices >= 3
    assert await waiting(outbox) == {"b", "group"}
    assert (await erase_person(store, "u1")).notices == 0


async def test_nobody_is_asked_about_a_ticket_that_is_forgotten(store: Store, outbox: Outbox) -> None:
    for number, asker in ((1, "u1"), (11, "u2")):
        await save_ticket(store, Ticket(number, f"m{number}", 0.0, asker, "小李", "c", True, "问"))
        await outbox.post(*(notice(f"{start}u3", "u3") for start in notice_key_prefixes(number)))
    assert (await erase_person(store, "u1")).tickets == 1
    assert list(await load_tickets(store)) == [11]
    assert await waiting(outbox) == {f"{start}u3" for start in notice_key_prefixes(11)}


async def test_what_was_given_up_for_the_person_is_not_shown_any_more(store: Store) -> None:
    for userid in ("u1", "u2"):
        failed = {"title": "标题", "to": asdict(Address("person", userid)), "code": "x", "why": "不在通讯录里"}
        await store.write_journal("notices-failed", 5.0, json.dumps(failed))
    await store.write_journal("edits", 5.0, "u1")
    await erase_person(store, "u1")
    assert ["u2" in line.text for line in await store.journal("notices-failed", 0.0)] == [True]
    assert [line.text for line in await store.journal("edits", 0.0)] == ["u1"]


async def test_words_on_attendance_go_and_others_are_told_without_the_person(store: Store) -> None:
    name = "attendance-confirmations"
    for userid, hr in (("u1", ("u3",)), ("u2", ("u1", "u3"))):
        given = Confirmation("2026-10", userid, userid, "run", hr, 1.0, 2.0)
        await store.put_mark(name, f"2026-10|{userid}", json.dumps(asdict(given)))
    for key, userid in (("m1", "u1"), ("m2", "u2")):
        asked = {"userid": userid, "month": "last", "departments": ["1"], "at": 1.0}
        await store.put_mark("attendance-asked", key, json.dumps(asked))
    assert (await erase_person(store, "u1")).reports == 2
    (left,) = (await store.marks(name)).values()
    assert json.loads(left) == asdict(Confirmation("2026-10", "u2", "u2", "run", ("u3",), 1.0, 2.0)) | {"hr": ["u3"]}
    assert list(await store.marks("attendance-asked")) == ["m2"]


async def test_corrections_that_wait_reach_only_the_others(store: Store) -> None:
    pending = {"id": "p", "entry": "e", "before": "5 天", "people": ["u1", "u2"], "at": 1.0, "batch": ""}
    await store.put_mark("corrections", "p", json.dumps(pending))
    await erase_person(store, "u1")
    (left,) = (await store.marks("corrections")).values()
    assert json.loads(left) == pending | {"people": ["u2"]}
    assert await store.claim("corrections:send", 1.0), "and the sender is not kept waiting"
