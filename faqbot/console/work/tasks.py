"""Build the sections of the page 今天 that have no module of their own: expiries, drafts, failures, quota. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from faqbot.analytics.report import delivery_reason
from faqbot.analytics.stats import AskedQuestion, QuestionOutcome, Stats
from faqbot.console.web.pages import entry_url
from faqbot.console.work.drafts import review_note
from faqbot.dingtalk.api.quota import CALLS, MESSAGES, Usage
from faqbot.dingtalk.wire.error_codes import new_error, old_error
from faqbot.errors import ContentRefused, DeliveryError, NeedsAdmin
from faqbot.knowledge.entry_search import EntryStatus, entry_at, status_of
from faqbot.knowledge.snapshot import Snapshot
from faqbot.model.entries import Entry, Problem
from faqbot.model.question_log import DELIVERED
from faqbot.outbox.queued_notice import SendFailure
from faqbot.review.draft_records import DraftReview, Reviewer, latest_review
from faqbot.review.due_dates import NOTICE_PERIOD, has_successor

MAX_ITEMS = 7
WARN_AT = 0.8
# The address of the list of questions behind these.
_FAILED_URL = f"/stats/questions?days=7&fate={QuestionOutcome.FAILED}"
# Receivers of one notice that are named; the others are counted.
_MAX_NAMED = 3
# Characters of a question that are quoted.
_QUOTE_CHARS = 60


@dataclass(frozen=True, slots=True)
class Item:
    """One task: title, note, and the address where it is done; `tag` is a word in the colour of `tone`.

    `done` is the path and the form key to mark it as done, where that is possible.
    """

    text: str
    note: str = ""
    url: str = ""
    tag: str = ""
    tone: str = ""
    done: tuple[str, str] | None = None

    def as_json(self) -> dict[str, str]:
        return {"text": self.text, "note": self.note, "url": self.url, "tag": self.tag}


@dataclass(frozen=True, slots=True)
class Section:
    """Tasks of one kind, the most urgent first; `more` is the address of those that are not shown."""

    kind: str
    title: str
    items: tuple[Item, ...]
    total: int
    more: str = ""
    unit: str = "条"

    @property
    def hidden(self) -> int:
        return self.total - len(self.items)

    def as_json(self) -> dict[str, Any]:
        items = [item.as_json() for item in self.items]
        return {"kind": self.kind, "title": self.title, "total": self.total, "items": items}


@dataclass(frozen=True, slots=True)
class Meter:
    """The use of one kind of the monthly quota."""

    kind: str
    name: str
    usage: Usage

    @property
    def percent(self) -> int:
        return round(self.usage.share * 100)

    @property
    def high(self) -> bool:
        return self.usage.share >= WARN_AT


def section(
    kind: str, title: str, items: Sequence[Item], more: str = "", unit: str = "条", most: int = MAX_ITEMS
) -> Section:
    return Section(kind, title, tuple(items[:most]), len(items), more, unit)


def aging(entries: Sequence[Entry], day: date) -> Section:
    """Return entries that expired, will expire soon or are due for review, except those with a later version."""
    dated = [
        (when, item)
        for entry in entries
        if not entry.draft and not entry.held
        for when, item in _aging(entry, day)
        if not (when == entry.valid.end and has_successor(entry, entries))
    ]
    dated.sort(key=lambda pair: pair[0])
    # An entry about to expire can still be renewed, so it comes before one that expired long ago.
    coming = [item for when, item in dated if when >= day]
    passed = [item for when, item in reversed(dated) if when < day]
    return section("aging", "要到期、要复核的条目", [*coming, *passed], "/entries?status=expired")


def _aging(entry: Entry, day: date) -> Iterable[tuple[date, Item]]:
    url = entry_url(entry.id, "edit")
    end, review = entry.valid.end, entry.review
    if end and end < day:
        yield end, Item(entry.question, f"{end} 到期，机器人已经不用它回答", url, "已过期", "bad")
    elif end and end <= day + NOTICE_PERIOD:
        yield end, Item(entry.question, f"有效期到 {end}", url, _in_days(end, day, "到期"), "amber")
    elif review and review <= day + NOTICE_PERIOD:
        when = "该复核了" if review < day else _in_days(review, day, "复核")
        yield review, Item(entry.question, f"复核日期 {review}{_by(entry)}", url, when, "amber")


def _in_days(then: date, day: date, what: str) -> str:
    days = (then - day).days
    return f"今天{what}" if days == 0 else f"{days} 天后{what}"


def _by(entry: Entry) -> str:
    return f"，{entry.owner}负责" if entry.owner else ""


def drafts(entries: Iterable[Entry], reviews: Mapping[int, DraftReview], authors: Mapping[str, Reviewer]) -> Section:
    """Return drafts to be approved; those that were sent back and not changed since come last."""
    reviewed = [(latest_review(reviews, e.id), e) for e in entries if e.draft]
    reviewed.sort(key=lambda pair: pair[0] is not None and not pair[0].is_pending(pair[1]))
    items = [_draft(review, entry, authors.get(entry.id)) for review, entry in reviewed]
    return section("drafts", "等着通过的草稿", items, "/entries?status=draft")


def _draft(review: DraftReview | None, entry: Entry, author: Reviewer | None) -> Item:
    url, note = entry_url(entry.id, "approve"), review_note(review, entry, author)
    if review and not review.is_pending(entry):
        return Item(entry.question, note, url, "已退回", "amber")
    return Item(entry.question, note, url, f"草稿 {review.number}" if review else "草稿")


def approved(entries: Mapping[str, Entry], reviews: Mapping[int, DraftReview], now: float) -> Section:
    """Return approvals of the last day that can still be withdrawn, the latest first."""
    withdrawable = [p for p in reviews.values() if p.can_be_withdrawn(entries.get(p.entry_id), now)]
    withdrawable.sort(key=lambda p: -p.at)
    items = [
        Item(entries[p.entry_id].question, f"{p.by or '有人'}通过", entry_url(p.entry_id, "approve"), "可以撤销", "")
        for p in withdrawable
    ]
    return section("approved", "刚通过的草稿", items)


def file_errors(snapshot: Snapshot, label: str) -> Section:
    """Return the errors that keep something in the files from going live."""
    items = [_problem(p, snapshot, label) for p in snapshot.problems if p.is_error]
    items += [
        Item(e.question, f"这一条不会回答：{e.held}", entry_url(e.id), "被挂起", "bad")
        for e in snapshot.entries
        if e.held
    ]
    return section("errors", "文件里的错误", items, "/entries")


def file_warnings(snapshot: Snapshot, label: str, day: date) -> Section:
    """Return the warnings in the files, without those that aging() reports."""
    by_place = {e.place: e for e in snapshot.entries}
    warnings = [p for p in snapshot.problems if not p.is_error and not _is_aging(p, by_place.get(p.place), day)]
    # Only items that are shown are put into words; there may be thousands.
    items = tuple(_problem(p, snapshot, label) for p in warnings[:MAX_ITEMS])
    return Section("warnings", "文件里的提醒", items, len(warnings), "/entries")


def _problem(problem: Problem, snapshot: Snapshot, label: str) -> Item:
    place, message = (str(part).replace(f"{label}/", "") for part in (problem.place, problem.message))
    entry = entry_at(problem.place, snapshot)
    what = f"，改成：{problem.fix.strip()}" if problem.fix else ""
    if problem.is_error:
        todo = what or "。请打开这个文件，把这一行改好"
        file = place.rpartition(":")[0]
        return Item(message, f"{place}{todo}。改好以前，{_until_mended(file, snapshot)}", "", "错误", "bad")
    return Item(message, f"{place}{what}", entry_url(entry.id, "edit") if entry else "/entries", "提醒", "amber")


def _until_mended(file: str, snapshot: Snapshot) -> str:
    if file == "automations.yaml":
        return "写错的任务不运行，别的照常"
    if file in snapshot.good:
        return "上一个正确的版本继续回答"
    return "这个文件里的都不会回答" if file.startswith("faq/") else "写错的内容不生效"


def _is_aging(problem: Problem, entry: Entry | None, day: date) -> bool:
    if entry is None or not problem.message.startswith("“"):
        return False
    if status_of(entry, day) not in (EntryStatus.EXPIRED, EntryStatus.REVIEW):
        return False
    return problem.message.startswith((f"“{entry.question[:40]}”已于", f"“{entry.question[:40]}”应在"))


def undelivered(stats: Stats, entries: Mapping[str, Entry]) -> Section:
    """Return answers that were not delivered, one task for each answer and reason; refused words first."""
    groups: dict[tuple[str, str], list[AskedQuestion]] = {}
    for question in stats.of(QuestionOutcome.FAILED):
        record = next(r for r in reversed(question.records) if r.delivery != DELIVERED or r.outcome == "broken")
        error = _error(record.delivery)
        # The entry matters only where its words were refused.
        about = record.entry_id if isinstance(error, ContentRefused) else ""
        groups.setdefault((record.delivery, about), []).append(question)
    items = [_failure(code, entries.get(about), questions) for (code, about), questions in groups.items()]
    items.sort(key=lambda pair: pair[0])
    return section("undelivered", "没有送到员工手里的回答", [item for _, item in items], _FAILED_URL)


def unsent(failed: Sequence[SendFailure]) -> Section:
    """Return notices that were given up, one task for each title and reason, the latest first."""
    groups: dict[tuple[str, str], list[SendFailure]] = {}
    for one in reversed(failed):
        groups.setdefault((one.title, one.why), []).append(one)
    items = [
        Item(title or "通知", f"{_receivers(failures)}：{why}", "", "没发出", "bad")
        for (title, why), failures in groups.items()
    ]
    return section("unsent", "没有发出的通知", items)


def _receivers(failed: Sequence[SendFailure]) -> str:
    kinds = {"person": "", "robot": "群机器人 ", "group": "群 "}
    names = list(dict.fromkeys(f"{kinds[one.to.kind]}{one.to.id}" for one in failed))
    return f"{'、'.join(names[:_MAX_NAMED])}{f' 等 {len(names)} 个' if len(names) > _MAX_NAMED else ''}"


def _failure(code: str, entry: Entry | None, questions: Sequence[AskedQuestion]) -> tuple[tuple[bool, int], Item]:
    times, error, quoted = f"{len(questions)} 次", _error(code), questions[-1].record.text.strip()[:_QUOTE_CHARS]
    refused = isinstance(error, ContentRefused)
    if refused:
        text = f"钉钉不收「{entry.question if entry else quoted}」的回答"
        url = entry_url(entry.id, "edit") if entry else f"/try?{urlencode({'q': quoted})}"
        item = Item(text, f"最近 7 天 {times}。请修改答案里的文字或链接（{code}）", url, "被拒收", "bad")
    elif isinstance(error, NeedsAdmin):
        item = Item(str(error), f"最近 7 天 {times}。最近一次问的是「{quoted}」", _FAILED_URL, "没送到", "bad")
    else:
        item = Item(
            delivery_reason(code), f"最近 7 天 {times}。最近一次问的是「{quoted}」", _FAILED_URL, "没送到", "amber"
        )
    return (not refused, -len(questions)), item


def _error(code: str) -> DeliveryError | None:
    """Explain the DingTalk error code that is on record."""
    if code.isascii() and code.isdigit():
        return old_error(200, {"errcode": int(code)})
    # Our own reasons have no dot and no capital.
    return new_error(400, {"code": code}) if code != code.lower() or "." in code else None


def meters(counts: Mapping[str, int], month: str, limits: Mapping[str, int]) -> list[Meter]:
    """Return the quota of a month, from the counters of the store."""
    names = {CALLS: "接口调用", MESSAGES: "收发的消息"}
    return [Meter(k, name, Usage(counts.get(f"{month}|{k}", 0), limits[k])) for k, name in names.items()]


def over_quota(meters: Iterable[Meter]) -> Section:
    items = [_high(meter) for meter in meters if meter.high]
    return section("quota", "本月的钉钉额度", items)


def _high(meter: Meter) -> Item:
    used = f"{meter.usage.used} / {meter.usage.limit}"
    text = f"{meter.name}用了 {meter.percent}%（{used}）"
    full = meter.usage.used >= meter.usage.limit
    note = "请管理员到钉钉开发者后台的「资源管理」核对；用完以后员工可能收不到回答"
    return Item(text, note, "", "用完了" if full else "快用完了", "bad" if full else "amber")
