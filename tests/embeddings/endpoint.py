"""A small real endpoint whose vectors are known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

# Each subject is a direction; a text points where its words point. No knowledge has the word qqqq.
SUBJECTS = tuple(map(str.split, ("年假 年休假 qqqq", "病假 生病", "工资 薪水", "无线网 wifi", "车", "法院", "涨薪")))


def vector(text: str) -> list[float]:
    found = [float(any(word in text for word in subject)) for subject in SUBJECTS]
    return [*found, 0.1 + len(text) % 5 / 100]


@dataclass
class Endpoint:
    """An OpenAI-compatible endpoint; `mode` makes it slow, broken or odd.

    It answers a request of more than `limit` texts with `refusal`, and the next `busy` requests with 429.
    """

    url: str = ""
    mode: str = "good"
    limit: int = 1000
    refusal: int = 400
    busy: int = 0
    asked: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    async def answer(self, request: web.Request) -> web.Response:
        texts = (await request.json())["input"]
        self.keys.add(request.headers.get("Authorization", ""))
        self.sizes.append(len(texts))
        if self.busy:
            self.busy -= 1
            return web.Response(status=429, headers={"Retry-After": "7"})
        if len(texts) > self.limit:
            return web.json_response({"error": {"message": "batch size is invalid"}}, status=self.refusal)
        self.asked += texts
        if self.mode == "slow":
            await asyncio.sleep(5)
        if self.mode == "down":
            return web.Response(status=503, text="busy")
        if self.mode == "html":
            return web.Response(text="<html>", content_type="text/html")
        rows: list[dict[str, Any]] = [{"index": n, "embedding": vector(t)} for n, t in enumerate(texts)]
        if self.mode == "short":
            rows = rows[1:]
        if self.mode == "zero":
            rows[0]["embedding"] = [0.0] * 8
        if self.mode == "ragged":
            rows[0]["embedding"] = [1.0]
        if self.mode == "another model":
            rows = [row | {"embedding": [1.0, 0.5]} for row in rows]
        return web.json_response({"data": rows[::-1]})


@asynccontextmanager
async def serving() -> AsyncIterator[Endpoint]:
    found = Endpoint()
    app = web.Application()
    app.router.add_post("/v1/embeddings", found.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield found
    await runner.cleanup()
