"""The real bot as a process that can be killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from faqbot.sandbox.server import FakeDingTalk

ROOT = Path(__file__).parents[2]


class BotProcess:
    """`faqbot run` against the stand-in; its log goes to a file."""

    def __init__(self, ding: FakeDingTalk, knowledge: Path, store: str, log: Path, **environ: str) -> None:
        self._environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DINGTALK_CLIENT_ID": ding.client_id,
            "DINGTALK_CLIENT_SECRET": ding.client_secret,
            "DINGTALK_OPENAPI_ENDPOINT": ding.url,
            "DINGTALK_OAPI_ENDPOINT": ding.url,
            "FAQBOT_KNOWLEDGE": str(knowledge),
            "FAQBOT_STORE": store,
            "FAQBOT_PORT": "0",
            "FAQBOT_MEANING": "off",
        } | environ
        self._ding = ding
        self.log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *, connections: int = 1) -> None:
        """Start and wait until so many connections are open at the stand-in."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "faqbot", "run", env=self._environ, stderr=log, stdout=log, cwd=self.log.parent
            )
        if not await self._ding.world.until(lambda: len(self._ding.gateway.opens) >= connections, 60):
            raise AssertionError(f"the bot did not start:\n{self.log.read_text(encoding='utf-8')}")
        assert await self._ding.until_connected()

    async def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()
        self._process = None

    async def stop(self) -> int:
        """SIGTERM, as a service manager does; the exit code."""
        if self._process is None:
            return 0
        self._process.terminate()
        return await asyncio.wait_for(self._process.wait(), 60)
