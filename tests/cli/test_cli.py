"""The commands as a person runs them: output, exit codes, starting and stopping."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from faqbot.sandbox.server import FakeDingTalk
from tests.conftest import KNOWLEDGE, Talk

COMMAND = [sys.executable, "-m", "faqbot"]


def environment(**values: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FAQBOT_", "DINGTALK_")) and k != "PORT"}
    fixed = {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUTF8": "1", "FAQBOT_MEANING": "off"}
    return kept | fixed | values


def faqbot(folder: Path, *arguments: str, **values: str) -> subprocess.CompletedProcess[str]:
    values = {"FAQBOT_KNOWLEDGE": str(KNOWLEDGE)} | values
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=environment(**values), capture_output=True, text=True, timeout=60
    )


@contextmanager
def started(folder: Path, *arguments: str, **values: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, env=environment(**values), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_ask_prints_the_reply(tmp_path: Path) -> None:
    done = faqbot(tmp_path, "ask", "年假有几天")
    assert done.returncode == 0 and "**5 天**" in done.stdout and "—— 判断" not in done.stdout


def test_an_answer_that_the_terminal_cannot_write_is_printed_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "knowledge" / "faq").mkdir(parents=True)
    (tmp_path / "knowledge" / "faq" / "a.yaml").write_text("- 问: 年假\n  答: 五天 😀\n", encoding="utf-8")
    env = environment(FAQBOT_KNOWLEDGE="knowledge", PYTHONIOENCODING="gbk")
    done = subprocess.run([*COMMAND, "ask", "年假"], cwd=tmp_path, env=env, capture_output=True, timeout=60)
    assert done.returncode == 0 and "五天 ?" in done.stdout.decode("gbk")


def test_ask_explains_itself(tmp_path: Path) -> None:
    done = faqbot(tmp_path, "ask", "年假有几天", "--explain")
    assert (
        "直接回答" in done.stdout
        and "匹配的问法：年假有几天？" in done.stdout
        and "annual-leave-carry-over" in done.stdout
    )


def test_ask_as_json_keeps_to_the_contract(tmp_path: Path) -> None:
    found = json.loads(faqbot(tmp_path, "ask", "年假有几天", "--json").stdout)
    assert {"q", "expected", "decision", "candidates", "ms", "reply"} <= found.keys()
    assert found["decision"] == "answered" and "5 天" in found["reply"]
    best = found["candidates"][0]
    assert best["id"] == "annual-leave" and best["score"] == 1.0 and best["matched"] == "年假有几天？"


@pytest.mark.parametrize("text", ["你好", "帮助", "谢谢", "宇宙有多大"])
def test_greetings_commands_and_strangers_are_unanswered(tmp_path: Path, text: str) -> None:
    assert json.loads(faqbot(tmp_path, "ask", text, "--json").stdout)["decision"] == "unanswered"


def test_check_is_content_with_good_files(tmp_path: Path) -> None:
    done = faqbot(tmp_path, "check")
    assert done.returncode == 0 and done.stdout == ""


def test_check_lists_every_problem_with_file_line_and_correction(knowledge: Path, tmp_path: Path) -> None:
    (knowledge / "faq" / "bad.yaml").write_text(
        "- question: 甲\n  anwser: 乙\n- question: 丙\n  answer: 丁\n  related: [x]\n"
    )
    done = faqbot(tmp_path, "check", str(knowledge))
    assert done.returncode == 1
    assert f"{knowledge}/faq/bad.yaml:2: 错误：不认识的键“anwser”，是不是“answer”？" in done.stdout
    assert "改成：answer: 乙" in done.stdout
    found = json.loads(faqbot(tmp_path, "check", str(knowledge), "--format", "json").stdout)
    assert {"file", "line", "level", "message"} <= found[0].keys()
    assert (
        f"::error file={knowledge}/faq/bad.yaml,line=2::"
        in faqbot(tmp_path, "check", str(knowledge), "--format", "github").stdout
    )


def test_github_gets_each_problem_on_one_line_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "100%,甲:乙"
    (folder / "faq").mkdir(parents=True)
    (folder / "faq" / "a.yaml").write_text("- 问: 报 50%0A\n  答: 是\n  不是: 报 50%0A\n", encoding="utf-8")
    (line,) = faqbot(tmp_path, "check", str(folder), "--format", "github").stdout.splitlines()
    assert line.startswith(f"::warning file={tmp_path}/100%25%2C甲%3A乙/faq/a.yaml,line=1::“报 50%250A”")


def test_check_takes_one_file_or_the_folder_of_the_files(knowledge: Path, tmp_path: Path) -> None:
    faq = knowledge / "faq"
    (faq / "bad.yaml").write_text("- question: 甲\n  anwser: 乙\n")
    (faq / "wide.yaml").write_text("- question：丙怎么办\n  answer: 丁\n")
    one = faqbot(tmp_path, "check", str(faq / "wide.yaml"))
    assert one.returncode == 0 and "wide.yaml:1: 提醒" in one.stdout and "bad.yaml" not in one.stdout
    assert faqbot(tmp_path, "check", str(faq / "wide.yaml"), "--fix").returncode == 0
    assert "question: 丙" in (faq / "wide.yaml").read_text() and "anwser" in (faq / "bad.yaml").read_text()
    assert faqbot(tmp_path, "check", str(faq)).returncode == 1


def test_warnings_alone_leave_the_exit_code_at_zero(knowledge: Path, tmp_path: Path) -> None:
    (knowledge / "faq" / "odd.yaml").write_text("- question: 甲怎么办\n  answer: 丁\n  related: [x]\n")
    done = faqbot(tmp_path, "check", str(knowledge))
    assert done.returncode == 0 and "提醒：相关条目“x”不存在" in done.stdout


def test_a_missing_folder_is_exit_two(tmp_path: Path) -> None:
    for arguments in (("ask", "年假"), ("check",), ("check", "nowhere")):
        done = faqbot(tmp_path, *arguments, FAQBOT_KNOWLEDGE="gone")
        assert done.returncode == 2 and "找不到知识目录" in done.stderr


def test_run_lists_all_wrong_settings_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FAQBOT_PORT=八千\nDINGTALK_CLIENT_SECRET=very-secret\n", encoding="utf-8")
    done = faqbot(tmp_path, "run", FAQBOT_STRICTNESS="wild")
    assert done.returncode == 2
    assert all(word in done.stderr for word in ("FAQBOT_PORT", "八千", "FAQBOT_STRICTNESS", "缺少 DINGTALK_CLIENT_ID"))
    assert "very-secret" not in done.stderr and "Traceback" not in done.stderr


def test_unknown_words_are_exit_two(tmp_path: Path) -> None:
    assert faqbot(tmp_path, "fly").returncode == 2
    assert faqbot(tmp_path, "check", "--format", "xml").returncode == 2


def credentials(ding: FakeDingTalk, **values: str) -> dict[str, str]:
    return {
        "DINGTALK_CLIENT_ID": ding.client_id,
        "DINGTALK_CLIENT_SECRET": ding.client_secret,
        "DINGTALK_OPENAPI_ENDPOINT": ding.url,
        "DINGTALK_OAPI_ENDPOINT": ding.url,
        "FAQBOT_KNOWLEDGE": str(KNOWLEDGE),
        "FAQBOT_PORT": "0",
        "FAQBOT_LOG_LEVEL": "DEBUG",
    } | values


async def test_run_answers_and_stops_on_sigterm_with_the_reply_under_way_finished(
    ding: FakeDingTalk, tmp_path: Path
) -> None:
    with started(tmp_path, "run", **credentials(ding)) as process:
        assert await ding.until_connected(20)
        talk = Talk(ding)
        assert "5 天" in await talk("小李", "年假有几天")
        ding.faults.webhook_delay = 0.5
        person = ding.world.person("小李")
        (delivery,) = await ding.say(person, "病假怎么请", ding.world.single(person))
        await asyncio.wait_for(delivery.acked.wait(), 60)
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, 5)
        _, log = await asyncio.to_thread(process.communicate)
    assert code == 0 and len(ding.replies) == 2
    assert "session=" not in log.replace("session=***", "") and ding.client_secret not in log and "ticket=" not in log
    assert "Traceback" not in log


async def test_run_with_a_wrong_secret_says_so_in_one_line_and_exits_two(ding: FakeDingTalk, tmp_path: Path) -> None:
    done = await asyncio.to_thread(
        faqbot, tmp_path, "run", **credentials(ding, DINGTALK_CLIENT_SECRET="not-the-secret")
    )
    lines = [line for line in done.stderr.splitlines() if not re.match(r"\d{4}-\d\d-\d\dT", line)]
    assert done.returncode == 2 and len(lines) == 1 and "401" in lines[0]
    assert "not-the-secret" not in done.stderr


async def test_health_and_readiness_tell_the_truth(ding: FakeDingTalk, tmp_path: Path) -> None:
    with started(tmp_path, "run", **credentials(ding)) as process:
        assert await ding.until_connected(20)
        assert process.stderr is not None
        line = ""
        while "bot.started" not in line:
            line = await asyncio.to_thread(process.stderr.readline)
        found = re.search(r"console=(\S+)", line)
        assert found
        async with aiohttp.ClientSession(found.group(1)) as http:
            async with http.get("/healthz") as answer:
                assert answer.status == 200
            async with http.get("/readyz") as answer:
                assert answer.status == 200
            ding.faults.open_status = 503
            await ding.gateway.drop()
            assert await ding.world.until(lambda: len(ding.gateway.opens) > 1, 60)
            async with http.get("/readyz") as answer:
                assert answer.status == 503


def test_the_sandbox_takes_another_port_when_its_own_is_taken_and_ships_sample_knowledge(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with started(tmp_path, "sandbox", FAQBOT_PORT=str(port)) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline(), process.stdout.readline()]
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
    assert "已被占用" in lines[0] and re.search(r"http://127\.0\.0\.1:\d+", lines[1])
    assert str(port) not in lines[1]


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads in /proc")
def test_a_command_computes_in_one_thread(tmp_path: Path) -> None:
    """The threads of the matrix library wait for each other on a busy machine, and the answers with them."""
    code = (
        "from faqbot.cli.common import read_settings; read_settings(); import numpy, os; "
        "numpy.ones((500, 500)) @ numpy.ones((500, 500)); print(len(os.listdir('/proc/self/task')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "1\n", done.stderr
