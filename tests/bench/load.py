"""How many questions a second get through, against a bare handler that only acknowledges and posts.

Both are separate processes behind the same stand-in gateway, measured one after the other in one run: so many people
ask, each the next question when the last is answered, and every webhook call takes 50 ms.

usage: python tests/bench/load.py [--questions 5000] [--people 200] [--rounds 2]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from faqbot.sandbox.server import FakeDingTalk

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "bench" / "data" / "zh_scale"
WEBHOOK_SECONDS = 0.05


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def cpu_seconds(pid: int) -> float:
    """User and system time of the process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def write_knowledge(folder: Path, size: int, distinct: int = 1000) -> list[str]:
    """A knowledge base of `size` entries from the question sets; the questions people ask of it."""
    kb = [json.loads(line) for line in (DATA / "kb.jsonl").read_text(encoding="utf-8").splitlines()]
    entries = [
        {"id": e["id"], "question": e["question"], "also": e.get("phrasings", []), "answer": "按制度办理。"}
        for e in kb[:size]
    ]
    (folder / "faq").mkdir(parents=True)
    (folder / "faq" / "all.yaml").write_text(yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8")
    asked = [json.loads(line)["q"] for line in (DATA / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    # Entries that are not in the base are questions too.
    asked += [e["question"] for e in kb[size:]]
    return list(dict.fromkeys(asked))[:distinct]


async def drive(ding: FakeDingTalk, questions: Iterator[str], total: int, people: int) -> tuple[float, list[float]]:
    """Ask `total` questions; seconds taken and the milliseconds of each acknowledgement."""
    cast = [ding.world.person(f"员工{n:03d}") for n in range(people)]
    homes = {ding.world.single(p).id: p for p in cast}
    first = len(ding.gateway.deliveries)
    began = time.perf_counter()
    asked = answered = 0
    with ding.world.listening() as events:
        for home, person in homes.items():
            await ding.gateway.push(ding.payload(person, next(questions), ding.world.conversations[home]))
            asked += 1
        while answered < total:
            event = await asyncio.wait_for(events.get(), 60)
            if event["type"] != "message" or not event["message"]["sender"]["bot"]:
                continue
            answered += 1
            if asked < total:
                home = event["message"]["conversation"]
                await ding.gateway.push(ding.payload(homes[home], next(questions), ding.world.conversations[home]))
                asked += 1
    return time.perf_counter() - began, [d.ack_ms for d in ding.gateway.deliveries[first:]]


async def measure(command: Sequence[str], environ: dict[str, str], questions: list[str], args: argparse.Namespace):
    """Rate per second, CPU ms a question, ack p99 in ms, MB after a tenth and at the end."""
    ding = FakeDingTalk()
    await ding.start()
    ding.faults.webhook_delay = WEBHOOK_SECONDS
    environ = os.environ | environ | {
        "DINGTALK_CLIENT_ID": ding.client_id,
        "DINGTALK_CLIENT_SECRET": ding.client_secret,
        "DINGTALK_OPENAPI_ENDPOINT": ding.url,
        "DINGTALK_OAPI_ENDPOINT": ding.url,
        "FAQBOT_PORT": "0",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(*command, env=environ, stderr=subprocess.DEVNULL)
    assert await ding.until_connected(30), "it did not connect"
    await asyncio.sleep(args.settle)
    endless = itertools.cycle(questions)
    await drive(ding, endless, max(args.people, args.questions // 10), args.people)
    early, cpu = resident_mb(process.pid), cpu_seconds(process.pid)
    seconds, acks = await drive(ding, endless, args.questions, args.people)
    late = resident_mb(process.pid)
    cpu = (cpu_seconds(process.pid) - cpu) * 1000 / args.questions
    process.terminate()
    await process.wait()
    await ding.close()
    return args.questions / seconds, cpu, statistics.quantiles(acks, n=100)[98], early, late


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--questions", type=int, default=5000)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--entries", type=int, default=1000)
    parser.add_argument("--distinct", type=int, default=1000, help="different questions; then they are asked again")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--settle", type=float, default=6.0, help="seconds for the knowledge to be calibrated")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"the question sets are not there: {DATA} (see tests/bench/README.md)")
    print(f"{'':14}{'per second':>11}{'cpu ms each':>13}{'ack p99 ms':>12}{'MB early':>10}{'MB late':>9}")
    rates: dict[str, list[float]] = {"bare": [], "faqbot": []}
    for _ in range(args.rounds):
        with tempfile.TemporaryDirectory() as folder:
            questions = write_knowledge(Path(folder) / "knowledge", args.entries, args.distinct)
            environ = {
                "FAQBOT_KNOWLEDGE": f"{folder}/knowledge",
                "FAQBOT_STORE": os.environ.get("FAQBOT_STORE") or f"sqlite:///{folder}/bench.db",
            }
            commands = {
                "bare": [sys.executable, str(Path(__file__).with_name("bare.py"))],
                "faqbot": [sys.executable, "-m", "faqbot", "run"],
            }
            for name, command in commands.items():
                rate, cpu, ack, early, late = await measure(command, environ, questions, args)
                rates[name].append(rate)
                print(f"{name:14}{rate:11.0f}{cpu:13.2f}{ack:12.1f}{early:10.0f}{late:9.0f}", flush=True)
    ratio = statistics.median(rates["faqbot"]) / statistics.median(rates["bare"])
    print(f"faqbot / bare: {ratio:.2f}")


if __name__ == "__main__":
    asyncio.run(main())
