"""Stores that version 0.1.0 wrote, one SQLite file and one Redis, are read back whole by the present code.

The samples hold one or more of every kind of record; they were written at NOW and are never written anew.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import platform
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, date
from types import SimpleNamespace
from typing import Any, cast

import pytest
import redis

from faqbot.attendance.confirmations import Confirmation
from faqbot.attendance.punch_commands import OwnPunchesCommand
from faqbot.attendance.report import AttendanceReports
from faqbot.attendance.report_requests import ReportRequests, forget_requests
from faqbot.automation.event_queue import EventQueue
from faqbot.automation.run_log import RUNS_JOURNAL, Run, unpack_runs
from faqbot.commands.announcement import AnnouncementCommands
from faqbot.console.web.sessions import Session, Sessions, announced, link_holds, use_link
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.dingtalk.api.quota import CALLS, MESSAGES, Quota, Usage
from faqbot.dingtalk.api.tokens import AccessTokens
from faqbot.handoff.tickets import NUMBER_JOURNAL, Ticket, TicketState, forget_tickets, load_tickets
from faqbot.knowledge.editing.audit_log import Edit, load_edits
from faqbot.knowledge.files.replicated import ReplicatedSource
from faqbot.model.commands import Command, CommandKind
from faqbot.model.conversation import ConversationState, LastAnswer, Option, Slot
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.model.notices import Address, Event, Link, Notice
from faqbot.model.org_chart import Department, Employee
from faqbot.model.question_log import QuestionRecord
from faqbot.outbox.notice_queue import forget_notices
from faqbot.outbox.outbox import Outbox
from faqbot.outbox.queued_notice import FAILED_NOTICES, Delay, SendFailure, SendOutcome
from faqbot.review.draft_records import DraftReview, ReviewState, load_reviews
from faqbot.review.pending_corrections import forget_recipient
from faqbot.runtime.metrics import Metrics
from faqbot.store.json_records import from_json
from faqbot.store.opening import open_store
from faqbot.store.protocol import JournalLine, Store
from faqbot.store.sqlite import SqliteStore
from tests.conftest import SAMPLES

NOW = 1_790_000_000.0
SQLITE, REDIS = (SAMPLES / "stores" / f"store-0.1.0.{kind}" for kind in ("sqlite", "redis.json"))
PERSON, GROUP, ROBOT = Address("person", "zhang-san"), Address("group", "cid-group"), Address("robot", "人事")
EMPLOYEE = Employee("zhang-san", "张三", (2,))
NOBODY = cast(Any, None)


def clock() -> float:
    return NOW + 10


def restore(url: str) -> None:
    """Write the keys of the Redis sample as they were, each with the rest of its life."""

    def raw(text: str) -> bytes:
        return base64.b64decode(text)

    with redis.Redis.from_url(url) as client:
        for key, sample in json.loads(REDIS.read_text("utf-8")).items():
            value = sample["value"]
            match sample["type"]:
                case "string":
                    client.set(key, raw(value))
                case "hash":
                    client.hset(key, mapping={raw(name): raw(text) for name, text in value.items()})
                case "set":
                    client.sadd(key, *map(raw, value))
                case "zset":
                    client.zadd(key, {raw(member): score for member, score in value})
                case other:
                    raise AssertionError(other)
            if ttl := sample.get("ttl_ms"):
                client.pexpire(key, ttl)


@pytest.fixture(params=["sqlite", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Any) -> AsyncIterator[Store]:
    """What version 0.1.0 left behind, opened by the present code."""
    opened: Store
    if request.param == "redis":
        url = request.getfixturevalue("redis_server").url
        await asyncio.to_thread(restore, url)
        opened = await open_store(url)
    else:
        path = shutil.copy(SQLITE, tmp_path / "store.db")
        opened = await SqliteStore.open(str(path), clock=clock)
    yield opened
    await opened.close()


def message(number: int, asker: str = "zhang-san", **changes: Any) -> Message:
    values: dict[str, Any] = {
        "id": f"msg-{number}", "robot_code": "robot-1", "conversation_id": "cid-group", "is_group": True,
        "kind": MessageKind.TEXT, "text": "年假有几天", "sender_id": "encrypted-1", "staff_id": asker,
        "sender_name": "张三", "conversation_title": "全员群", "sent_at": NOW - 100 + number,
        "received_at": NOW - 99 + number, "webhook": "https://example.com/session", "webhook_until": NOW + 5000,
    }  # fmt: skip
    return Message(**{**values, **changes})


VOICE = message(
    3, kind=MessageKind.VOICE, text="怎么报销", quoted="报销流程见附件", is_group=False, conversation_id="cid-single"
)
UNOWNED = message(5, "wang-wu", kind=MessageKind.PICTURE, text="")


# -- messages ------------------------------------------------------------------------------------------


async def test_unanswered_messages_are_taken_up(store: Store) -> None:
    assert await store.backlog() == (3, NOW - 96)
    assert list(await store.unfinished("worker-1")) == [VOICE]
    assert await store.holds("worker-1", VOICE)
    gone = message(4, "li-si", text="年假有几天？")
    assert await store.is_first_in_partition(gone)
    assert list(await store.reclaim("worker-2", 10)) == [gone, UNOWNED]
    await store.leave("worker-1")
    assert list(await store.reclaim("worker-2", 10)) == [VOICE]
    for m in (gone, UNOWNED, VOICE):
        await store.finish(m, DeliveryResult(DeliveryState.ANSWERED), None, None)
    assert await store.backlog() == (0, 0.0)


@pytest.mark.parametrize("seen", [message(1), message(2), VOICE, message(6, "li-si"), message(7, "li-si")])
async def test_messages_that_came_before_are_known(store: Store, seen: Message) -> None:
    assert await store.accept(seen, "worker-2") is None


async def test_what_was_said_last_is_known(store: Store) -> None:
    assert await store.context(message(8).partition_key, NOW) == ConversationState(
        options=(Option("entry", "annual-leave"), Option("topic", "请假"), Option("case", "2"), Option("none", "")),
        options_expire_at=NOW + 600,
        last_answer=LastAnswer("msg-2", "annual-leave", "年假有几天", 0.93, NOW + 900, "北京"),
        miss_expiries=(NOW + 300, NOW + 310),
        slots=(Slot("city", "北京", "annual-leave", NOW + 800), Slot("level", "", "travel", NOW + 850)),
        options_message_id="msg-2",
        reply_expiries=(NOW + 20, NOW + 25),
    )
    single = message(8, is_group=False, conversation_id="cid-single")
    accepted = await store.accept(single, "worker-2")
    assert accepted is not None
    assert accepted.ahead == 1
    assert accepted.context == ConversationState(options=(Option("entry", "travel"),), options_expire_at=NOW + 600)


async def test_questions_are_read_with_their_ratings(store: Store) -> None:
    def record(number: int, asker: str = "zhang-san", **changes: Any) -> QuestionRecord:
        asked_at = message(number).received_at
        values = {"outcome": "answered", "entry_id": "annual-leave", "score": 0.93, **changes}
        return QuestionRecord(f"msg-{number}", asked_at, "cid-group", asker, "年假有几天", **values)

    assert list(await store.questions(0.0)) == [
        record(1, outcome="unanswered", entry_id="", score=0.2, delivery="310000"),
        record(2, rating="helpful", picked_for="msg-1"),
        record(6, "li-si", rating="outdated"),
    ]
    await store.rate("robot-1", "msg-6", "helpful")
    assert [r.rating for r in await store.questions(NOW - 95)] == ["helpful"]


async def test_a_person_is_forgotten(store: Store) -> None:
    assert await store.forget("zhang-san") == 2
    assert [r.asker for r in await store.questions(0.0)] == ["li-si"]
    assert await store.context(message(8).partition_key, NOW) is None
    assert await forget_tickets(store, "li-si") == [max(await numbers(store))]
    # What goes to the person, and what is about them: no other one of the samples does.
    assert await forget_notices(store, "zhang-san", ["n:link"]) == 3
    assert await store.journal(FAILED_NOTICES, 0.0) == []
    await forget_recipient(store, "li-si")
    assert json.loads((await store.marks("corrections"))["c1"]) == {
        "id": "c1", "entry": "annual-leave", "before": "五天", "people": ["zhang-san"], "at": NOW - 10,
        "batch": "batch-1",
    }  # fmt: skip


async def test_old_questions_are_purged(store: Store) -> None:
    assert await store.purge(NOW - 95) == 2
    assert [r.message_id for r in await store.questions(0.0)] == ["msg-6"]


# -- what workers share --------------------------------------------------------------------------------


async def test_claims_notes_marks_and_counters_hold(store: Store) -> None:
    assert not await store.claim("lease:at-work", 60)
    assert await store.prolong("lease:at-work", 60)
    await store.release("lease:at-work")
    assert await store.claim("lease:at-work", 60)
    assert not await store.claim("done-once", 60)
    assert await store.note("plain") == "记下的话"
    assert await store.marks("settings") == {"colour": "蓝"}
    assert await store.counts("sample") == {"sample": 3}


async def test_slots_that_were_booked_are_taken(store: Store) -> None:
    # Redis goes by its own clock, for which the sample was written long ago.
    assert await store.reserve("api:/v1.0/robot/send", 30.0) == (20.0 if isinstance(store, SqliteStore) else 0.0)


async def test_the_month_is_counted_on(store: Store) -> None:
    quota = Quota(store, Metrics(), calls=5000, messages=10000, today=lambda: date(2026, 9, 21))
    quota.message()
    await quota.flush()
    assert await quota.usage() == {CALLS: Usage(1, 5000), MESSAGES: Usage(8, 10000)}


async def test_the_token_is_used_on(store: Store) -> None:
    tokens = AccessTokens(NOBODY, "https://example.com", "client-1", "sample", store, clock=clock)
    assert await tokens.get() == "sample-access-token"


async def test_contacts_are_remembered(store: Store) -> None:
    cache = ContactsCache(NOBODY, store)
    assert dict((await cache.tree()).departments) == {1: Department(1, "公司", 0), 2: Department(2, "研发部", 1)}
    assert await cache.person("zhang-san") == EMPLOYEE
    assert await cache.find_people("张三") == (EMPLOYEE,)


# -- the outbox ----------------------------------------------------------------------------------------


async def test_notices_of_every_shape_wait_on(store: Store) -> None:
    waiting = {notice.key: notice for notice in await Outbox(store, {}, clock=clock).waiting()}
    parts = [waiting.pop(key) for key in ("n:long#1", "n:long#2", "n:long")]
    assert [(part.to, part.title) for part in parts] == [(GROUP, "长文")] * 3
    assert [part.body[:3] + part.body[-5:] for part in parts] == ["一段。（1/3）", "一段。（2/3）", "一段。（3/3）"]
    link = Link("打开", "https://example.com/a", "https://example.com/a.png")
    yes, no = Link("是", "https://example.com/y"), Link("否", "https://example.com/n")
    first = Link("一", "https://example.com/1", "https://example.com/1.png")
    assert list(waiting.values()) == [
        Notice(
            "n:text", ROBOT, "", "纯文本", at_mobiles=("13800000000",), at_userids=("zhang-san",), at_all=True,
            shape="text",
        ),
        Notice("n:link", ROBOT, "链接", "看这里", shape="link", links=(link,)),
        Notice("n:card", GROUP, "卡片", "选一个", shape="card", links=(yes, no)),
        Notice("n:feed", ROBOT, "", "", shape="feed", links=(first,)),
        Notice("n:file", PERSON, "报表", "", shape="file", links=(Link("报表.xlsx", "@media-1"),)),
        Notice("n:markdown", PERSON, "标题", "**正文**", not_before=NOW + 60, until=NOW + 7200),
    ]  # fmt: skip


async def test_outcomes_and_delays_of_notices_are_known(store: Store) -> None:
    why = "过了发送的时限，没有再发"
    outbox = Outbox(store, {}, clock=clock)
    assert await outbox.statuses(["n:sent", "n:failed", "n:markdown", "n:file", "n:text", "unknown"]) == {
        "n:sent": SendOutcome(True, "ok", "", NOW),
        "n:failed": SendOutcome(False, "expired", why, NOW),
        "n:markdown": Delay(NOW + 600, limited=True),
        "n:file": Delay(NOW + 600, limited=True),
        "n:text": None,
        "unknown": None,
    }
    (line,) = await store.journal(FAILED_NOTICES, 0.0)
    assert from_json(SendFailure, line.text) == SendFailure("没发出", PERSON, "expired", why)


async def test_waiting_notices_are_sent_and_a_begun_message_first(store: Store) -> None:
    sent: list[str] = []

    class OneByOne:
        deduplicates = True

        def min_interval(self, notices: Any) -> float:
            return 0.0

        def batch(self, waiting: Any) -> Any:
            return waiting[:1]

        async def send(self, notices: Any, uuid: str) -> dict[str, Any]:
            sent.extend(notice.key for notice in notices)
            return {}

    way = OneByOne()
    outbox = Outbox(store, {"person": way, "group": way, "robot": way}, clock=lambda: NOW + 700)
    await outbox.post(Notice("n:sent", GROUP, "重复", "已经发过"))
    work = asyncio.create_task(outbox.run())
    async with asyncio.timeout(60):
        while await outbox.waiting():
            await asyncio.sleep(0.01)
    work.cancel()
    to_group = ["n:card", "n:long#1", "n:long#2", "n:long"]
    assert [key for key in sent if key in to_group] == to_group
    assert sorted(sent) == sorted(["n:feed", "n:file", "n:link", "n:markdown", "n:text", *to_group])


# -- rules and events ----------------------------------------------------------------------------------


async def test_waiting_events_are_taken_and_repeats_are_known(store: Store) -> None:
    queue = EventQueue(store, clock=clock)
    waiting = Event("crm.customer.created", "e-1", NOW - 5, {"name": "星野", "level": 3, "tags": ["新"]})
    assert not await queue.accept(waiting)
    assert not await queue.accept(Event("crm.customer.created", "e-0", NOW - 50, {"name": "旧"}))
    assert list(await queue.claim()) == [waiting]
    assert await store.note("hook:replay-1") == "e-1"


async def test_the_run_log_is_read(store: Store) -> None:
    lines = await store.journal(RUNS_JOURNAL, 0.0)
    birthday = Run(
        "birthday", "birthday|2026-09-21", NOW - 40, NOW - 60, "done", "发给 2 人", ("n:sent", "n:failed")
    )  # fmt: skip
    weekly = Run("weekly", "weekly|2026-09-20", NOW - 39, NOW - 61, "missed", "那时没有运行")
    assert unpack_runs(lines) == [birthday, weekly]
    assert unpack_runs(lines, "weekly") == [weekly]
    assert await store.marks("jobs-settled") == {"birthday": f"deadbeef|{NOW!r}"}
    assert await store.note("job-done:birthday|2026-09-21") == "done"
    assert await store.note("job-begun:birthday|2026-09-21") == "1"
    assert await store.note("job-step:report|2026-09-21") == "1"


# -- tickets, drafts, edits ----------------------------------------------------------------------------


async def numbers(store: Store) -> list[int]:
    return [line.number for line in await store.journal(NUMBER_JOURNAL, 0.0)]


async def test_tickets_are_read(store: Store) -> None:
    one, two = await numbers(store)
    assert await store.journal(NUMBER_JOURNAL, 0.0) == [
        JournalLine(one, NOW, "robot-1|msg-1"), JournalLine(two, NOW, "robot-1|msg-6"),
    ]  # fmt: skip
    assert await load_tickets(store) == {
        one: Ticket(
            one, "robot-1|msg-1", NOW, "zhang-san", "张三", "cid-group", True, "年假能折现吗", "请假", "人事"
        ),
        two: Ticket(
            two, "robot-1|msg-6", NOW, "li-si", "李四", "cid-single", False, "报销要几天", "报销", "财务", "expense",
            True, TicketState.ANSWERED, "三天", "robot-1|msg-9", "wang-wu", "expense-days", True,
        ),
    }  # fmt: skip


async def test_drafts_are_read(store: Store) -> None:
    before, after = "- id: draft-approved\n  draft: true\n", "- id: draft-approved\n"
    assert await load_reviews(cast(Any, SimpleNamespace(store=store))) == {
        5: DraftReview(5, "draft-waiting", "0123456789abcdef"),
        6: DraftReview(
            6, "draft-approved", "1123456789abcdef", ReviewState.APPROVED, "王五", "wang-wu", NOW, "", before, after,
            True,
        ),
        7: DraftReview(
            7, "draft-refused", "2123456789abcdef", ReviewState.SENT_BACK, "王五", "", NOW, "写得再明白些"
        ),
    }  # fmt: skip
    assert await store.marks("last-draft") == {"number": "7"}


async def test_the_journal_of_edits_is_read(store: Store) -> None:
    one, two = await load_edits(store)
    assert one == Edit(
        "王五", "faq/leave.yaml", "annual-leave", "change", "- question: 旧\n", "- question: 新\n", "wang-wu",
        one.number, NOW - 30,
    )  # fmt: skip
    assert two == Edit(
        "文件", "faq/leave.yaml", "sick-leave", "remove", "- question: 病假\n", "", "", two.number, NOW - 20
    )
    assert one.number < two.number


async def test_marks_of_the_console_are_read(store: Store) -> None:
    said = {"who": "王五", "at": NOW}
    assert await store.marks("reminded") == {"annual-leave|2026-10-01|到期": "told"}
    done = (await store.marks("complaints-done"))["outdated|annual-leave"]
    assert json.loads(done) == {**said, "messages": ["msg-6"]}
    assert json.loads((await store.marks("declined"))["gap-1"]) == said
    assert json.loads((await store.marks("no-wordings"))["wording-1"]) == said


# -- attendance ----------------------------------------------------------------------------------------


async def test_confirmations_of_attendance_are_read_and_given(store: Store) -> None:
    outbox = Outbox(store, {}, clock=clock)
    reports = AttendanceReports(NOBODY, NOBODY, store, outbox, timezone=UTC, admins=[], clock=clock)
    waiting = Confirmation("2026-08", "zhao-liu", "赵六", "run-1", ("hr-1",), NOW - 100)
    given = Confirmation("2026-08", "wang-wu", "王五", "run-1", ("hr-1", "hr-2"), NOW - 100, NOW - 50)
    assert await reports.confirmations.latest() == (waiting, given)
    assert await reports.confirmations.confirm("zhao-liu") == (waiting,)
    told = [notice.key for notice in await outbox.waiting() if ":confirmed:" in notice.key]
    assert sorted(told) == ["run-1:confirmed:hr-1", "run-1:confirmed:hr-2"]
    assert await store.note("attendance:file:run-1") == "@media-2"


async def test_a_report_that_was_asked_for_is_made(store: Store) -> None:
    made: list[Any] = []

    class Reports:
        async def report(self, month: str, departments: Any, **more: Any) -> None:
            made.append((month, tuple(departments), more))

    requests = ReportRequests(cast(Any, Reports()), store, NOBODY, clock)
    work = asyncio.create_task(requests.run())
    async with asyncio.timeout(60):
        while await store.marks("attendance-asked"):
            await asyncio.sleep(0.01)
    work.cancel()
    assert made == [("2026-08", ("研发部", "2"), {"run": "asked:robot-1|msg-8", "hr": ("zhang-san",)})]


async def test_a_report_that_was_asked_for_is_forgotten(store: Store) -> None:
    assert await forget_requests(store, "zhang-san") == 1


async def test_punches_told_lately_are_remembered(store: Store) -> None:
    single = message(8, is_group=False)
    told = await OwnPunchesCommand(NOBODY, store, UTC, clock)(single, Command(CommandKind.MY_PUNCHES))
    assert told.body == "九点到的"
    assert json.loads(await store.note("leave-type:annual") or "") == ["hr-1", "leave-1", "年假", "天"]


# -- chats and console ---------------------------------------------------------------------------------


async def test_an_announcement_that_waits_is_sent(store: Store) -> None:
    outbox = Outbox(store, {}, clock=clock)
    told = await AnnouncementCommands(outbox, store, NOBODY, []).confirm(message(9))
    assert told is not None
    announced = [n for n in await outbox.waiting() if n.key.startswith("announce:")]
    assert [(n.key, n.to, n.body) for n in announced] == [
        (f"announce:robot-1|msg-8:{to.id}", to, "周五放假") for to in (ROBOT, GROUP)
    ]


async def test_private_replies_introductions_and_pictures_are_remembered(store: Store) -> None:
    assert await store.note("aside:robot-1|msg-2") == "sent"
    assert await store.note("welcome:robot-1|cid-group") == "1"
    assert await store.note("picture:0a1b") == "@media-3"


async def test_sessions_and_links_of_the_console_hold(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "node", lambda: "sample-host")
    sessions = Sessions(store, "sample-password")
    assert await sessions.find("sample-token") == Session("王五", "sample-token")
    assert await announced(store) == "http://127.0.0.1:8080"
    assert await link_holds(store, "sample-token")
    assert await use_link(store, "sample-token")
    assert not await use_link(store, "sample-token")


async def test_an_uploaded_table_is_kept_for_other_replicas(store: Store) -> None:
    key = hashlib.sha256(b"sample-upload").hexdigest()
    upload = json.loads(await store.note(f"console:upload:{key}") or "")
    assert upload["session"] == hashlib.sha256(b"sample-session").hexdigest()
    assert base64.b64decode(upload["raw"]).decode() == "问题,答案\n年假,五天\n"
    assert (upload["name"], upload["removes"]) == ("表格.csv", True)


# -- knowledge -----------------------------------------------------------------------------------------


async def test_the_last_good_files_and_vectors_are_read(store: Store) -> None:
    assert await store.documents() == {
        "faq/leave.yaml": "entries:\n- question: 年假有几天\n  answer: 五天\n".encode(),
        "groups.yaml": b"groups: []\n",
    }
    assert await store.vectors(["v1", "v2", "v3"]) == {"v1": bytes(range(16)), "v2": bytes(16)}


async def test_shared_knowledge_is_read_with_what_lies_aside(store: Store) -> None:
    if store.shared_texts is None:
        return
    source = ReplicatedSource(store.shared_texts)
    assert await source.version() == 3
    assert await source.read() == {
        "faq/a.yaml": b"a: 2\n",
        "faq/b.yaml": b"b: 2\n",
        "faq/c.yaml": b"c: 2\n",
        "faq/d.yaml": b"d: 1\n",
    }
    assert await source.conflicts() == {"faq/a.yaml": (b"a: 2\n", b"a: 3\n"), "faq/c.yaml": (b"c: 2\n", None)}
    assert await store.shared_texts.deployed("sample-host:/knowledge") == "digest-1"
    await source.resolve("faq/a.yaml", b"a: 2\n", b"a: 3\n", take_deployed=True)
    assert (await source.read())["faq/a.yaml"] == b"a: 3\n"
