"""Who is in which department is asked only where an entry depends on it, once, and what cannot be told is no."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from faqbot.app.running import Running
from faqbot.dingtalk.api.client import OpenApi
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.dingtalk.api.tokens import AccessTokens
from faqbot.messaging.asker_departments import NO_DEPARTMENTS, AskerDepartments
from faqbot.model.messages import Message, MessageKind
from faqbot.store.protocol import Store
from tests.conftest import Talk
from tests.dingtalk.api.test_tokens import serving

ASK, ANSWER = "代码评审由谁合并", "模块负责人"


async def limited(bot: Running, knowledge: Path, department: int) -> None:
    text = f"- question: {ASK}？\n  answer: 由模块负责人合并。\n  departments: [{department}]\n"
    (knowledge / "faq" / "team.yaml").write_text(text, encoding="utf-8")
    await bot.library.refresh()


def looked_up(talk: Talk) -> list[str]:
    return [call.path for call in talk.ding.oapi.calls if "user/get" in call.path]


async def test_without_such_an_entry_nobody_is_looked_up(talk: Talk) -> None:
    await talk("小李", "年假有几天")
    assert looked_up(talk) == []


async def test_somebody_is_looked_up_once(talk: Talk, bot: Running, knowledge: Path) -> None:
    team = talk.ding.contacts.add_department("基础组", talk.ding.contacts.add_department("研发部"))
    talk.ding.contacts.hire("小李", [team], userid=talk.ding.world.person("小李").id)
    await limited(bot, knowledge, 1001)
    assert ANSWER in await talk("小李", ASK) and ANSWER in await talk("小李", ASK, group=None)
    assert ANSWER not in await talk("小王", ASK)
    assert len(looked_up(talk)) == 2


async def test_without_the_permission_it_is_as_if_there_were_no_such_entry_and_said_once(
    talk: Talk, bot: Running, knowledge: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await limited(bot, knowledge, 1)
    talk.ding.oapi.granted.clear()
    for name in ("小李", "小王", "小李"):
        said = await talk(name, ASK)
        assert "没有找到" in said and ANSWER not in said
    assert caplog.text.count("api.needs_admin") == 1


async def test_somebody_from_outside_is_in_no_department(talk: Talk, bot: Running, knowledge: Path) -> None:
    await limited(bot, knowledge, 1)
    assert ANSWER not in await talk("外部顾问", ASK, external=True)


async def test_contacts_that_answer_in_another_shape_take_no_other_answer_away(
    bot: Running, knowledge: Path, store: Store
) -> None:
    async def odd(request: web.Request) -> web.Response:
        if "accessToken" in request.path:
            return web.json_response({"accessToken": "t", "expireIn": 7200})
        return web.json_response({"errcode": 0, "result": {"userid": "u1", "dept_id_list": ["研发部"]}})

    await limited(bot, knowledge, 1)
    async with serving(odd) as url, aiohttp.ClientSession() as session:
        tokens = AccessTokens(session, url, "id", "secret", store)
        directory = ContactsCache(OpenApi(session, url, url, tokens, store, qps=20), store)
        asker = Message("m", "r", "c", False, MessageKind.TEXT, ASK, staff_id="u1")
        assert await AskerDepartments(bot.library, directory).departments(asker) == NO_DEPARTMENTS
