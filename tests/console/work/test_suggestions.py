"""可以加的问法: picked by several people, added after a look at the effect, or not wanted."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

from faqbot.app.running import Running
from tests.conftest import Talk
from tests.console.conftest import Files, Person
from tests.console.work.test_gaps import put

ASKED = "入职满一年能歇多久"


async def taught(bot: Running, *people: str, text: str = ASKED) -> None:
    for person in people:
        await put(bot, [(person, text)], outcome="offered", entry_id="sick-leave")
        await put(bot, [(person, "2")], outcome="picked", entry_id="annual-leave")


async def section(hr: Person) -> dict[str, Any] | None:
    found = json.loads((await hr.get("/?format=json")).text)["sections"]
    return next((s for s in found if s["kind"] == "suggested"), None)


async def test_a_question_that_two_people_picked_the_same_for_is_added_with_its_effect_seen(
    hr: Person, bot: Running, files: Files, talk: Talk
) -> None:
    await taught(bot, "xiaoli")
    assert await section(hr) is None
    await taught(bot, "xiaowang")
    found = await section(hr)
    assert found is not None
    (item,) = found["items"]
    assert item["text"] == f"「{ASKED}」" and item["note"] == "2 人从列表里选了「年假有几天？」"
    assert item["url"] in (await hr.get("/missed")).text
    page = await hr.get(item["url"])
    assert "检查过了，可以保存" in page.text and "员工最近问过的，会有什么不同" in page.text
    seen = re.search(r'name="seen" value="([^"]*)"', page.text)
    assert seen
    before = files.read()
    done = await hr.post(f"{item['url']}/add", {"seen": unescape(seen[1])})
    assert "已把这个问法加到「也问」里" in done.text
    assert files.read() != before and ASKED in files.read()
    assert "5 天" in await talk("小李", ASKED)
    assert await section(hr) is None


async def test_what_is_not_wanted_does_not_come_back_unless_that_is_undone(hr: Person, bot: Running) -> None:
    await taught(bot, "xiaoli", "xiaowang")
    found = await section(hr)
    assert found is not None
    url = found["items"][0]["url"]
    page = await hr.post(f"{url}/decline")
    assert "这个问法不再提了" in page.text and await section(hr) is None
    assert (await hr.get(url)).status == 404
    await hr.post(f"{url}/reopen")
    assert await section(hr) is not None


async def test_a_file_that_changed_meanwhile_is_looked_at_again(hr: Person, bot: Running, files: Files) -> None:
    await taught(bot, "xiaoli", "xiaowang")
    found = await section(hr)
    assert found is not None
    before = files.read()
    page = await hr.post(f"{found['items'][0]['url']}/add", {"seen": "old"})
    assert page.status == 409 and "有人刚才改了这个文件" in page.text and files.read() == before
