"""The fake custom group robots: security settings, rate limit, and received posts."""

from __future__ import annotations

import base64
import hmac
import ipaddress
import json
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from faqbot.sandbox.api.session_webhooks import check_body, transcript_content
from faqbot.sandbox.state.world import World

SEND_PATH = "/robot/send"
PER_MINUTE, BLOCK_SECONDS = 20, 600.0
_HOUR_MS = 3_600_000
# DingTalk does not document for how long it recognises a msgUuid.
_REMEMBERED_UUIDS = 1000
_HELP = "https://open.dingtalk.com/document/orgapp/customize-robot-security-settings"


@dataclass(slots=True)
class FakeGroupRobot:
    """A robot of one group. It checks the secret, the keywords and the networks that it has."""

    name: str
    conversation: str
    token: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    secret: str = field(default="", repr=False)
    keywords: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    disabled: bool = False
    blocked_until: float = 0.0
    sent_at: deque[float] = field(default_factory=deque)
    uuids: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED_UUIDS))


@dataclass(frozen=True, slots=True)
class RobotPost:
    """One call of a group robot; `robot` is empty for an unknown token. `at` is epoch seconds."""

    robot: str
    body: Any
    errcode: int
    errmsg: str
    at: float


class FakeGroupRobots:
    """Accepts posts to group robots. The next `lose_next` answers are lost after the message was accepted."""

    def __init__(self, world: World, clock: Callable[[], float] = time.time) -> None:
        self._world = world
        self._robots: dict[str, FakeGroupRobot] = {}
        self.clock = clock
        self.calls: list[RobotPost] = []
        self.lose_next = 0

    def routes(self) -> list[web.RouteDef]:
        return [web.post(SEND_PATH, self._send)]

    def add(self, name: str, group: str, **settings: Any) -> FakeGroupRobot:
        """Create a robot in the group titled `group`."""
        robot = FakeGroupRobot(name, self._world.group(group).id, **settings)
        self._robots[robot.token] = robot
        return robot

    @property
    def all(self) -> list[FakeGroupRobot]:
        return list(self._robots.values())

    async def _send(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        robot = self._robots.get(request.query.get("access_token", ""))
        code, text, body = self._accept(robot, request, raw)
        self.calls.append(RobotPost(robot.name if robot else "", body, code, text, self.clock()))
        self._world.wake()
        if self.lose_next and code == 0:
            self.lose_next -= 1
            if request.transport is not None:
                request.transport.abort()
        return web.json_response({"errcode": code, "errmsg": text})

    def _accept(self, robot: FakeGroupRobot | None, request: web.Request, raw: bytes) -> tuple[int, str, Any]:
        """Return errcode, errmsg and body of one call; add an accepted message to the robot's group."""
        if robot is None:
            return 300005, "token is not exist", None
        if robot.disabled:
            return 400102, "robot 已停用", None
        code, text, body = check_body(raw, request.content_type)
        if code:
            return code, text, body
        if (refusal := self._refusal(robot, request, body)) is not None:
            return 310000, refusal, body
        uuid = str(body.get("msgUuid") or "")
        if uuid and uuid in robot.uuids:
            return 0, "ok", body
        if self._too_fast(robot):
            return 130101, f"send too fast, exceed {PER_MINUTE} times per minute", body
        if uuid:
            robot.uuids.append(uuid)
        self._world.add(robot.conversation, robot.name, **transcript_content(body))
        return 0, "ok", body

    def _refusal(self, robot: FakeGroupRobot, request: web.Request, body: dict[str, Any]) -> str | None:
        """Return DingTalk's message if one of the three security settings refuses the call."""
        if robot.secret:
            timestamp, sign = request.query.get("timestamp", ""), request.query.get("sign", "")
            if not timestamp.isdecimal() or abs(int(timestamp) - self.clock() * 1000) > _HOUR_MS:
                return _errmsg("机器人发送签名过期", "签名生成时间和发送时间请保持在 timestampms 以内")
            digest = hmac.digest(robot.secret.encode(), f"{timestamp}\n{robot.secret}".encode(), "sha256")
            if not hmac.compare_digest(base64.b64encode(digest), sign.encode()):
                return _errmsg("机器人发送签名不匹配", "请确认签名和生成签名的时间戳必须都放在调用的网址中")
        if robot.keywords and not any(word in json.dumps(body, ensure_ascii=False) for word in robot.keywords):
            words = "、".join(robot.keywords)
            return _errmsg(
                "关键词不匹配", f"请联系群管理员查看此机器人的关键词（{words}），并在发送的信息中包含此关键词"
            )
        if robot.networks:
            address = ipaddress.ip_address(request.remote or "0.0.0.0")
            if not any(address in ipaddress.ip_network(network) for network in robot.networks):
                return _errmsg(f"ip {address} not in whitelist", "请联系群管理员将此IP添加到机器人的IP地址段")
        return None

    def _too_fast(self, robot: FakeGroupRobot) -> bool:
        """Return True and block the robot if this message exceeds its rate; else count it."""
        now = self.clock()
        if now < robot.blocked_until:
            return True
        while robot.sent_at and now - robot.sent_at[0] >= 60:
            robot.sent_at.popleft()
        if len(robot.sent_at) >= PER_MINUTE:
            robot.blocked_until = now + BLOCK_SECONDS
            return True
        robot.sent_at.append(now)
        return False


def _errmsg(description: str, solution: str) -> str:
    return f"description:{description};solution:{solution};link:请参考{_HELP}"
