"""Pictures in answers: files beside the knowledge, handed over once, and an answer that goes out without them."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import aiohttp
import pytest

from faqbot.app.running import Running
from faqbot.errors import DeliveryError
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.files.picture_folder import MAX_PICTURE_BYTES, PictureFolder
from faqbot.knowledge.snapshot import build_snapshot
from faqbot.markup.picture_links import replace_by_names
from faqbot.messaging.picture_uploads import PictureUploads
from faqbot.model.entries import Problem
from faqbot.sandbox.api.media import PATH
from faqbot.settings import Settings
from faqbot.store.protocol import Store
from tests.conftest import Talk
from tests.console.conftest import colleague, stranger

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
BODY = "按图办理：\n\n![](流程.png)"
ENTRY = """\
- question: 宠物托运流程是什么？
  answer: |
    按图办理：

    ![](流程.png)
"""


@pytest.fixture
def knowledge(knowledge: Path) -> Path:
    (knowledge / "流程.png").write_bytes(PNG)
    (knowledge / "faq/pets.yaml").write_text(ENTRY, encoding="utf-8")
    return knowledge


def problems(folder: Path) -> list[Problem]:
    snapshot = build_snapshot(FolderSource(folder).read_now(), label="knowledge", today=date(2026, 11, 22))
    return PictureFolder(folder).problems(snapshot.entries)


async def test_two_answers_show_a_picture_that_is_handed_over_once(talk: Talk) -> None:
    first = await talk("小李", "宠物托运流程是什么")
    second = await talk("小王", "宠物托运流程是什么", group="另一个群")
    shown = re.findall(r"!\[\]\((@[^)]+)\)", first + second)
    assert len(shown) == 2 and len(set(shown)) == 1
    assert sum(call.path == PATH for call in talk.ding.oapi.calls) == 1
    async with aiohttp.ClientSession() as http, http.get(f"{talk.ding.url}/sandbox/media/{shown[0]}") as answer:
        assert (await answer.read(), answer.content_type) == (PNG, "image/png")


async def test_the_media_id_outlives_the_process(store: Store, knowledge: Path) -> None:
    handed: list[str] = []

    async def upload(name: str, content: bytes) -> str:
        handed.append(name)
        return "@id"

    for _ in range(2):
        assert await PictureUploads(PictureFolder(knowledge), upload, store).fill_in(BODY) == "按图办理：\n\n![](@id)"
    (knowledge / "faq/副本.png").write_bytes(PNG)
    assert "@id" in await PictureUploads(PictureFolder(knowledge), upload, store).fill_in("![](副本.png)")
    assert handed == ["流程.png"]


async def test_an_answer_goes_out_without_a_picture_that_is_not_taken(
    store: Store, knowledge: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def upload(name: str, content: bytes) -> str:
        raise DeliveryError("钉钉没有收下", code="40004")

    pictures = PictureUploads(PictureFolder(knowledge), upload, store)
    assert await pictures.fill_in(BODY) == "按图办理：\n\n（图片暂时显示不了：流程.png）"
    assert await pictures.fill_in("![](没有.png) ![](https://a.com/b.png)") == (
        "（图片暂时显示不了：没有.png） ![](https://a.com/b.png)"
    )
    assert [record.getMessage().split()[0] for record in caplog.records if "picture." in record.getMessage()] == [
        "picture.not_uploaded", "picture.missing",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("流程.png", PNG, ""),
        ("流程.png", None, "找不到"),
        ("流程.png", b"GIF89a", "内容不是 png 图片"),
        ("流程.png", PNG + b"\0" * MAX_PICTURE_BYTES, "钉钉最多收 20 MB"),
        ("流程.svg", b"<svg/>", "请换成 png 或 jpg"),
        ("../流程.png", PNG, "应和知识文件放在一起"),
    ],
    ids=["good", "missing", "another type", "too large", "not shown", "outside"],
)
def test_what_employees_will_not_see_is_a_warning(knowledge: Path, name: str, content: bytes | None, said: str) -> None:
    (knowledge / "流程.png").unlink()
    if content is not None:
        (knowledge / name).write_bytes(content)
    (knowledge / "faq/pets.yaml").write_text(ENTRY.replace("流程.png", name), encoding="utf-8")
    found = problems(knowledge)
    assert [(p.is_error, said in p.message) for p in found] == ([(False, True)] if said else [])


async def test_the_console_shows_pictures_to_those_who_are_signed_in_and_no_other_file(
    bot: Running, settings: Settings
) -> None:
    secret = settings.knowledge.parent / "secret.png"
    secret.write_bytes(PNG)
    (settings.knowledge / "faq/link.png").symlink_to(secret)
    async with stranger(bot.console_url) as anyone, anyone.http.get("/pictures/流程.png") as answer:
        assert answer.content_type == "text/html"
    async with colleague(bot, "张姐") as hr:
        async with hr.http.get("/pictures/流程.png") as answer:
            assert (await answer.read(), answer.content_type) == (PNG, "image/png")
        for path in ("..%2Fsecret.png", "%2E%2E/secret.png", "link.png", "faq%2Fpets.yaml", "groups.yaml", "没有.png"):
            assert (await hr.get(f"/pictures/{path}")).status == 404


def test_messages_that_show_no_pictures_name_them() -> None:
    assert (
        replace_by_names("看 ![](流程.png) 和 ![图](https://a.com/b.png)")
        == "看 （图片：流程.png） 和 ![图](https://a.com/b.png)"
    )
