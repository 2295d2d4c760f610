"""`faqbot report`: what was asked, over real stores, as text, JSON and CSV, also while the bot runs."""

from __future__ import annotations

import asyncio
import codecs
import csv
import io
import json
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from typer.testing import CliRunner

from faqbot.analytics.report import Report, SinceError, make_report, read_since, reader_notes
from faqbot.analytics.stats import Stats, cluster_gaps
from faqbot.cli import cli
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.snapshot import Snapshot, build_snapshot
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.model.question_log import QuestionRecord
from faqbot.settings import Settings
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store
from tests.conftest import KNOWLEDGE, Talk
from tests.redis_server import RedisServer

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=ZONE)
HOUR, DAY = 3600.0, 86400.0
# Ago, who, text, outcome, entry, delivery.
WEEK = (
    (6 * DAY, "小李", "年假有几天", "answered", "annual-leave", "ok"),
    (5 * DAY, "小李", "公司有健身房吗", "unanswered", "", "ok"),
    (4 * DAY, "小王", "咱们公司有没有健身房呀", "unanswered", "", "ok"),
    (3 * DAY, "小张", "停车位怎么申请", "unanswered", "", "ok"),
    (2 * DAY, "小张", "请假", "offered", "annual-leave", "ok"),
    (2 * DAY - 60, "小张", "2", "picked", "sick-leave-apply", "ok"),
    (DAY, "小王", "年假有几天？", "answered", "annual-leave", "430101"),
    (HOUR, "小王", "老条目还在吗", "answered", "long-gone", "ok"),
)


def records(now: float) -> list[QuestionRecord]:
    return [
        QuestionRecord(f"m{n}", now - ago, "全员群", who, text, outcome, entry, 0.9, delivery)
        for n, (ago, who, text, outcome, entry, delivery) in enumerate(WEEK)
    ]


async def keep(store: Store, found: list[QuestionRecord]) -> None:
    for r in found:
        message = Message(r.message_id, "robot", r.conversation_id, True, MessageKind.TEXT, r.text, staff_id=r.asker)
        await store.accept(message, "worker")
        await store.finish(message, DeliveryResult(DeliveryState.ANSWERED, r.delivery), r, None)


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Both engines, empty; the SQLite file does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.db'}"
    server: RedisServer = request.getfixturevalue("redis_server")
    return server.url


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return build_snapshot(FolderSource(KNOWLEDGE).read_now(), label="knowledge", today=NOW.date())


def settings(url: str) -> Settings:
    return Settings(knowledge=KNOWLEDGE, store=url, quota_calls=100, quota_messages=50)


async def fill(url: str, found: list[QuestionRecord], counts: Mapping[str, int] | None = None) -> None:
    store = await open_store(url)
    await keep(store, found)
    await store.count(counts or {})
    await store.close()


def made(snapshot: Snapshot, *found: QuestionRecord) -> Report:
    """A report without a store."""
    stats = Stats(found, NOW - timedelta(days=7), NOW, {e.id: e for e in snapshot.entries})
    return Report(stats, tuple(cluster_gaps(stats.records, snapshot.index.fold)), {})


# -- the period ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("7d", NOW - timedelta(days=7)), ("24h", NOW - timedelta(hours=24)), ("4w", NOW - timedelta(weeks=4)),
        ("７Ｄ", NOW - timedelta(days=7)), (" 1h ", NOW - timedelta(hours=1)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=ZONE)), ("2026-11-22", datetime(2026, 11, 22, tzinfo=ZONE)),
    ],
)  # fmt: skip
def test_since_is_a_time_ago_or_a_date(text: str, since: datetime) -> None:
    assert read_since(text, NOW) == since


WRONG = [
    "",
    "7",
    "d",
    "0d",
    "7x",
    "-3d",
    "三天",
    "上周",
    "2026-13-01",
    "2026-11-31",
    "2026-11-23",
    "9999w",
    "0001-01-01",
    "\x1b[31m",
]


@pytest.mark.parametrize("text", WRONG)
def test_another_since_is_explained(text: str) -> None:
    with pytest.raises(SinceError, match=r"^--since .*：") as caught:
        read_since(text, NOW)
    assert "\x1b" not in str(caught.value)


# -- over the stores -----------------------------------------------------------------------------


async def test_records_come_back_from_the_store_as_statistics_need_them(store: Store) -> None:
    found = records(NOW.timestamp())
    await keep(store, found)
    read = await store.questions(NOW.timestamp() - 7 * DAY)
    assert Stats(read, NOW - timedelta(days=7), NOW, {}).records == tuple(found)


