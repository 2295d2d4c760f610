"""What the pages of the console work with, handed over by app.py; a handler finds it by `office(request)`."""

from __future__ import annotations

from aiohttp import web

from faqbot.knowledge.editing.workspace import Workspace

OFFICE: web.AppKey[Workspace] = web.AppKey("office", Workspace)


def office(request: web.Request) -> Workspace:
    return request.app[OFFICE]
