"""Writes the weekly digest for HR: the statistics of seven days and the open work, as one message. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from faqbot.access.privacy import withheld_topic
from faqbot.analytics.stats import Cluster, QuestionOutcome, Stats
from faqbot.analytics.suggested_wordings import Suggestion
from faqbot.markup.escaping import escape_markdown
from faqbot.model.entries import Entry
from faqbot.review.due_dates import due_entries

DAYS = 7
_MAX_LISTED = 5


@dataclass(frozen=True, slots=True)
class OpenWork:
    """Work to do: open clusters of missed questions, suggested wordings, and the numbers of pending drafts."""

    missed: Sequence[Cluster] = ()
    suggestions: Sequence[Suggestion] = ()
    drafts: Sequence[int] = ()


def weekly_digest(stats: Stats, open_work: OpenWork, day: date) -> tuple[str, str]:
    """Return title and markdown. A group may read it, so nothing private is named."""
    since = day - timedelta(days=DAYS)
    title = f"问答周报 {since.month}.{since.day}–{day.month}.{day.day}"
    parts = [
        _questions_line(stats),
        _gaps_section(open_work.missed),
        _suggestions_section(open_work.suggestions),
        _drafts_line(open_work.drafts),
        _due_section(list(stats.entries.values()), day),
    ]
    todo = "请到控制台「今天」里处理。" if any(parts[1:]) else "没有等着处理的事。"
    return title, "\n\n".join([f"### {title}", *filter(None, parts), todo])


def _questions_line(stats: Stats) -> str:
    if not stats.asked:
        return "这一周没有人提问。"
    named = {
        QuestionOutcome.ANSWERED: "直接答上",
        QuestionOutcome.LIKELY: "给了可能的答案",
        QuestionOutcome.PICKED: "从列表里选到",
        QuestionOutcome.OFFERED: "列了候选没有选",
        QuestionOutcome.MISSED: "没有答上来",
        QuestionOutcome.FAILED: "没有送到",
    }
    counts = [f"{name} {len(questions)}" for outcome, name in named.items() if (questions := stats.of(outcome))]
    disliked = [f"说没有帮助 {len(stats.disliked)}"] if stats.disliked else []
    return f"**{stats.people} 人问了 {len(stats.asked)} 次**：{'，'.join([*counts, *disliked])}。"


def _gaps_section(clusters: Sequence[Cluster]) -> str:
    public = [c for c in clusters if withheld_topic(c.text) is None]
    lines = [f"{n}. {escape_markdown(c.text)}（{c.people} 人）" for n, c in enumerate(public[:_MAX_LISTED], 1)]
    return _section(f"没有答上来的 {len(public)} 组", lines, len(public))


def _suggestions_section(suggestions: Sequence[Suggestion]) -> str:
    lines = [
        f"- 「{escape_markdown(s.text)}」→ {escape_markdown(s.entry.question)}（{s.people} 人选）"
        for s in suggestions[:_MAX_LISTED]
    ]
    return _section(f"可以加的问法 {len(suggestions)} 个", lines, len(suggestions))


def _drafts_line(numbers: Sequence[int]) -> str:
    if not numbers:
        return ""
    return f"**等着通过的草稿 {len(numbers)} 份**：{'、'.join(f'草稿 {n}' for n in numbers[:_MAX_LISTED])}"


def _due_section(entries: Sequence[Entry], day: date) -> str:
    items = [item for item in due_entries(entries, day) if not item.entry.private]
    lines = [
        f"- {escape_markdown(item.entry.question)}（{item.day.month} 月 {item.day.day} 日{item.what}）"
        for item in items[:_MAX_LISTED]
    ]
    return _section(f"两周内要复核或到期的 {len(items)} 条", lines, len(items))


def _section(heading: str, lines: Sequence[str], total: int) -> str:
    if not lines:
        return ""
    more = [f"- 还有 {total - len(lines)} 个"] if total > len(lines) else []
    return "\n".join([f"**{heading}**", "", *lines, *more])