async def test_the_report_counts_what_is_in_the_store(url: str, snapshot: Snapshot) -> None:
    await fill(url, records(NOW.timestamp()), {"2026-11|messages": 12, "2026-11|calls": 3, "2026-10|calls": 99})
    found = (await make_report(settings(url), snapshot, NOW - timedelta(days=7), NOW)).as_json()
    shown = {name: found[name] for name in ("asked", "people", "answered", "picked", "offered", "missed", "failed")}
    assert shown == {"asked": 7, "people": 3, "answered": 2, "picked": 1, "offered": 0, "missed": 3, "failed": 1}
    assert found["quota"] == {
        "month": "2026-11", "calls": {"used": 3, "limit": 100}, "messages": {"used": 12, "limit": 50},
    }  # fmt: skip
    assert [(g["question"], g["people"], len(g["wordings"])) for g in found["gaps"]] == [
        ("公司有健身房吗", 2, 2), ("停车位怎么申请", 1, 1),
    ]  # fmt: skip


async def test_only_the_period_counts(url: str, snapshot: Snapshot) -> None:
    await fill(url, records(NOW.timestamp()))
    found = await make_report(settings(url), snapshot, NOW - timedelta(hours=36), NOW)
    assert [a.record.text for a in found.stats.asked] == ["年假有几天？", "老条目还在吗"]


async def test_an_empty_store_is_all_zeros_and_is_not_created(url: str, snapshot: Snapshot, tmp_path: Path) -> None:
    found = (await make_report(settings(url), snapshot, NOW - timedelta(days=7), NOW)).as_json()
    assert found["asked"] == found["disliked"] == found["quota"]["calls"]["used"] == 0 and found["gaps"] == []
    assert "records.db" not in os.listdir(tmp_path)


def test_a_store_that_does_not_exist_and_records_that_are_gone_are_told(tmp_path: Path) -> None:
    missing = settings(f"sqlite:///{tmp_path / 'none.db'}")
    assert "FAQBOT_STORE" in reader_notes(missing, NOW - timedelta(days=7), NOW)[0]
    (tmp_path / "none.db").touch()
    assert reader_notes(missing, NOW - timedelta(days=7), NOW) == []
    assert "FAQBOT_KEEP_DAYS" in reader_notes(missing, NOW - timedelta(days=181), NOW)[0]


# -- JSON and CSV --------------------------------------------------------------------------------

KEYS = {
    "since", "until", "asked", "people", "answered", "likely", "picked", "offered", "missed", "failed", "disliked",
    "gaps", "suggestions", "topics", "days", "entries", "unused", "failures", "quota",
}  # fmt: skip


def test_the_keys_of_the_json_are_the_documented_ones(snapshot: Snapshot) -> None:
    found = made(snapshot, *records(NOW.timestamp())).as_json()
    assert found.keys() == KEYS
    assert all(f"`{key}`" in (Report.as_json.__doc__ or "") for key in KEYS)
    assert found["since"] == "2026-11-15T10:00:00+08:00" and json.loads(json.dumps(found)) == found
    assert found["gaps"][0] == {
        "key": found["gaps"][0]["key"],
        "question": "公司有健身房吗",
        "people": 2,
        "times": 2,
        "first": "2026-11-17T10:00:00+08:00",
        "last": "2026-11-18T10:00:00+08:00",
        "nearest": None,
        "wordings": [
            {"text": "公司有健身房吗", "times": 1, "people": 1},
            {"text": "咱们公司有没有健身房呀", "times": 1, "people": 1},
        ],
    }
    assert found["failures"] == [{"reason": "430101", "times": 1}]
    assert {"id": "long-gone", "question": None, "times": 1} in found["entries"]
    assert len(found["days"]) == 8 and found["days"][0]["date"] == "2026-11-15"


def rows(report: Report) -> list[dict[str, str]]:
    raw = report.as_csv()
    assert raw.startswith(codecs.BOM_UTF8)
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def test_the_csv_has_one_row_for_each_record_and_names_nobody(snapshot: Snapshot) -> None:
    found = rows(made(snapshot, *records(NOW.timestamp())))
    assert len(found) == len(WEEK) and [row["提问人"] for row in found[:4]] == ["1", "1", "2", "3"]
    assert not any("小" in cell for row in found for cell in row.values())
    assert found[5] | {"分数": ""} == {
        "时间": "2026-11-20 10:01:00", "结果": "从列表选中", "提问": "2", "条目": "sick-leave-apply",
        "条目的问题": "病假怎么请？", "主题": "休假", "分数": "", "送达": "", "评价": "",
        "提问人": "3", "会话": "全员群",
    }  # fmt: skip
    assert found[6]["送达"] == "钉钉没有接收（430101）"


def test_the_csv_says_which_likely_answer_was_refused(snapshot: Snapshot) -> None:
    kept = replace(records(NOW.timestamp())[0], outcome="likely", rating="")
    refused = replace(kept, message_id="m-refused", asker="小王")
    refusal = replace(refused, message_id="m-no", text="不是", outcome="likely_refused", picked_for="m-refused")
    report = made(snapshot, kept, refused, refusal)
    assert [row["结果"] for row in rows(report)] == ["可能的答案", "可能的答案，对方说不是"]
    counts = report.as_json()
    assert (counts["asked"], counts["likely"], counts["missed"]) == (2, 1, 1)


