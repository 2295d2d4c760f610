"""A real bot with a store of its own over shared knowledge; only the network is left out, so a session costs little."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import aiohttp

from faqbot.attendance.wiring import open_reports
from faqbot.commands.registry import open_commands
from faqbot.dingtalk.api.client import OpenApi
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.dingtalk.api.group_robots import GroupRobotSender, RobotKeys
from faqbot.dingtalk.api.quota import Quota
from faqbot.dingtalk.api.robot import Robot
from faqbot.dingtalk.api.session_webhook import SessionWebhook
from faqbot.dingtalk.wire.payloads import encode
from faqbot.dingtalk.wiring import DingTalkClients
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.files.picture_folder import PictureFolder
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.knowledge.wiring import KnowledgeParts
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.messaging.bot import Bot
from faqbot.messaging.wiring import open_bot
from faqbot.model.notices import Notice
from faqbot.model.question_log import QuestionRecord
from faqbot.outbox.outbox import Outbox
from faqbot.outbox.wiring import open_outbox
from faqbot.runtime.metrics import Metrics
from faqbot.runtime.resources import Resources
from faqbot.sandbox.api.session_webhooks import check_body, transcript_content
from faqbot.sandbox.server import FakeDingTalk
from faqbot.sandbox.state.world import ChatMessage, Conversation, Person
from faqbot.settings import Settings
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store
from tests.conftest import SAMPLE
from tests.conversations.fuzz.knowledge import GROUPS, PEOPLE, files, memberships, start
from tests.conversations.fuzz.turns import Kind, Order, Turn, bursts
from tests.conversations.test_scripts import department, write

# No turn takes this long, however slow the machine.
_PATIENCE_SECONDS = 60.0
PICTURE = {"msgtype": "picture", "text": None, "content": {"downloadCode": "c"}}


class Clock:
    """Stands still until it is moved, so that an order can be repeated at the same times."""

    def __init__(self, start: float) -> None:
        self.start = self.now = start

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True)
class SharedKnowledge:
    """The sample with the knowledge of random orders. All sessions share it, as none of them changes it."""

    library: KnowledgeBase
    source: FolderSource
    settings: Settings
    clock: Clock
    metrics: Metrics = field(default_factory=Metrics)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is who: userIds and departments of the people by name, conversation ids by title, userIds of owners."""

    userids: Mapping[str, str]
    departments: Mapping[str, frozenset[str]]
    conversations: Mapping[str, str]
    owners: frozenset[str]

    def conversation(self, turn: Turn) -> str:
        return self.conversations[turn.where or turn.who]


@dataclass(frozen=True, slots=True)
class Heard:
    """All that came of one turn.

    replies: in the conversation in which it was said, through the webhook that came with it.
    direct: unasked in the single chat of a person, with the userId.
    notices: waiting to be sent to people, such as to the owners of a ticket.
    quoted: the text of the message that the turn quoted.
    """

    turn: Turn
    at: float
    replies: tuple[ChatMessage, ...]
    direct: tuple[tuple[str, ChatMessage], ...]
    notices: tuple[Notice, ...]
    record: QuestionRecord | None
    quoted: str = ""


def new_world(clock: Clock) -> FakeDingTalk:
    """The people and groups of all orders, with the same ids each time."""
    ding = FakeDingTalk(client_id="dingtest", client_secret="test-secret-value", clock=clock)
    for name in PEOPLE:
        ding.world.person(name)
    for title in GROUPS:
        ding.world.group(title)
    for step in memberships():
        person = ding.world.person(step.who)
        ding.contacts.hire(step.who, [department(ding, step.department)], userid=person.id)
    return ding


def shared_knowledge(folder: Path) -> SharedKnowledge:
    """Load and calibrate the knowledge; the loop in which that is done ends with it."""
    shutil.copytree(SAMPLE, folder)
    settings = Settings(
        client_id="dingtest", client_secret="test-secret-value", robot_code="dingtest", knowledge=folder, meaning="off"
    )
    clock = Clock(datetime.fromisoformat(start()).replace(tzinfo=settings.timezone).timestamp())
    ding = new_world(clock)
    for step in files():
        write(ding, folder, step.file, step.text)
    today = datetime.fromtimestamp(clock(), settings.timezone).date()

    async def load() -> SharedKnowledge:
        source = FolderSource(folder)
        library = KnowledgeBase(source, lambda: today)
        await library.refresh()
        await library.wait_until_calibrated()
        await library.close()
        return SharedKnowledge(library, source, settings, clock)

    return asyncio.run(load())


