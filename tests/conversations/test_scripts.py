"""Every script beside this file, played with the whole bot over the stand-in."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

import pytest

from faqbot.analytics.stats import gap_records
from faqbot.app.running import Running, running
from faqbot.sandbox.server import FakeDingTalk
from faqbot.sandbox.state.faults import QuoteShape
from faqbot.sandbox.state.world import ChatMessage, Conversation
from faqbot.settings import Settings
from tests.conftest import SAMPLE, SAMPLES
from tests.conversations.script import (
    Base,
    Belongs,
    GroupTaps,
    Hear,
    Missed,
    Now,
    Pass,
    Permit,
    Place,
    Say,
    Silence,
    Step,
    Tap,
    Write,
    read_script,
)

SCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


class Clock:
    """The real time, moved."""

    def __init__(self) -> None:
        self.moved = 0.0

    def __call__(self) -> float:
        return time.time() + self.moved


class Stage:
    """Plays one script; AssertionError where the bot says something else."""

    def __init__(self, ding: FakeDingTalk, app: Running, knowledge: Path, clock: Clock) -> None:
        self.ding = ding
        self.app = app
        self.knowledge = knowledge
        self.clock = clock
        self._group = ""
        self._last_speaker = ""
        self._checked: Counter[str] = Counter()

    async def play(self, step: Step) -> None:
        match step:
            case Place(group):
                self._group = group
            case Now() | Base() | GroupTaps():
                raise ValueError(f"it is set before anything else: {step}")
            case Pass(seconds):
                self.clock.moved += seconds
            case Permit(allowed):
                faults = self.ding.faults
                faults.api_fault, faults.api_fail_next = "permission", 0 if allowed else -1
            case Write(file, text):
                write(self.ding, self.knowledge, file, text)
                await self.app.library.refresh()
                await self.app.library.wait_until_calibrated()
            case Belongs(who, path):
                person = self.ding.world.person(who)
                self.ding.contacts.hire(who, [department(self.ding, path)], userid=person.id)
            case Say(who, text, quoting, at_bot, shape):
                await self._say(who, text, quoting, at_bot, shape)
            case Tap(who, label):
                self._last_speaker = who
                await self._say(who, self._behind(label), "", True)
            case Hear():
                await self._hear(step)
            case Silence():
                new = self._new(self._here())
                assert not new, f"the bot said: {new[0].text}"
            case Missed(questions):
                missed = sorted(gap_records(await self.app.store.questions(0)), key=lambda r: r.asked_at)
                assert tuple(r.text for r in missed) == questions, f"missed were {[r.text for r in missed]}"

    async def _say(self, who: str, text: str, quoting: str, at_bot: bool, shape: QuoteShape = "object") -> None:
        self._last_speaker = who
        here = self._here()
        self._checked[here.id] = len(self._said(here))
        quote = None
        if quoting:
            quote = next(
                m for m in reversed(self.ding.world.messages) if m.conversation == here.id and quoting in m.text
            )
        said = f"@{self.ding.world.bot_name} {text}" if here.is_group and at_bot else text
        delivered = await self.ding.say(self.ding.world.person(who), said, here, quote=quote, quote_shape=shape)
        for delivery in delivered:
            await asyncio.wait_for(delivery.acked.wait(), 60)
        async with asyncio.timeout(60):
            while (await self.app.store.backlog())[0]:
                await asyncio.sleep(0.005)

    async def _hear(self, step: Hear) -> None:
        world = self.ding.world
        if step.person:
            where = world.single(world.person(step.person))
        else:
            where = world.group(step.group) if step.group else self._here()
        assert await world.until(lambda: bool(self._new(where)), 60), f"nothing was said in {where.title}"
        message = self._new(where)[0]
        self._checked[where.id] += 1
        text, at = message.text, 0
        for part in map(self._with_ids, step.parts):
            assert part in text[at:], f"{part!r} is not where it should be in: {text}"
            at = text.index(part, at) + len(part)
        for part in map(self._with_ids, step.anywhere):
            assert part in text, f"{part!r} is not in: {text}"
        for part in map(self._with_ids, step.missing):
            assert part not in f"{message.title}\n{text}", f"{part!r} is in: {message.title}\n{text}"
        assert not message.at_all
        settings = self.app.services.resources.settings
        assert settings.group_taps or not where.is_group or "dtmd:" not in text, f"a link that may not work: {text}"

    def _here(self) -> Conversation:
        world = self.ding.world
        return world.group(self._group) if self._group else world.single(world.person(self._last_speaker))

    def _said(self, where: Conversation) -> list[ChatMessage]:
        return [m for m in self.ding.replies if m.conversation == where.id]

    def _new(self, where: Conversation) -> list[ChatMessage]:
        return self._said(where)[self._checked[where.id] :]

    def _behind(self, label: str) -> str:
        """What the link or button called `label` in the bot's last message makes its tapper say."""
        message = self._said(self._here())[-1]
        links = dict(re.findall(r"\[([^\]]*)\]\((dtmd://[^)]*)\)", message.text))
        links |= {button["title"]: button["url"] for button in message.buttons}
        assert label in links, f"no {label!r} to tap in: {message.text}"
        return unquote(links[label].partition("content=")[2])

    def _with_ids(self, part: str) -> str:
        people = sorted(self.ding.world.people.values(), key=lambda p: -len(p.name))
        for person in people:
            part = part.replace(f"@{person.name}", f"@{person.id}")
        return part


