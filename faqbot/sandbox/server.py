"""The fake DingTalk as one HTTP server: its APIs and the chat page. Tests also drive it from Python."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from faqbot.sandbox.api.attendance import Attendance
from faqbot.sandbox.api.contacts import Contacts
from faqbot.sandbox.api.gateway import FrameDelivery, Gateway
from faqbot.sandbox.api.group_robots import FakeGroupRobots
from faqbot.sandbox.api.media import MAX_BYTES, Media
from faqbot.sandbox.api.old_api import OldApi
from faqbot.sandbox.api.robot import RobotApi
from faqbot.sandbox.api.session_webhooks import WebhookReplies
from faqbot.sandbox.api.tokens import Tokens
from faqbot.sandbox.state.clock import Jump
from faqbot.sandbox.state.faults import Faults, QuoteShape
from faqbot.sandbox.state.world import ChatMessage, Conversation, Person, World

_BOT_ID = "$:LWCP_v1:$sandboxbot"
_PAGE = Path(__file__).with_name("chat.html")
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class FakeDingTalk:
    """`await start()`, point the bot's endpoints at `url`, then `say` things.

    `replies` are the bot's messages. `faults` make calls fail. `gateway`, `webhooks`, `robot` (sends without a
    question), `robots` (custom group robots), `oapi` (the old API) and `tokens` record the calls. `contacts` are the
    company's people.
    """

    def __init__(
        self,
        *,
        client_id: str = "sandbox",
        client_secret: str = "sandbox-secret",
        bot_name: str = "小助手",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.faults = Faults()
        self.world = World(bot_name, clock)
        self.gateway = Gateway(client_id, client_secret, self.faults, self._connection_changed)
        self.webhooks = WebhookReplies(self.world, self.faults, clock)
        self.tokens = Tokens(client_id, client_secret, self.world, self.faults)
        self.robot = RobotApi(client_id, self.world, self.faults, self.tokens)
        self.robots = FakeGroupRobots(self.world, clock)
        self.oapi = OldApi(self.world, self.faults, self.tokens)
        self.contacts = Contacts(self.world, self.oapi)
        self.attendance = Attendance(self.contacts, self.oapi, clock)
        self.media = Media(self.oapi)
        self.url = ""
        self._clock = clock
        self.examples: Sequence[str] = ()
        self.links: list[dict[str, str]] = []
        # Buttons that move the clock, and the time in words. Without buttons the page shows no clock.
        self.jumps: Sequence[Jump] = ()
        self.shown_time: Callable[[], str] = lambda: ""
        self._runner: web.AppRunner | None = None
        self._shown_connected = False

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 chooses a free one. Raises OSError if the port is in use."""
        app = web.Application(client_max_size=MAX_BYTES)
        apis = (self.gateway, self.webhooks, self.robot, self.robots, self.tokens)
        for part in (*apis, self.contacts, self.attendance, self.media):
            app.add_routes(part.routes())
        app.add_routes(self._page_routes())
        # The page's event streams never end, so closing must not wait for them.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError:
            await self._runner.cleanup()
            raise
        bound_port = self._runner.addresses[0][1]
        reachable_host = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        address = f"[{reachable_host}]:{bound_port}" if ":" in reachable_host else f"{reachable_host}:{bound_port}"
        self.url = self.webhooks.base_url = f"http://{address}"
        self.gateway.websocket_url = f"ws://{address}/connect"

    async def close(self) -> None:
        await self.gateway.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def replies(self) -> list[ChatMessage]:
        return [m for m in self.world.messages if m.from_bot]

    async def until_connected(self, seconds: float = 60.0) -> bool:
        return await self.world.until(lambda: self.gateway.connected, seconds)

    async def say(
        self,
        person: Person,
        text: str,
        conversation: Conversation,
        *,
        quote: ChatMessage | None = None,
        quote_shape: QuoteShape | None = None,
        odd: Mapping[str, Any] | None = None,
    ) -> list[FrameDelivery]:
        """Let a person write. As with DingTalk, the bot gets a message in a group only if it is @ed, without the @.

        `quote_shape` is that of the switch unless given. `odd` replaces fields of the payload, or removes those whose
        value is None.
        """
        heard = not conversation.is_group or self._at_bot(text) is not None
        shown_quote = {"sender": quote.sender["name"], "text": quote.title or quote.text} if quote else None
        self.world.add(conversation.id, person, kind="text", text=text, heard=heard, quote=shown_quote)
        if not heard:
            return []
        data = self.payload(person, text, conversation, quote=quote, quote_shape=quote_shape) | dict(odd or {})
        return await self.gateway.push({k: v for k, v in data.items() if v is not None})

    def payload(
        self,
        person: Person,
        text: str,
        conversation: Conversation,
        *,
        quote: ChatMessage | None = None,
        quote_shape: QuoteShape | None = None,
    ) -> dict[str, Any]:
        """Return the callback data of a text message, with the fields of real payloads."""
        if conversation.is_group and (mention := self._at_bot(text)):
            text = text[: mention.start()] + text[mention.end() :]
        webhook, until = self.webhooks.new_webhook(conversation.id)
        content: dict[str, Any] = {"content": text}
        if quote:
            content |= {"isReplyMsg": True} | self._replied(quote, quote_shape or self.faults.quote_shape)
        data: dict[str, Any] = {
            "msgId": f"msg{secrets.token_hex(12)}==",
            "msgtype": "text",
            "text": content,
            "conversationType": "2" if conversation.is_group else "1",
            "conversationId": conversation.id,
            "createAt": int(self._clock() * 1000),
            "senderId": person.encrypted_id,
            "senderNick": person.name,
            "senderCorpId": "dingsandboxcorp",
            "isAdmin": False,
            "chatbotCorpId": "dingsandboxcorp",
            "chatbotUserId": _BOT_ID,
            "robotCode": self.client_id,
            "senderPlatform": "Mac",
            "sessionWebhook": webhook,
            "sessionWebhookExpiredTime": until,
        }
        if not person.external:
            data["senderStaffId"] = person.id
        if conversation.is_group:
            data |= {
                "conversationTitle": conversation.title,
                "isInAtList": True,
                "atUsers": [{"dingtalkId": _BOT_ID}],
            }
        return data

    def _replied(self, quote: ChatMessage, shape: QuoteShape) -> dict[str, Any]:
        """Return what DingTalk tells of a quoted message, in one of the shapes seen."""
        if shape == "nothing":
            return {}
        quoted: Any = {} if shape == "no_text" else {"text": quote.text}
        replied = {
            "msgType": "interactiveCard" if shape == "no_text" else quote.kind,
            "msgId": quote.id,
            "senderId": self._encrypted_id(quote),
            "createdAt": quote.time,
            "content": json.dumps(quoted, ensure_ascii=False) if shape == "string" else quoted,
        }
        return {"repliedMsg": replied}

    def _encrypted_id(self, message: ChatMessage) -> str:
        """Return the id under which DingTalk names the sender of a message."""
        person = self.world.people.get(message.sender["id"])
        return person.encrypted_id if person else _BOT_ID

    def _at_bot(self, text: str) -> re.Match[str] | None:
        return re.search(rf"[@＠]{re.escape(self.world.bot_name)}", text)

    def _connection_changed(self) -> None:
        """Tell the page only if the status it shows has changed: every acknowledgement calls this too."""
        if self.gateway.connected == self._shown_connected:
            self.world.wake()
        else:
            self._shown_connected = self.gateway.connected
            self.world.publish({"type": "status", "connected": self._shown_connected})

    # -- the chat page -----------------------------------------------------------------------

    def _page_routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._page),
            web.get("/sandbox/state", self._state),
            web.get("/sandbox/events", self._events),
            web.post("/sandbox/say", self._say),
            web.post("/sandbox/switches", self._switches),
            web.post("/sandbox/act", self._act),
        ]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(_PAGE, headers=_HEADERS)

    async def _state(self, request: web.Request) -> web.Response:
        people = [{"id": p.id, "name": p.name, "external": p.external} for p in self.world.people.values()]
        conversations = [
            {"id": c.id, "title": c.title, "kind": c.kind, "person": c.person}
            for c in self.world.conversations.values()
        ]
        state = {
            "bot": {"name": self.world.bot_name},
            "people": people,
            "conversations": conversations,
            "messages": [m.as_json() for m in self.world.messages],
            "switches": self.faults.as_json(),
            "connected": self.gateway.connected,
            "examples": list(self.examples),
            "links": self.links,
            "clock": self._clock_state(),
        }
        return web.json_response(state, headers=_HEADERS)

    def _clock_state(self) -> dict[str, Any]:
        return {"now": self.shown_time(), "jumps": [jump.label for jump in self.jumps]}

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={**_HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        after = int(seq) if (seq := request.query.get("after", "0")).isdigit() else 0
        # Writing to a page that was closed raises ConnectionResetError.
        with self.world.listening() as events, contextlib.suppress(ConnectionResetError):
            missed = [m for m in self.world.messages if m.seq > after]
            await _write(response, {"type": "status", "connected": self.gateway.connected})
            for message in missed:
                await _write(response, {"type": "message", "message": message.as_json()})
            while True:
                await _write(response, await events.get())
        return response

    async def _say(self, request: web.Request) -> web.Response:
        body = await _json(request)
        person = self.world.people.get(str(body.get("person")))
        conversation = self.world.conversations.get(str(body.get("conversation")))
        text = body.get("text")
        if person is None or conversation is None or not isinstance(text, str) or not text.strip():
            return _refuse("请选择说话的人并输入内容")
        if len(text) > 5000:
            return _refuse("一条消息最多 5000 字")
        heard = not conversation.is_group or self._at_bot(text) is not None
        deliveries = await self.say(person, text, conversation, quote=self.world.find(body.get("quote")))
        if heard and not deliveries:
            return _refuse("机器人没有连接，这条消息丢了（真实的钉钉也是这样）", status=409)
        return web.json_response({"ok": True, "heard": heard})

    async def _switches(self, request: web.Request) -> web.Response:
        try:
            self.faults.update(await _json(request))
        except ValueError as exc:
            return _refuse(str(exc))
        self.world.publish({"type": "switches", "switches": self.faults.as_json()})
        return web.json_response({"ok": True})

    async def _act(self, request: web.Request) -> web.Response:
        body = await _json(request)
        match body.get("action"):
            case "jump":
                return await self._jump(body.get("number"))
            case "disconnect":
                await self.gateway.disconnect()
            case "drop":
                await self.gateway.drop()
            case "garbage":
                await self.gateway.send_raw("{这不是 JSON")
            case _:
                return _refuse("不认识的操作")
        return web.json_response({"ok": True})

    async def _jump(self, number: Any) -> web.Response:
        if not isinstance(number, int) or not 0 <= number < len(self.jumps):
            return _refuse("没有这个按钮")
        result = await self.jumps[number].go()
        self.world.publish({"type": "clock", "clock": self._clock_state()})
        return web.json_response({"ok": True, "said": result})


async def _json(request: web.Request) -> dict[str, Any]:
    """Read the JSON body. Requiring its content type keeps other web pages from posting here."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        body = await request.json()
    except ValueError:
        raise web.HTTPBadRequest from None
    return body if isinstance(body, dict) else {}


def _refuse(reason: str, status: int = 400) -> web.Response:
    return web.json_response({"error": reason}, status=status)


async def _write(response: web.StreamResponse, event: dict[str, Any]) -> None:
    await response.write(f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode())
    await asyncio.sleep(0)
