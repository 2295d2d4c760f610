"""Report of one period, read from the store, as text, JSON or CSV; analytics/stats.py counts."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from faqbot.analytics.charts import LABELS
from faqbot.analytics.stats import Cluster, QuestionGroup, QuestionOutcome, Stats, cluster_gaps
from faqbot.analytics.suggested_wordings import Suggestion, suggestions
from faqbot.dialogue.choices import OPTIONS_SECONDS
from faqbot.dialogue.ratings import NAMES_BY_VALUE
from faqbot.dingtalk.api.quota import CALLS, MESSAGES, Quota, Usage
from faqbot.errors import FaqbotError
from faqbot.knowledge.snapshot import Snapshot
from faqbot.model.question_log import DELIVERED, RATED, QuestionRecord
from faqbot.runtime.metrics import Metrics
from faqbot.settings import Settings
from faqbot.store.opening import open_store

_AGO = re.compile(r"(\d{1,4})([hdw])", re.IGNORECASE)
_HOURS = {"h": 1, "d": 24, "w": 7 * 24}
_MAX_PERIOD = timedelta(days=3650)
# Limits of the text output; JSON has all.
_SHOWN_GAPS, _SHOWN_ENTRIES, _SHOWN_CHARACTERS = 20, 10, 60
_QUOTA_NAMES = {CALLS: "接口调用", MESSAGES: "Webhook 与 Stream 消息"}
_OUTCOMES = {
    "answered": "直接回答",
    "likely": "可能的答案",
    "likely_refused": "可能的答案，对方说不是",
    "picked": "从列表选中",
    "offered": "列出候选",
    "unanswered": "没有找到",
    "none_of_these": "都不是",
    "asked_back": "反问",
    "asked_again": "没看懂回复，再问一次",
    "broken": "出错",
    RATED: "评价同事得到的回答",
}
_REASONS = {
    "late": "答得太晚，已请对方再问一次",
    "too_old": "过了一天，没有再回",
    "broken": "机器人出错，已告诉对方",
    "timeout": "钉钉没有回应，不知道是否送达",
    "reset": "连接中断，不知道是否送达",
    "external": "私密的问题，提问人不在通讯录里，没法私聊",
}
_CSV_COLUMNS = ("时间", "结果", "提问", "条目", "条目的问题", "主题", "分数", "送达", "评价", "提问人", "会话")
# First characters that make a spreadsheet read a cell as a formula.
_FORMULA = tuple("=+-@＝＋－＠")


class SinceError(FaqbotError):
    """The beginning of the period cannot be read."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the command shows; `usage` is the quota used in the current month."""

    stats: Stats
    gaps: tuple[Cluster, ...]
    usage: Mapping[str, Usage]
    suggestions: tuple[Suggestion, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain values. No key is removed; new ones may be added.

        - `since`, `until`: the period, ISO 8601 with its zone
        - `asked`, `people`: questions and different people
        - `answered`, `likely`, `picked`, `offered`, `missed`, `failed`: questions by their outcome, together `asked`
        - `disliked`: rated as no help
        - `gaps`: questions without an answer, similar ones together: `key`, `question`, `people`, `times`, `first`,
          `last`, `nearest` (an entry id or null) and `wordings` (`text`, `times`, `people`)
        - `suggestions`: questions for which several people meant the same entry, and which could become a wording:
          `question`, `entry` (its id), `people`
        - `topics`, `days`: `topic` or `date`, with `asked` and the six counts
        - `entries`: `id`, `question` (null if removed), `times`, the most first; `unused`: ids that answered nothing
        - `failures`: `delivery_reason` (DingTalk's code or a word), `times`
        - `quota`: `month`, and for `calls` and `messages` `used` and `limit`
        """
        stats = self.stats
        entries = stats.entries
        return {
            "since": stats.since.isoformat(timespec="seconds"),
            "until": stats.until.isoformat(timespec="seconds"),
            **_counts(QuestionGroup("", stats.asked)),
            "people": stats.people,
            "disliked": len(stats.disliked),
            "gaps": [_gap(cluster, stats) for cluster in self.gaps],
            "suggestions": [{"question": s.text, "entry": s.entry.id, "people": s.people} for s in self.suggestions],
            "topics": [{"topic": group.name, **_counts(group)} for group in stats.by_topic()],
            "days": [{"date": group.name, **_counts(group)} for group in stats.by_day()],
            "entries": [
                {
                    "id": g.name,
                    "question": entries[g.name].question if g.name in entries else None,
                    "times": len(g.asked),
                }
                for g in stats.by_entry()
            ],
            "unused": [entry.id for entry in stats.never()],
            "failures": [{"reason": group.name, "times": len(group.asked)} for group in stats.failures()],
            "quota": {
                "month": f"{stats.until:%Y-%m}",
                **{kind: {"used": usage.used, "limit": usage.limit} for kind, usage in self.usage.items()},
            },
        }

    def as_csv(self) -> bytes:
        """Return one row for each record, as spreadsheets open it: UTF-8 with BOM, nothing taken for a formula.

        People are numbered, not named.
        """
        stats = self.stats
        people: dict[str, int] = {}
        refused = {a.record.message_id for a in stats.asked if a.refused}
        buffer = io.StringIO()
        table = csv.writer(buffer)
        table.writerow(_CSV_COLUMNS)
        for r in stats.records:
            entry = stats.entries.get(r.entry_id)
            at = datetime.fromtimestamp(r.asked_at, stats.since.tzinfo)
            row = (
                f"{at:%Y-%m-%d %H:%M:%S}",
                _OUTCOMES["likely_refused"] if r.message_id in refused else _OUTCOMES.get(r.outcome, r.outcome),
                _line(r.text, None),
                r.entry_id,
                entry.question if entry else "",
                entry.topic if entry else "",
                f"{r.score:.3f}",
                "" if r.delivery == DELIVERED else delivery_reason(r.delivery),
                NAMES_BY_VALUE.get(r.rating, ""),
                str(people.setdefault(r.asker, len(people) + 1)),
                r.conversation_id,
            )
            table.writerow([_harmless(cell) for cell in row])
        return buffer.getvalue().encode("utf-8-sig", "replace")

    def show(self, console: Console | None = None) -> None:
        """Print tables on a terminal, plain lines with tabs elsewhere."""
        stats, console = self.stats, console or Console()
        console.print(f"{stats.since:%Y-%m-%d %H:%M} 到 {stats.until:%Y-%m-%d %H:%M}", highlight=False)
        if not stats.asked:
            console.print("这段时间没有提问记录。")
        for title, columns, rows in _sections(self):
            if not rows:
                continue
            if not console.is_terminal:
                lines = ["", title, *(["\t".join(columns)] if any(columns) else []), *("\t".join(row) for row in rows)]
                # Rich would turn the tabs into blanks.
                console.file.write("\n".join(lines) + "\n")
                continue
            table = Table(title=title, title_justify="left", show_header=any(columns))
            for column in columns:
                table.add_column(column, overflow="fold")
            for row in rows:
                table.add_row(*map(Text, row))
            console.print(table)


def read_since(text: str, now: datetime) -> datetime:
    """Return the start of the period: `24h`, `7d` or `4w` before now, or a date. Raises SinceError."""
    day_text = unicodedata.normalize("NFKC", text).strip()
    if (ago := _AGO.fullmatch(day_text)) and int(ago[1]):
        hours = int(ago[1]) * _HOURS[ago[2].lower()]
        since = datetime.fromtimestamp(now.timestamp() - hours * 3600, now.tzinfo)
    else:
        try:
            since = datetime.combine(date.fromisoformat(day_text), time.min, now.tzinfo)
        except ValueError as exc:
            raise SinceError(f"--since 看不懂“{_line(text)}”：请写 7d、24h、4w 或者日期 2026-11-01") from exc
    if since >= now:
        raise SinceError(f"--since {day_text} 还没有到：请写今天或更早的日期")
    if now - since > _MAX_PERIOD:
        raise SinceError(f"--since {day_text} 太早了：最多看 {_MAX_PERIOD.days // 365} 年")
    return since


def reader_notes(settings: Settings, since: datetime, now: datetime) -> list[str]:
    """Return remarks for the reader of a report over this period: nothing stored yet, records already deleted."""
    notes: list[str] = []
    if _nothing_stored(settings):
        notes.append(f"存储还没有建立（{settings.store}）：机器人还没有运行过，或者 FAQBOT_STORE 不对。")
    if (now - since).days > settings.keep_days:
        notes.append(f"提问记录只保留 {settings.keep_days} 天（FAQBOT_KEEP_DAYS），更早的已经删除。")
    return notes


async def make_report(settings: Settings, snapshot: Snapshot, since: datetime, now: datetime) -> Report:
    """Read the store and count. Raises StartError, StoreError."""
    records: Sequence[QuestionRecord] = ()
    usage: Mapping[str, Usage] = {
        CALLS: Usage(0, settings.quota_calls),
        MESSAGES: Usage(0, settings.quota_messages),
    }
    if not _nothing_stored(settings):
        store = await open_store(settings.store)
        try:
            # A pick at the very beginning may belong to a list that was sent before.
            records = await store.questions(since.timestamp() - OPTIONS_SECONDS)
            quota = Quota(
                store, Metrics(), calls=settings.quota_calls, messages=settings.quota_messages, today=now.date
            )
            usage = await quota.usage()
        finally:
            await store.close()
    stats = Stats(records, since, now, {e.id: e for e in snapshot.entries})
    fold = snapshot.index.fold
    taught = suggestions(stats.asked, stats.entries, fold)
    return Report(stats, tuple(cluster_gaps(stats.records, fold)), usage, tuple(taught))


def _nothing_stored(settings: Settings) -> bool:
    """Return True if the store is a file that does not exist yet; reading must not create it."""
    return settings.store.startswith("sqlite:///") and not Path(settings.store.removeprefix("sqlite:///")).exists()


def delivery_reason(code: str) -> str:
    """Return in Chinese why a reply did not arrive."""
    return _REASONS.get(code, f"钉钉没有接收（{code}）")


_Section = tuple[str, tuple[str, ...], list[tuple[str, ...]]]


def _sections(report: Report) -> list[_Section]:
    stats = report.stats
    gaps = report.gaps[:_SHOWN_GAPS]
    more = f"，列出前 {len(gaps)} 组" if len(gaps) < len(report.gaps) else ""
    return [
        ("概况", ("", ""), _overview(stats)),
        (
            f"没有答上来的问题（{len(report.gaps)} 组{more}）",
            ("人数", "次数", "最近", "问题"),
            [_gap_row(cluster, stats) for cluster in gaps],
        ),
        (
            "可以加的问法（几个人从列表里选了同一条，或者说就是这一条）",
            ("人数", "问法", "条目"),
            [(str(s.people), _line(s.text), _line(s.entry.question)) for s in report.suggestions[:_SHOWN_GAPS]],
        ),
        ("主题", ("提问", "没有找到", "主题"), [_topic_row(group) for group in stats.by_topic()]),
        ("问得最多的条目", ("次数", "问题"), [_entry_row(group, stats) for group in stats.hot(_SHOWN_ENTRIES)]),
        (
            "没有送达",
            ("次数", "原因"),
            [(str(len(group.asked)), delivery_reason(group.name)) for group in stats.failures()],
        ),
        (
            f"本月额度（{stats.until:%Y-%m}，按本机器人的计数）",
            ("", "", ""),
            [(_QUOTA_NAMES[kind], f"{u.used} / {u.limit}", f"{u.share:.0%}") for kind, u in report.usage.items()],
        ),
    ]


def _overview(stats: Stats) -> list[tuple[str, ...]]:
    if not stats.asked:
        return []
    counted = [
        (LABELS[outcome], f"{len(stats.of(outcome))}（{stats.share(outcome):.0%}）") for outcome in QuestionOutcome
    ]
    return [("提问", f"{len(stats.asked)}（{stats.people} 人）"), *counted, ("评价没有帮助", str(len(stats.disliked)))]


def _gap_row(cluster: Cluster, stats: Stats) -> tuple[str, ...]:
    last = datetime.fromtimestamp(cluster.last, stats.since.tzinfo)
    others = len(cluster.wordings) - 1
    worded = _line(cluster.text) + (f"（还有 {others} 种问法）" if others else "")
    return (str(cluster.people), str(cluster.times), f"{last:%m-%d}", worded)


def _topic_row(group: QuestionGroup) -> tuple[str, ...]:
    return (str(len(group.asked)), str(len(group.of(QuestionOutcome.MISSED))), _line(group.name))


def _entry_row(group: QuestionGroup, stats: Stats) -> tuple[str, ...]:
    entry = stats.entries.get(group.name)
    return (str(len(group.asked)), _line(entry.question if entry else f"{group.name}（已删除）"))


def _counts(group: QuestionGroup) -> dict[str, int]:
    return {"asked": len(group.asked), **{outcome.value: count for outcome, count in group.counts.items()}}


def _gap(cluster: Cluster, stats: Stats) -> dict[str, Any]:
    def at(seconds: float) -> str:
        return datetime.fromtimestamp(seconds, stats.since.tzinfo).isoformat(timespec="seconds")

    return {
        "key": cluster.key,
        "question": cluster.text,
        "people": cluster.people,
        "times": cluster.times,
        "first": at(cluster.first),
        "last": at(cluster.last),
        "nearest": cluster.entry_id or None,
        "wordings": [{"text": w.text, "times": w.times, "people": w.people} for w in cluster.wordings],
    }


def _line(text: str, limit: int | None = _SHOWN_CHARACTERS) -> str:
    """Return a person's text as one line, without control characters that would act on a terminal."""
    line = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    line = " ".join(line.split())
    return line if limit is None or len(line) <= limit else line[: limit - 1] + "…"


def _harmless(cell: str) -> str:
    """Return the cell so that a spreadsheet reads it as text."""
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) else cell