FORMULAS = ["=1+1", "+86", "-1", "@SUM(A1)", "＝1+1", " =cmd|' /C calc'!A0", "\t=1", "\n=1", "\x00=1", "\u200b=1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_taken_for_a_formula(snapshot: Snapshot, text: str) -> None:
    record = QuestionRecord("m", NOW.timestamp() - HOUR, text, "小李", text, "unanswered", text, 0.0, text)
    for cell in rows(made(snapshot, record))[0].values():
        assert not cell.lstrip().startswith(tuple("=+-@＝＋－＠"))


def test_commas_quotes_and_line_breaks_stay_in_their_cell(snapshot: Snapshot) -> None:
    text = '年假，"几天"\n, 怎么请;\r\nx'
    (row,) = rows(made(snapshot, replace(records(NOW.timestamp())[0], text=text)))
    assert row["提问"] == '年假，"几天" , 怎么请; x'


# -- the text ------------------------------------------------------------------------------------


def printed(report: Report, *, terminal: bool) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None)
    report.show(console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("terminal", [True, False])
def test_the_text_says_what_was_missed_and_by_how_many_people(snapshot: Snapshot, terminal: bool) -> None:
    found = printed(made(snapshot, *records(NOW.timestamp())), terminal=terminal)
    for words in (
        "7（3 人）",
        "没有答上来的问题（2 组）",
        "公司有健身房吗（还有 1 种问法）",
        "（已删除）",
        "430101",
        "休假",
    ):
        assert words in found
    assert ("│" in found) == terminal


def test_in_a_pipe_the_lines_are_plain_with_tabs(snapshot: Snapshot) -> None:
    lines = printed(made(snapshot, *records(NOW.timestamp())), terminal=False).splitlines()
    assert "2\t2\t11-18\t公司有健身房吗（还有 1 种问法）" in lines


@pytest.mark.parametrize("terminal", [True, False])
def test_what_people_wrote_steers_neither_the_terminal_nor_the_table(snapshot: Snapshot, terminal: bool) -> None:
    text = "\x1b[31m[red]健身房\x07\u202e\n" + "很长" * 100
    found = printed(made(snapshot, replace(records(NOW.timestamp())[1], text=text)), terminal=terminal)
    assert "[red]健身房" in found and not {"\x1b", "\x07", "\u202e"} & set(found) and "很长" * 40 not in found


# -- the command ---------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without settings from outside."""
    for name in os.environ:
        if name.startswith(("FAQBOT_", "DINGTALK_")) or name == "PORT":
            monkeypatch.delenv(name)
    monkeypatch.setenv("FAQBOT_KNOWLEDGE", str(KNOWLEDGE))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["report", *arguments], catch_exceptions=False)


def test_without_a_store_it_says_so_and_creates_none(folder: Path) -> None:
    done = run()
    assert done.exit_code == 0 and "没有提问记录" in done.output and "FAQBOT_STORE" in done.output
    assert list(folder.iterdir()) == []


def test_the_command_shows_text_json_and_csv(folder: Path) -> None:
    asyncio.run(fill("sqlite:///faqbot.db", records(time.time())))
    assert "公司有健身房吗" in run().stdout
    assert json.loads(run("--json").stdout)["asked"] == 7
    assert json.loads(run("--since", "36h", "--json").stdout)["asked"] == 2
    assert run("--csv").stdout_bytes.startswith(codecs.BOM_UTF8 + "时间,".encode())


@pytest.mark.parametrize("arguments", [("--since", "上周"), ("--since", "9999-01-01"), ("--json", "--csv")])
def test_wrong_usage_is_exit_two_with_a_sentence(folder: Path, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.exit_code == 2 and done.output.startswith("--") and "Traceback" not in done.output


def test_a_store_that_cannot_be_opened_is_exit_two(folder: Path) -> None:
    (folder / "faqbot.db").write_text(
        "这不是数据库，这不是数据库，这不是数据库，这不是数据库，这不是数据库，这不是数据库"
    )
    done = run()
    assert done.exit_code == 2 and "打不开存储文件" in done.output


async def test_it_works_while_the_bot_runs_and_sees_what_was_just_asked(
    talk: Talk, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk("小李", "年假有几天")
    await talk("小王", "宇宙有多大")
    monkeypatch.setenv("FAQBOT_STORE", settings.store)
    found: dict[str, Any] = {}
    for _ in range(50):
        found = json.loads((await asyncio.to_thread(run, "--json")).stdout)
        if found["asked"] == 2:
            break
        await asyncio.sleep(0.1)
    assert (found["answered"], found["missed"]) == (1, 1) and found["gaps"][0]["question"] == "宇宙有多大"
    assert "5 天" in await talk("小李", "年假有几天")


def test_a_period_of_a_month_has_every_day(snapshot: Snapshot) -> None:
    stats = Stats((), NOW - timedelta(days=30), NOW, {})
    days = [day["date"] for day in Report(stats, (), {}).as_json()["days"]]
    assert len(days) == 31 and days[-1] == date(2026, 11, 22).isoformat()