def department(ding: FakeDingTalk, path: str) -> int:
    """The number of the department at the end of `path`; what is missing of it is set up."""
    number = 1
    for name in path.split("/"):
        known = ding.contacts.departments
        below = (dept for dept, (called, above) in known.items() if (called, above) == (name, number))
        number = next(below, None) or ding.contacts.add_department(name, number)
    return number


def write(ding: FakeDingTalk, knowledge: Path, file: str, text: str) -> None:
    """Put a file of a script into the knowledge, names replaced by ids."""
    text = re.sub(r"<【(.+?)】>", lambda m: ding.world.group(m[1]).id, text)
    text = re.sub(r"<部门 (.+?)>", lambda m: str(department(ding, m[1])), text)
    text = re.sub(r"<([^\s<>]+?)>", lambda m: ding.world.person(m[1]).id, text)
    path = knowledge / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


@asynccontextmanager
async def stage(folder: Path, clock: Clock, first: list[Step]) -> AsyncIterator[Stage]:
    """The bot with the sample knowledge and the files that the script begins with."""
    knowledge = folder / "knowledge"
    base = next((SAMPLES / step.name / "knowledge" for step in first if isinstance(step, Base)), SAMPLE)
    shutil.copytree(base, knowledge)
    ding = FakeDingTalk(client_id="dingtest", client_secret="test-secret-value", clock=clock)
    await ding.start()
    settings = Settings(
        client_id=ding.client_id,
        client_secret=ding.client_secret,
        robot_code=ding.client_id,
        openapi_endpoint=ding.url,
        oapi_endpoint=ding.url,
        knowledge=knowledge,
        store=f"sqlite:///{folder / 'faqbot.db'}",
        port=0,
        meaning="off",
        group_taps=GroupTaps() in first,
    )
    for step in first:
        match step:
            case Now(text):
                then = datetime.fromisoformat(text).replace(tzinfo=settings.timezone)
                clock.moved = then.timestamp() - time.time()
            case Write(file, text):
                write(ding, knowledge, file, text)
    try:
        async with running(settings, clock) as app:
            assert await ding.until_connected()
            # What is borderline must be decided by the same bars each time.
            await app.library.wait_until_calibrated()
            yield Stage(ding, app, knowledge, clock)
    finally:
        await ding.close()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
async def test_the_bot_keeps_to_the_script(script: Path, tmp_path: Path) -> None:
    steps = read_script(script.read_text(encoding="utf-8"))
    begun = next(n for n, (_, step) in enumerate(steps) if not isinstance(step, Now | Base | GroupTaps | Write))
    async with stage(tmp_path, Clock(), [step for _, step in steps[:begun]]) as played:
        for line, step in steps[begun:]:
            try:
                await played.play(step)
            except AssertionError as exc:
                raise AssertionError(f"{script.name}:{line}: {exc}") from None


@pytest.mark.parametrize("text", ["小助手对小王：", "(过了 3 分钟)", "小助手：x\n  不许：y"])
def test_a_line_that_is_not_understood_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        read_script(text)