def cast_of(shared: SharedKnowledge) -> Cast:
    ding = new_world(shared.clock)
    people = {name: ding.world.person(name) for name in PEOPLE}
    belongs = {m.userid: frozenset(map(str, _with_parents(ding, m.departments))) for m in ding.contacts.everybody()}
    conversations = {name: ding.world.single(person).id for name, person in people.items()}
    conversations |= {title: ding.world.group(title).id for title in GROUPS}
    owned = shared.library.current.groups.people.values()
    return Cast(
        userids={name: person.id for name, person in people.items()},
        departments={name: belongs.get(person.id, frozenset()) for name, person in people.items()},
        conversations=conversations,
        owners=frozenset(userid for userids in owned for userid in userids),
    )


class Session:
    """Lets people say things to one bot, which knows nothing yet."""

    def __init__(
        self, ding: FakeDingTalk, bot: Bot, store: Store, outbox: Outbox, clock: Clock, webhook: _CapturedWebhook,
        api: _CapturedApi,
    ) -> None:  # fmt: skip
        self._ding = ding
        self._bot = bot
        self._store = store
        self._outbox = outbox
        self._clock = clock
        self._webhook = webhook
        self._api = api
        self._said: dict[tuple[int, str], ChatMessage] = {}
        self._notices: set[str] = set()

    async def say(self, burst: Sequence[Turn]) -> list[Heard]:
        """Say these turns at once, and wait for all that comes of them."""
        self._clock.now += burst[0].pause
        direct_before = len(self._api.direct)
        payloads = [self._payload(turn) for turn in burst]
        for payload in payloads:
            await self._bot.receive(payload)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while (await self._store.backlog())[0]:
                await asyncio.sleep(0)
        records = {r.message_id: r for r in await self._store.questions(0)}
        direct = self._api.direct[direct_before:]
        notices = [n for n in await self._outbox.waiting() if n.key not in self._notices]
        self._notices.update(n.key for n in notices)
        heard: list[Heard] = []
        askers = {self._person(turn).id for turn in burst}
        for turn, payload in zip(burst, payloads, strict=True):
            replies = self._webhook.posted.get(payload["sessionWebhook"], [])
            if replies:
                self._said[turn.number, "reply"] = replies[0]
            alone = len(burst) == 1
            userid = self._person(turn).id
            heard.append(
                Heard(
                    turn=turn,
                    at=self._clock(),
                    replies=tuple(replies),
                    direct=tuple(d for d in direct if d[0] == userid or (turn is burst[0] and d[0] not in askers)),
                    # In a burst, who caused a notice is known by its ticket's number only.
                    notices=tuple(notices) if alone else (),
                    record=records.get(payload["msgId"]),
                    quoted=quote.text if (quote := self._quoted(turn)) else "",
                )
            )
        return heard

    async def records(self) -> Sequence[QuestionRecord]:
        return await self._store.questions(0)

    def _payload(self, turn: Turn) -> dict[str, Any]:
        person, conversation = self._person(turn), self._conversation(turn)
        text = f"@{self._ding.world.bot_name} {turn.text}" if conversation.is_group else turn.text
        said = self._ding.world.add(conversation.id, person, kind="text", text=text)
        self._said[turn.number, "message"] = said
        payload = self._ding.payload(person, text, conversation, quote=self._quoted(turn))
        payload |= {"msgId": f"turn{turn.number:02d}"}
        if turn.kind is Kind.PICTURE:
            payload |= PICTURE
        self._webhook.expect(payload["sessionWebhook"], conversation.id)
        return payload

    def _quoted(self, turn: Turn) -> ChatMessage | None:
        return self._said.get((turn.quoting.turn, turn.quoting.part)) if turn.quoting else None

    def _person(self, turn: Turn) -> Person:
        return self._ding.world.person(turn.who)

    def _conversation(self, turn: Turn) -> Conversation:
        return self._ding.world.group(turn.where) if turn.where else self._ding.world.single(self._person(turn))


