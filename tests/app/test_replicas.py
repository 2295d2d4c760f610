"""Two replicas on one Redis, each with its own connection to DingTalk, and HR at both consoles."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from faqbot.app.running import Running, running
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from tests.cli.test_cli import faqbot
from tests.conftest import KNOWLEDGE, Talk
from tests.console.conftest import Person, colleague
from tests.redis_server import RedisServer

CARRY = "/entries/annual-leave-carry-over/edit"
OLD, NEW = "可以顺延到次年 3 月底。", "可以顺延到次年 6 月底。"


@dataclass(frozen=True, slots=True)
class Replica:
    app: Running
    talk: Talk
    hr: Person
    folder: Path

    @property
    def answer(self) -> str:
        entry = self.app.library.current.entry("annual-leave-carry-over")
        return entry.answer if entry else ""

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.02)


class Company:
    """Starts replicas, each with a copy of the deployed folder, as a platform does."""

    def __init__(self, stack: AsyncExitStack, settings: Settings) -> None:
        self._stack = stack
        self._settings = settings

    async def replica(self, name: str, folder: Path) -> Replica:
        ding = FakeDingTalk(client_id=self._settings.client_id, client_secret=self._settings.client_secret)
        await ding.start()
        self._stack.push_async_callback(ding.close)
        here = replace(self._settings, knowledge=folder, openapi_endpoint=ding.url, oapi_endpoint=ding.url)
        app = await self._stack.enter_async_context(running(here))
        assert await ding.until_connected()
        return Replica(app, Talk(ding), await self._stack.enter_async_context(colleague(app, name)), folder)


def deployed(tmp_path: Path, number: int, old: str = "", new: str = "", file: str = "faq/leave.yaml") -> Path:
    folder = tmp_path / f"deployment-{number}"
    shutil.copytree(KNOWLEDGE, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    return folder


@pytest.fixture
async def company(settings: Settings, redis_server: RedisServer) -> AsyncIterator[Company]:
    async with AsyncExitStack() as stack:
        yield Company(stack, replace(settings, store=redis_server.url))


@pytest.fixture
async def pair(company: Company, tmp_path: Path) -> tuple[Replica, Replica]:
    return (
        await company.replica("张姐", deployed(tmp_path, 1)),
        await company.replica("小陈", deployed(tmp_path, 2)),
    )


async def test_what_is_saved_at_one_console_is_answered_by_the_other_replica_and_outlives_both(
    pair: tuple[Replica, Replica], company: Company, tmp_path: Path
) -> None:
    mine, theirs = pair
    fields = (await mine.hr.get(CARRY)).fields()
    saved = await mine.hr.post(CARRY, fields | {"answer": NEW, "do": "save"})
    assert saved.path.endswith("done=saved")
    await theirs.until(lambda: theirs.answer == NEW)
    assert "6 月底" in await theirs.talk("小李", "年假没休完怎么办")
    assert "6 月底" in (await theirs.hr.get("/entries/annual-leave-carry-over")).text
    third = await company.replica("老王", deployed(tmp_path, 3))
    assert third.answer == NEW, "a replica that starts later does not begin with its folder again"
    assert OLD in (mine.folder / "faq/leave.yaml").read_text(encoding="utf-8")


async def test_of_two_people_who_save_the_same_entry_one_wins_and_the_other_sees_both_versions(
    pair: tuple[Replica, Replica],
) -> None:
    mine, theirs = pair
    a, b = (await mine.hr.get(CARRY)).fields(), (await theirs.hr.get(CARRY)).fields()
    assert (await mine.hr.post(CARRY, a | {"answer": NEW, "do": "save"})).path.endswith("done=saved")
    refused = await theirs.hr.post(CARRY, b | {"answer": "不能顺延。", "do": "save"})
    assert refused.status == 409 and refused.fields()["answer"] == "不能顺延。"
    shown = re.sub("</?(ins|del)>", "", refused.text)
    assert NEW in shown and "不同的字有底色" in shown
    assert mine.answer == NEW
    again = await theirs.hr.post(CARRY, refused.fields() | {"do": "save"})
    assert again.path.endswith("done=saved")
    await mine.until(lambda: mine.answer == "不能顺延。")


async def test_a_deployment_updates_what_was_left_alone_and_tells_what_it_could_not(
    pair: tuple[Replica, Replica], company: Company, tmp_path: Path
) -> None:
    mine, theirs = pair
    fields = (await mine.hr.get(CARRY)).fields()
    await mine.hr.post(CARRY, fields | {"answer": NEW, "do": "save"})
    folder = deployed(tmp_path, 3, OLD, "可以顺延到次年 4 月底。")
    (folder / "faq/gym.yaml").write_text("- question: 健身房在哪？\n  answer: 三楼。\n", encoding="utf-8")
    newer = await company.replica("老王", folder)
    assert newer.answer == NEW
    await theirs.until(lambda: any(e.question == "健身房在哪？" for e in theirs.app.library.current.entries))
    assert 'href="/deployed"' in (await theirs.hr.get("/")).text
    page = (await theirs.hr.get("/deployed")).text
    assert "次年 <del" in page and "4" in page and "年假有几天" not in page
    form = dict(re.findall(r'name="(file|seen)" value="([^"]+)"', page))
    assert form["file"] == "faq/leave.yaml"
    assert (await theirs.hr.post("/deployed", form | {"seen": "old", "take": "deployed"})).status == 409
    assert theirs.answer == NEW
    assert "没有要选的" in (await theirs.hr.post("/deployed", form | {"take": "deployed"})).text
    assert "4 月底" in theirs.answer
    await mine.until(lambda: mine.answer == theirs.answer)
    assert 'href="/deployed"' not in (await theirs.hr.get("/")).text


async def test_commands_work_on_what_is_shared_and_say_so(
    pair: tuple[Replica, Replica], redis_server: RedisServer, tmp_path: Path
) -> None:
    mine, theirs = pair
    fields = (await mine.hr.get(CARRY)).fields()
    await mine.hr.post(CARRY, fields | {"answer": NEW, "do": "save"})
    at = {"FAQBOT_STORE": redis_server.url, "FAQBOT_KNOWLEDGE": str(mine.folder)}
    said = "读的是存储里几个副本共享的知识"
    asked = faqbot(tmp_path, "ask", "年假没休完怎么办", **at)
    assert "6 月底" in asked.stdout and said in asked.stderr
    checked = faqbot(tmp_path, "check", **at)
    assert checked.returncode == 0 and said in checked.stderr
    assert said not in faqbot(tmp_path, "check", str(mine.folder), **at).stderr
    copied = faqbot(tmp_path, "export", "--yaml", "copy", **at)
    assert said in copied.stderr and NEW in (tmp_path / "copy/faq/leave.yaml").read_text(encoding="utf-8")
    faqbot(tmp_path, "export", "k.csv", **at)
    table = (tmp_path / "k.csv").read_text(encoding="utf-8-sig")
    (tmp_path / "k.csv").write_text(table.replace(NEW, "不能顺延。"), encoding="utf-8")
    brought = faqbot(tmp_path, "import", "k.csv", "--write", **at)
    assert brought.returncode == 0 and said in brought.stderr and "修改 1 条" in brought.stdout
    await theirs.until(lambda: theirs.answer == "不能顺延。")
    assert OLD in (mine.folder / "faq/leave.yaml").read_text(encoding="utf-8")


def test_before_the_first_start_commands_read_the_folder_and_say_so(redis_server: RedisServer, tmp_path: Path) -> None:
    asked = faqbot(tmp_path, "ask", "年假没休完怎么办", FAQBOT_STORE=redis_server.url)
    assert "3 月底" in asked.stdout and "存储里还没有共享的知识，读的是目录" in asked.stderr
