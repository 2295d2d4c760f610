"""`faqbot doctor` finds what is wrong and says where to click; `faqbot forget` deletes a person while the bot runs."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from email.utils import formatdate
from pathlib import Path

import pytest
import redis.asyncio as redis
from aiohttp import web

from faqbot.app.running import Running, running
from faqbot.cli.doctor.checks import examine
from faqbot.cli.doctor.findings import Finding, Level
from faqbot.dingtalk.stream.gateway import gateway_url
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from faqbot.store.opening import open_store
from tests.cli.test_cli import credentials, faqbot
from tests.conftest import Talk
from tests.redis_server import RedisServer
from tests.store.test_engines import message

CLOCK, NETWORK, SENDS, STREAM = "时钟", "网络", "凭证与主动发送权限", "Stream 连接"
STORE, QUOTA, KNOWLEDGE, MEANING = "存储", "本月额度", "知识", "含义比较"
TAPS = "群里点按"
ALL = ["设置", CLOCK, SENDS, STREAM, STORE, QUOTA, KNOWLEDGE, MEANING, TAPS]


async def findings(settings: Settings) -> list[Finding]:
    return [finding async for finding in examine(settings)]


async def found(settings: Settings, name: str) -> Finding:
    """The only finding of that name."""
    (finding,) = [f for f in await findings(settings) if f.name == name]
    return finding


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# -- all is well -------------------------------------------------------------------------------


async def test_where_all_is_well_everything_is_good(settings: Settings) -> None:
    seen = await findings(settings)
    assert [f.name for f in seen] == ALL
    assert [f for f in seen if f.level is not Level.GOOD] == []


async def test_looking_sends_nothing_and_takes_no_messages_away(
    ding: FakeDingTalk, bot: Running, settings: Settings
) -> None:
    seen = await findings(settings)
    assert {f.level for f in seen} == {Level.GOOD}
    assert ding.gateway.connections == 1, "the bot's own"
    assert "5 天" in await Talk(ding)("小李", "年假有几天")
    assert len(ding.replies) == 1 and [call.body["userIds"] for call in ding.robot.calls] == [[]]


async def test_how_to_try_a_tap_in_a_group_is_said_until_it_is_known_to_arrive(settings: Settings) -> None:
    said = (await found(settings, TAPS)).text
    for part in ("FAQBOT_GROUP_TAPS=yes", "@机器人 帮助", "点第 1 行", "改回 no"):
        assert part in said
    tried = (await found(replace(settings, group_taps=True), TAPS)).text
    assert "可以点" in tried and "改回 no" in tried and "帮助" not in tried


async def test_the_contacts_are_looked_at_only_where_an_entry_is_for_some_departments(
    ding: FakeDingTalk, settings: Settings
) -> None:
    file = Path(settings.knowledge) / "faq" / "team.yaml"
    file.write_text("- {question: 评审谁合并？, answer: 负责人。, departments: [1001]}\n", encoding="utf-8")
    assert (await found(settings, "通讯录权限")).level is Level.GOOD
    ding.oapi.granted.discard("qyapi_get_department_list")
    finding = await found(settings, "通讯录权限")
    assert finding.level is Level.BAD and "qyapi_get_department_list" in finding.text


async def test_looking_twice_uses_the_token_that_is_there(ding: FakeDingTalk, settings: Settings) -> None:
    await findings(settings)
    await findings(settings)
    assert ding.tokens.asked == 1


# -- token, permission, robot ------------------------------------------------------------------

BAD = {
    "permission": ("qyapi_robot_sendmsg", "权限管理"),
    "ip": ("203.0.113.7", "安全设置"),
    "quota": ("额度", "资源管理"),
}
UNSURE = [
    "qps", "api_qps", "auth", "busy", "500", "unknown", "gateway_timeout", "html", "punish", "unsafe", "disbanded",
    "reset",
]  # fmt: skip


@pytest.mark.parametrize(("fault", "words"), BAD.items())
async def test_what_an_admin_must_mend_is_bad_and_says_where(
    ding: FakeDingTalk, settings: Settings, fault: str, words: Sequence[str]
) -> None:
    ding.faults.update({"api_fault": fault, "api_fail_next": -1})
    finding = await found(settings, SENDS)
    assert finding.level is Level.BAD and all(word in finding.text for word in words)


@pytest.mark.parametrize("fault", UNSURE)
async def test_what_could_not_be_checked_is_a_warning(ding: FakeDingTalk, settings: Settings, fault: str) -> None:
    ding.faults.update({"api_fault": fault, "api_fail_next": -1})
    finding = await found(settings, SENDS)
    assert finding.level is Level.WARNING and finding.text.startswith("没能检查：")


async def test_a_token_that_was_refused_once_is_renewed(ding: FakeDingTalk, settings: Settings) -> None:
    ding.faults.update({"api_fault": "auth", "api_fail_next": 1})
    assert (await found(settings, SENDS)).level is Level.GOOD and ding.tokens.asked == 2


async def test_a_wrong_secret_is_bad_for_token_and_stream(settings: Settings) -> None:
    seen = {f.name: f for f in await findings(replace(settings, client_secret="not-the-secret"))}
    for name in (SENDS, STREAM):
        assert seen[name].level is Level.BAD and "DINGTALK_CLIENT_SECRET" in seen[name].text
    assert not any("not-the-secret" in f.text for f in seen.values())


async def test_a_wrong_robot_code_names_the_setting(settings: Settings) -> None:
    finding = await found(replace(settings, robot_code="dingother"), SENDS)
    assert finding.level is Level.BAD and "DINGTALK_ROBOT_CODE" in finding.text and "RobotCode" in finding.text


@asynccontextmanager
async def answering(**answers: Callable[[], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """The address of a server that answers `send`, `token` and `open`, where given, as an odd DingTalk might."""
    paths = {
        "token": "/v1.0/oauth2/accessToken",
        "send": "/v1.0/robot/oToMessages/batchSend",
        "open": gateway_url(""),
    }
    app = web.Application()
    for name, answer in answers.items():

        async def handle(request: web.Request, answer: Callable[[], Awaitable[web.Response]] = answer) -> web.Response:
            return await answer()

        app.router.add_post(paths[name], handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def says(status: int = 200, **body: object) -> Callable[[], Awaitable[web.Response]]:
    async def answer() -> web.Response:
        return web.json_response(body, status=status)

    return answer


TOKEN = says(accessToken="t-o-k-e-n", expireIn=7200)


@pytest.mark.parametrize("code", ["chatbotId.notAllow.sendOTO", "robot.oto.notExist"])
async def test_a_robot_that_is_not_published_is_told(settings: Settings, code: str) -> None:
    async with answering(token=TOKEN, send=says(400, code=code, message="x")) as url:
        finding = await found(replace(settings, openapi_endpoint=url), SENDS)
    assert finding.level is Level.BAD and "发布" in finding.text and code in finding.text


# -- the stream --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, ["HTTP 400", "Stream 模式", "发布", "可见范围"]),
        (401, ["401", "DINGTALK_CLIENT_ID"]),
        (403, ["HTTP 403"]),
        (503, ["HTTP 503"]),
    ],
)
async def test_a_gateway_that_gives_no_ticket_is_bad(
    ding: FakeDingTalk, settings: Settings, status: int, words: Sequence[str]
) -> None:
    ding.faults.open_status = status
    finding = await found(settings, STREAM)
    assert finding.level is Level.BAD and all(word in finding.text for word in words)
    assert ("Stream 模式" in finding.text) == (status == 400)


async def test_a_websocket_host_that_is_not_let_through_is_named_with_its_port(
    ding: FakeDingTalk, settings: Settings
) -> None:
    port = closed_port()
    ding.gateway.websocket_url = f"ws://127.0.0.1:{port}/connect"
    finding = await found(settings, STREAM)
    assert finding.level is Level.BAD and f"127.0.0.1:{port}" in finding.text and "防火墙" in finding.text


@pytest.mark.parametrize("body", [{}, {"endpoint": "ws://127.0.0.1"}, {"ticket": "secret-ticket"}])
async def test_a_gateway_answer_without_a_ticket_is_bad(settings: Settings, body: dict[str, str]) -> None:
    async with answering(token=TOKEN, open=says(200, **body)) as url:
        finding = await found(replace(settings, openapi_endpoint=url), STREAM)
    assert finding.level is Level.BAD and "secret-ticket" not in finding.text


@pytest.mark.parametrize("endpoint", ["", "nonsense", "wss://[::1", "ws://127.0.0.1:99999/connect", "ws://:80/connect"])
async def test_an_odd_endpoint_is_bad_and_ends_nothing(settings: Settings, endpoint: str) -> None:
    async with answering(token=TOKEN, open=says(endpoint=endpoint, ticket="secret-ticket")) as url:
        seen = await findings(replace(settings, openapi_endpoint=url))
    (finding,) = [f for f in seen if f.name == STREAM]
    assert finding.level is Level.BAD and "连接地址" in finding.text
    assert seen[-1].name == TAPS


# -- network and clock -------------------------------------------------------------------------


async def test_an_unreachable_host_is_told_once_and_the_rest_is_still_looked_at(
    ding: FakeDingTalk, settings: Settings
) -> None:
    seen = await findings(replace(settings, openapi_endpoint=f"http://127.0.0.1:{closed_port()}"))
    assert [f.name for f in seen] == ["设置", NETWORK, STORE, QUOTA, KNOWLEDGE, MEANING, TAPS]
    assert [f.name for f in seen if f.level is not Level.GOOD] == [NETWORK]
    assert "127.0.0.1" in seen[1].text and "HTTPS_PROXY" in seen[1].text


@asynccontextmanager
async def showing(date: str | None) -> AsyncIterator[str]:
    """The address of a server whose every answer has that Date header."""
    lines = ["HTTP/1.1 404 Not Found", "Content-Length: 0", "Connection: close"]
    answer = "\r\n".join([*lines, *([f"Date: {date}"] if date is not None else []), "", ""]).encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def first_of(settings: Settings, name: str) -> Finding:
    """The first finding of that name; nothing after it is looked at."""
    looking = examine(settings)
    try:
        return await anext(f async for f in looking if f.name == name)
    finally:
        await looking.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("ahead", "level", "word"),
    [
        (0, Level.GOOD, "相差"),
        (-30, Level.GOOD, "相差"),
        (-300, Level.WARNING, "快"),
        (300, Level.WARNING, "慢"),
        (-7200, Level.BAD, "快"),
        (7200, Level.BAD, "慢"),
    ],
)
async def test_a_clock_that_is_off_is_told_with_the_direction(
    settings: Settings, ahead: float, level: Level, word: str
) -> None:
    async with showing(formatdate(time.time() + ahead, usegmt=True)) as url:
        finding = await first_of(replace(settings, openapi_endpoint=url), CLOCK)
    assert finding.level is level and word in finding.text
    assert level is Level.GOOD or "NTP" in finding.text


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Foo 2026 99:99:99 GMT"])
async def test_a_host_that_does_not_tell_the_time_is_a_warning(settings: Settings, date: str | None) -> None:
    async with showing(date) as url:
        finding = await first_of(replace(settings, openapi_endpoint=url), CLOCK)
    assert finding.level is Level.WARNING


# -- the store and the quota -------------------------------------------------------------------


async def test_redis_without_a_journal_is_a_warning(settings: Settings, redis_server: RedisServer) -> None:
    settings = replace(settings, store=redis_server.url)
    assert (await found(settings, STORE)).level is Level.GOOD
    raw = redis.Redis.from_url(redis_server.url)
    await raw.config_set("appendonly", "no")
    await raw.aclose()
    finding = await found(settings, STORE)
    assert finding.level is Level.WARNING and "AOF" in finding.text and "appendonly yes" in finding.text


async def test_without_the_store_the_rest_is_still_looked_at(settings: Settings) -> None:
    port = closed_port()
    seen = await findings(replace(settings, store=f"redis://:hunter2@127.0.0.1:{port}/0"))
    assert [(f.name, f.level) for f in seen] == [
        ("设置", Level.GOOD),
        (CLOCK, Level.GOOD),
        (STORE, Level.BAD),
        (SENDS, Level.GOOD),
        (STREAM, Level.GOOD),
        (KNOWLEDGE, Level.GOOD),
        (MEANING, Level.GOOD),
        (TAPS, Level.GOOD),
    ]
    assert f"127.0.0.1:{port}" in seen[2].text and "hunter2" not in seen[2].text


async def test_a_store_file_that_cannot_be_opened_is_bad(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "odd.db").write_text("this is no database, whatever its name says. " * 100)
    for path in (tmp_path, tmp_path / "missing" / "x.db", tmp_path / "odd.db"):
        assert (await found(replace(settings, store=f"sqlite:///{path}"), STORE)).level is Level.BAD


async def test_questions_that_wait_for_long_ask_whether_the_bot_runs(settings: Settings) -> None:
    store = await open_store(settings.store)
    await store.accept(message(1, received_at=time.time() - 3600), "dead")
    await store.accept(message(2, received_at=time.time()), "dead")
    finding = await found(settings, STORE)
    assert finding.level is Level.WARNING and "2 条" in finding.text and "60 分钟" in finding.text
    await store.close()


async def test_questions_that_have_just_come_are_no_worry(settings: Settings) -> None:
    store = await open_store(settings.store)
    await store.accept(message(1, received_at=time.time()), "busy")
    finding = await found(settings, STORE)
    assert finding.level is Level.GOOD and "1 条" in finding.text
    await store.close()


@pytest.mark.parametrize(
    ("used", "level"), [(0, Level.GOOD), (2399, Level.GOOD), (2400, Level.WARNING), (9999, Level.WARNING)]
)
async def test_the_quota_is_shown_and_warned_of(settings: Settings, used: int, level: Level) -> None:
    store = await open_store(settings.store)
    await store.count({f"{datetime.now(settings.timezone):%Y-%m}|messages": used})
    finding = await found(settings, QUOTA)
    assert finding.level is level and f"{used}/3000" in finding.text and "0/5000" in finding.text
    assert ("资源管理" in finding.text) == (level is Level.WARNING)
    await store.close()


# -- the knowledge -----------------------------------------------------------------------------


async def test_broken_missing_and_empty_knowledge_is_told(settings: Settings, tmp_path: Path) -> None:
    (settings.knowledge / "faq" / "bad.yaml").write_text("- question: 甲\n  anwser: 乙\n", encoding="utf-8")
    finding = await found(settings, KNOWLEDGE)
    assert finding.level is Level.BAD and "faqbot check" in finding.text
    finding = await found(replace(settings, knowledge=tmp_path / "gone"), KNOWLEDGE)
    assert finding.level is Level.BAD and "FAQBOT_KNOWLEDGE" in finding.text
    (tmp_path / "empty" / "faq").mkdir(parents=True)
    finding = await found(replace(settings, knowledge=tmp_path / "empty"), KNOWLEDGE)
    assert finding.level is Level.WARNING and finding.text.startswith("0 条")


ROBOT_FILE = """
robots:
  all-hands: {token: $ROBOT_ALL_TOKEN, secret: $ROBOT_ALL_SECRET}