@asynccontextmanager
async def open_session(shared: SharedKnowledge) -> AsyncIterator[Session]:
    """Put the bot together as the program does, but for the network."""
    clock = shared.clock
    ding = new_world(clock)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        store = await open_store("sqlite:///:memory:", clock)
        stack.push_async_callback(store.close)
        resources = Resources(shared.settings, http, store, shared.metrics, clock)
        workspace = Workspace(shared.library, shared.source, store, resources.today, clock)
        knowledge = KnowledgeParts(shared.library, workspace, PictureFolder(shared.settings.knowledge), None, {})
        webhook, api = _CapturedWebhook(http, ding), _CapturedApi(ding)
        departments = {m.userid: tuple(_with_parents(ding, m.departments)) for m in ding.contacts.everybody()}
        contacts = _KnownContacts(departments, api, store)
        dingtalk = DingTalkClients(
            api=cast(OpenApi, api),
            contacts=contacts,
            robot=Robot(cast(OpenApi, api), shared.settings.robot_code),
            group_robots=GroupRobotSender(http, "", clock=clock),
            webhook=webhook,
            quota=Quota(store, shared.metrics, calls=5000, messages=3000, today=resources.today),
        )
        outbox = open_outbox(resources, dingtalk, robot_keys=_no_robot, postpone=lambda to, due: due)
        reports = open_reports(resources, dingtalk, outbox)
        looked_up = AskerDepartments(shared.library, contacts, clock)
        commands = open_commands(resources, knowledge, dingtalk, looked_up, outbox, reports)
        bot = open_bot(resources, knowledge, dingtalk, looked_up, commands.handlers)
        await bot.inbox.start()
        stack.push_async_callback(bot.drain, 1.0)
        yield Session(ding, bot, store, outbox, clock, webhook, api)


def _with_parents(ding: FakeDingTalk, departments: Sequence[int]) -> Iterator[int]:
    for number in departments:
        yield from ding.contacts.upwards(number)


def _no_robot(name: str) -> RobotKeys:
    raise AssertionError("nothing is sent by a group robot")


async def play(shared: SharedKnowledge, order: Order) -> list[Heard]:
    """Say the turns of an order to a fresh bot."""
    shared.clock.now = shared.clock.start
    async with open_session(shared) as session:
        return [heard for burst in bursts(order) for heard in await session.say(burst)]


class _CapturedWebhook(SessionWebhook):
    """Accepts what DingTalk would, and notes it by the address it was posted to."""

    def __init__(self, http: aiohttp.ClientSession, ding: FakeDingTalk) -> None:
        super().__init__(http, ())
        self._ding = ding
        self._conversations: dict[str, str] = {}
        self.posted: dict[str, list[ChatMessage]] = {}

    def expect(self, address: str, conversation: str) -> None:
        """Add a webhook and the conversation into which its posts go."""
        self._conversations[address] = conversation

    async def send(self, address: str, body: dict[str, Any]) -> None:
        code, reason, _ = check_body(encode(body), "application/json")
        assert code == 0, reason
        message = self._ding.world.add(self._conversations[address], None, **transcript_content(body))
        self.posted.setdefault(address, []).append(message)


class _CapturedApi:
    """Takes the place of OpenApi: notes the messages to people, and knows no other call."""

    def __init__(self, ding: FakeDingTalk) -> None:
        self._ding = ding
        self.direct: list[tuple[str, ChatMessage]] = []

    async def new(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        assert path.endswith("/oToMessages/batchSend"), path
        content = json.loads(body["msgParam"])
        for userid in body["userIds"]:
            chat = self._ding.world.single(self._ding.world.people[userid])
            said = self._ding.world.add(chat.id, None, kind="markdown", title=content["title"], text=content["text"])
            self.direct.append((userid, said))
        return {"processQueryKey": "key"}

    async def upload_image(self, name: str, content: bytes) -> str:
        raise AssertionError("no answer of this knowledge has a picture")


class _KnownContacts(ContactsCache):
    """Departments from a table instead of DingTalk's contacts."""

    def __init__(self, departments: Mapping[str, tuple[int, ...]], api: _CapturedApi, store: Store) -> None:
        super().__init__(cast(OpenApi, api), store)
        self._departments = departments

    async def departments_of(self, userid: str) -> tuple[int, ...]:
        return self._departments.get(userid, ())
