"""The fake access tokens: one at a time, the same for both APIs."""

from __future__ import annotations

import secrets
import time

from aiohttp import web

from faqbot.sandbox.state.faults import Faults
from faqbot.sandbox.state.world import World


class Tokens:
    """Issues the present token. `asked` counts the calls for it, with refused ones; `issued` lists all tokens."""

    def __init__(self, client_id: str, client_secret: str, world: World, faults: Faults) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._world = world
        self._faults = faults
        self._token = ""
        self._until = 0.0
        self.asked = 0
        self.issued: list[str] = []

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1.0/oauth2/accessToken", self._new), web.get("/gettoken", self._old)]

    def issue(self) -> str:
        """Return the present token with a new expiry, or a new one if it has expired."""
        now = time.monotonic()
        if now >= self._until:
            self._token = secrets.token_hex(16)
            self.issued.append(self._token)
        self._until = now + self._faults.token_lifetime
        return self._token

    def is_valid(self, token: str) -> bool:
        return bool(token) and token == self._token and time.monotonic() < self._until

    def expire(self) -> None:
        """Let the present token expire now: it is refused, and the next one is another."""
        self._until = 0.0

    async def _new(self, request: web.Request) -> web.Response:
        self._count()
        try:
            body = await request.json()
            good = body["appKey"] == self._client_id and body["appSecret"] == self._client_secret
        except (ValueError, KeyError, TypeError):
            return web.json_response({"code": "Missingbody", "message": "body is mandatory"}, status=400)
        if not good:
            answer = {
                "code": "invalidClientIdOrSecret",
                "message": "无效的clientId或者clientSecret",
                "requestid": secrets.token_hex(8),
            }
            return web.json_response(answer, status=400)
        return web.json_response({"accessToken": self.issue(), "expireIn": int(self._faults.token_lifetime)})

    async def _old(self, request: web.Request) -> web.Response:
        self._count()
        credentials = (request.query.get("appkey"), request.query.get("appsecret"))
        if credentials != (self._client_id, self._client_secret):
            return web.json_response({"errcode": 40089, "errmsg": "不合法的corpId或corpSecret"})
        token, seconds = self.issue(), int(self._faults.token_lifetime)
        return web.json_response({"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": seconds})

    def _count(self) -> None:
        self.asked += 1
        self._world.wake()