hooks:
  crm.*: {token: $CRM_HOOK_TOKEN}
automations:
  - id: customer
    when: {event: crm.customer.created}
    do: [{notify: {robot: all-hands, text: 新客户}}]
  - id: joined
    when: {event: hr.employee.joined}
    do: [{notify: {robot: all-hands, text: 欢迎}}]
"""
ROBOT, EVENTS = "群机器人 all-hands", "外部事件"
GOOD_KEYS = {"ROBOT_ALL_TOKEN": "0a" * 32, "ROBOT_ALL_SECRET": "SEC" + "0a" * 32, "CRM_HOOK_TOKEN": "x" * 32}


@pytest.mark.parametrize(
    ("environ", "name", "level", "word"),
    [
        ({}, ROBOT, Level.GOOD, "faqbot send all-hands 你好"),
        ({"ROBOT_ALL_TOKEN": "https://oapi.dingtalk.com/robot/send?access_token=" + "0a" * 32}, ROBOT, Level.GOOD, ""),
        ({"ROBOT_ALL_TOKEN": ""}, ROBOT, Level.BAD, "ROBOT_ALL_TOKEN"),
        ({"ROBOT_ALL_TOKEN": "abc"}, ROBOT, Level.WARNING, "access_token"),
        ({"ROBOT_ALL_SECRET": "abc"}, ROBOT, Level.WARNING, "加签"),
        ({}, EVENTS, Level.WARNING, "FAQBOT_HOOK_SECRET，事件 hr.employee.joined 进不来"),
        ({"CRM_HOOK_TOKEN": "short", "hook_secret": "s"}, EVENTS, Level.WARNING, "太短"),
        ({"CRM_HOOK_TOKEN": "", "hook_secret": "s"}, EVENTS, Level.WARNING, "CRM_HOOK_TOKEN"),
    ],
)
async def test_robots_and_hooks_are_looked_at_without_sending(
    ding: FakeDingTalk, settings: Settings, environ: dict[str, str], name: str, level: Level, word: str
) -> None:
    (settings.knowledge / "automations.yaml").write_text(ROBOT_FILE, encoding="utf-8")
    given = GOOD_KEYS | environ
    finding = await found(replace(settings, hook_secret=given.pop("hook_secret", ""), environ=given), name)
    assert finding.level is level and word in finding.text
    assert not ding.robots.calls and "0a0a" not in finding.text


# -- the command -------------------------------------------------------------------------------


async def test_the_command_prints_one_line_for_each_and_exits_zero(ding: FakeDingTalk, tmp_path: Path) -> None:
    done = await asyncio.to_thread(faqbot, tmp_path, "doctor", **credentials(ding))
    assert [line.split("：")[0] for line in done.stdout.splitlines()] == [f"✓ {name}" for name in ALL]
    assert done.returncode == 0 and done.stderr == ""


async def test_warnings_alone_exit_zero(ding: FakeDingTalk, tmp_path: Path) -> None:
    ding.faults.update({"api_fault": "busy", "api_fail_next": -1})
    done = await asyncio.to_thread(faqbot, tmp_path, "doctor", **credentials(ding))
    assert done.returncode == 0 and f"! {SENDS}：没能检查" in done.stdout


async def test_anything_bad_exits_one_and_shows_no_secret(ding: FakeDingTalk, tmp_path: Path) -> None:
    ding.faults.update({"api_fault": "permission", "api_fail_next": -1})
    secrets = {"FAQBOT_CONSOLE_PASSWORD": "hunter2-console", "FAQBOT_HOOK_SECRET": "hunter2-hook"}
    secrets["FAQBOT_STORE"] = f"redis://:hunter2-redis@127.0.0.1:{closed_port()}/0"
    done = await asyncio.to_thread(faqbot, tmp_path, "doctor", **credentials(ding, **secrets))
    assert done.returncode == 1 and f"✗ {SENDS}：应用缺少接口权限 qyapi_robot_sendmsg" in done.stdout
    assert "✗ 存储：" in done.stdout and "Traceback" not in done.stderr
    shown = done.stdout + done.stderr
    token = ding.tokens.issue()
    assert not any(secret in shown for secret in ("hunter2", ding.client_secret, token, "ticket="))


def test_wrong_settings_exit_two_and_are_all_listed(tmp_path: Path) -> None:
    done = faqbot(tmp_path, "doctor", FAQBOT_PORT="八千", DINGTALK_CLIENT_SECRET="hunter2-secret")
    assert done.returncode == 2 and done.stdout == ""
    assert "设置有问题" in done.stderr and "FAQBOT_PORT" in done.stderr and "缺少 DINGTALK_CLIENT_ID" in done.stderr
    assert "hunter2" not in done.stderr and "Traceback" not in done.stderr


# -- forget ------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "redis"])
async def either(request: pytest.FixtureRequest, ding: FakeDingTalk, settings: Settings) -> AsyncIterator[Running]:
    """A bot over either engine."""
    if request.param == "redis":
        settings = replace(settings, store=request.getfixturevalue("redis_server").url)
    async with running(settings) as app:
        assert await ding.until_connected()
        yield app


async def kept(app: Running, wanted: int) -> list[str]:
    """Who asked the questions on record, once there are so many."""
    async with asyncio.timeout(60):
        while len(records := await app.store.questions(0.0)) != wanted:
            await asyncio.sleep(0.01)
    return sorted(record.asker for record in records)


async def test_forget_deletes_one_persons_questions_and_list_while_the_bot_runs(
    ding: FakeDingTalk, either: Running, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    talk = Talk(ding)
    li, wang = ding.world.person("小李"), ding.world.person("小王")
    await talk("小李", "年假有几天")
    await talk("小王", "年假有几天")
    listed = await talk("小李", "休假")
    assert "\n1. " in listed
    await talk("小王", "休假")
    before = await kept(either, len(await kept(either, 2)))
    assert before == [li.id, wang.id]

    url = (
        request.getfixturevalue("redis_server").url
        if "redis" in request.node.name
        else f"sqlite:///{tmp_path}/faqbot.db"
    )
    done = await asyncio.to_thread(faqbot, tmp_path, "forget", f" {li.id} ", FAQBOT_STORE=url)
    assert done.returncode == 0 and f"已删除 {li.id} 的 1 条提问记录" in done.stdout and done.stderr == ""
    assert await kept(either, 1) == [wang.id]
    assert "没有可以选的列表" in await talk("小李", "1")
    assert "**" in await talk("小王", "1"), "the list of another person is still there"
    assert "5 天" in await talk("小李", "年假有几天", group=None)

    again = await asyncio.to_thread(faqbot, tmp_path, "forget", "nobody", FAQBOT_STORE=url)
    assert again.returncode == 0 and "0 条" in again.stdout


@pytest.mark.parametrize("arguments", [(), ("",), ("  ",)])
def test_forget_needs_somebody(tmp_path: Path, arguments: Sequence[str]) -> None:
    done = faqbot(tmp_path, "forget", *arguments)
    assert done.returncode == 2 and done.stderr and "Traceback" not in done.stderr


def test_forget_without_a_store_to_open_is_one_plain_line(tmp_path: Path) -> None:
    done = faqbot(tmp_path, "forget", "user-001", FAQBOT_STORE=f"redis://:hunter2@127.0.0.1:{closed_port()}/0")
    assert done.returncode == 2 and "连不上 Redis" in done.stderr and len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stderr
