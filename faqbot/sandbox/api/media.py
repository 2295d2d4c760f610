"""The fake media API: uploaded files by media id, for messages that refer to it."""

from __future__ import annotations

import mimetypes
import secrets
import time
from typing import Any

from aiohttp import web

from faqbot.sandbox.api.old_api import OldApi, OldApiRefusal, refusal

PATH = "/media/upload"
_KINDS = {"image", "voice", "video", "file"}
MAX_BYTES = 20 * 1024 * 1024


class Media:
    """`files` are name and content by media id."""

    def __init__(self, oapi: OldApi) -> None:
        self._oapi = oapi
        self.files: dict[str, tuple[str, bytes]] = {}

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PATH, self._upload), web.get("/sandbox/media/{id}", self._show)]

    async def _upload(self, request: web.Request) -> web.Response:
        try:
            self._oapi.check_call(request, "")
            answer = await self._store(request)
        except OldApiRefusal as exc:
            answer = refusal(exc)
        self._oapi.record(PATH, {}, int(answer["errcode"]))
        return web.json_response(answer)

    async def _show(self, request: web.Request) -> web.Response:
        """Serve a picture to the chat page; refuse other files."""
        name, content = self.files.get(request.match_info["id"], ("", b""))
        kind = mimetypes.guess_type(name)[0] or ""
        if not kind.startswith("image/") or kind == "image/svg+xml":
            raise web.HTTPNotFound()
        return web.Response(body=content, content_type=kind, headers={"X-Content-Type-Options": "nosniff"})

    async def _store(self, request: web.Request) -> dict[str, Any]:
        kind = request.query.get("type", "")
        if kind not in _KINDS:
            raise OldApiRefusal(40004, "不合法的媒体文件类型")
        async for part in await request.multipart():
            if getattr(part, "name", "") != "media":
                continue
            content = bytes(await part.read())  # type: ignore[union-attr]
            if not content or len(content) > MAX_BYTES:
                raise OldApiRefusal(40006, "不合法的文件大小")
            media_id = f"@l{secrets.token_urlsafe(12)}"
            self.files[media_id] = (getattr(part, "filename", "") or "", content)
            created = int(time.time() * 1000)
            return {"errcode": 0, "errmsg": "ok", "type": kind, "media_id": media_id, "created_at": created}
        raise OldApiRefusal(41005, "缺少多媒体文件数据")
