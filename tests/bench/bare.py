"""The least a stream bot can do, as a yardstick: the SDK's connection and a pooled POST, no matching, no store."""

from __future__ import annotations

import asyncio
import os

import aiohttp
import dingtalk_stream
from dingtalk_stream import AckMessage


class Handler(dingtalk_stream.ChatbotHandler):
    """Acknowledges at once and posts a fixed text to the session webhook."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__()
        self._session = session
        self._tasks: set[asyncio.Task[None]] = set()

    async def process(self, callback: dingtalk_stream.CallbackMessage) -> tuple[int, str]:
        task = asyncio.create_task(self._reply(callback.data["sessionWebhook"]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return AckMessage.STATUS_OK, "OK"

    async def _reply(self, address: str) -> None:
        body = {"msgtype": "markdown", "markdown": {"title": "答", "text": "满 1 年不满 10 年的，5 天。"}}
        async with self._session.post(address, json=body) as response:
            await response.read()


async def main() -> None:
    # The SDK reads its endpoint from the environment when it is imported.
    credential = dingtalk_stream.Credential(os.environ["DINGTALK_CLIENT_ID"], os.environ["DINGTALK_CLIENT_SECRET"])
    client = dingtalk_stream.DingTalkStreamClient(credential)
    client.logger.disabled = True
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        client.register_callback_handler(dingtalk_stream.ChatbotMessage.TOPIC, Handler(session))
        await client.start()


if __name__ == "__main__":
    asyncio.run(main())
