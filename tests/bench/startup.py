"""How long the bot takes from start to connected, and how much memory it holds then.

usage: python tests/bench/startup.py [RUNS]
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from faqbot.sandbox.server import FakeDingTalk

ROOT = Path(__file__).resolve().parents[2]


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


async def measure() -> tuple[float, float, float]:
    """Seconds to connected, MB then, MB after one answered question."""
    ding = FakeDingTalk()
    await ding.start()
    with tempfile.TemporaryDirectory() as folder:
        environ = os.environ | {
            "DINGTALK_CLIENT_ID": ding.client_id,
            "DINGTALK_CLIENT_SECRET": ding.client_secret,
            "DINGTALK_OPENAPI_ENDPOINT": ding.url,
            "DINGTALK_OAPI_ENDPOINT": ding.url,
            "FAQBOT_KNOWLEDGE": str(ROOT / "knowledge"),
            "FAQBOT_STORE": f"sqlite:///{folder}/bench.db",
            "FAQBOT_PORT": "0",
        }
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "faqbot", "run", env=environ, stderr=subprocess.DEVNULL
        )
        await ding.until_connected(30)
        seconds = time.perf_counter() - began
        before = resident_mb(process.pid)
        person = ding.world.person("小李")
        await ding.say(person, "年假几天", ding.world.single(person))
        await ding.world.until(lambda: bool(ding.replies), 10)
        after = resident_mb(process.pid)
        process.terminate()
        await process.wait()
    await ding.close()
    return seconds, before, after


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    rows = [asyncio.run(measure()) for _ in range(runs)]
    print(f"{'':28}{'median':>9}{'worst':>9}")
    for name, values in zip(
        ("start to connected, s", "resident then, MB", "after one answer, MB"), zip(*rows, strict=True), strict=True
    ):
        print(f"{name:28}{statistics.median(values):9.2f}{max(values):9.2f}")


if __name__ == "__main__":
    main()
