"""Serve the image files beside the knowledge to signed-in people."""

from __future__ import annotations

import asyncio

from aiohttp import web

from faqbot.console.web.context import context_of
from faqbot.knowledge.files.picture_folder import PictureFolder
from faqbot.markup.picture_links import TYPES, suffix_of


def add_routes(app: web.Application) -> None:
    app.router.add_get("/pictures/{name:.+}", _picture)


async def _picture(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    path = await asyncio.to_thread(PictureFolder(context_of(request).settings.knowledge).find, name)
    if path is None:
        raise web.HTTPNotFound()
    try:
        content = await asyncio.to_thread(path.read_bytes)
    except OSError as exc:
        raise web.HTTPNotFound() from exc
    return web.Response(body=content, content_type=TYPES[suffix_of(name)])
