"""What a week of questions came to and what it leaves to do, as one message for those who keep the knowledge. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from faqbot.model import Entry
from faqbot.privacy import withheld_topic
from faqbot.stats import Cluster, Fate, Stats
from faqbot.suggestions import Suggestion
from faqbot.text import neutralise

DAYS = 7
SOON = timedelta(days=14)
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Left:
    """What there is to do: open groups of missed questions, wordings that were taught, numbers of waiting drafts."""

    missed: Sequence[Cluster] = ()
    suggestions: Sequence[Suggestion] = ()
    drafts: Sequence[int] = ()


def weekly_digest(stats: Stats, left: Left, day: date) -> tuple[str, str]:
    """Title and markdown. A group may read it, so that nothing private is named."""
    since = day - timedelta(days=DAYS)
    title = f"问答周报 {since.month}.{since.day}–{day.month}.{day.day}"
    parts = [
        _asked(stats),
        _missed(left.missed),
        _taught(left.suggestions),
        _drafts(left.drafts),
        _due(list(stats.entries.values()), day),
    ]
    todo = "请到控制台「今天」里处理。" if any(parts[1:]) else "没有等着处理的事。"
    return title, "\n\n".join([f"### {title}", *filter(None, parts), todo])


def _asked(stats: Stats) -> str:
    if not stats.asked:
        return "这一周没有人提问。"
    named = {
        Fate.ANSWERED: "直接答上",
        Fate.PICKED: "从列表里选到",
        Fate.OFFERED: "列了候选没有选",
        Fate.MISSED: "没有答上来",
        Fate.FAILED: "没有送到",
    }
    counts = [f"{name} {len(found)}" for fate, name in named.items() if (found := stats.of(fate))]
    disliked = [f"说没有帮助 {len(stats.disliked)}"] if stats.disliked else []
    return f"**{stats.people} 人问了 {len(stats.asked)} 次**：{'，'.join([*counts, *disliked])}。"


def _missed(found: Sequence[Cluster]) -> str:
    shown = [c for c in found if withheld_topic(c.text) is None]
    lines = [f"{n}. {neutralise(c.text)}（{c.people} 人）" for n, c in enumerate(shown[:_SHOWN], 1)]
    return _listed(f"没有答上来的 {len(shown)} 组", lines, len(shown))


def _taught(found: Sequence[Suggestion]) -> str:
    lines = [f"- 「{neutralise(s.text)}」→ {neutralise(s.entry.question)}（{s.people} 人选）" for s in found[:_SHOWN]]
    return _listed(f"可以加的问法 {len(found)} 个", lines, len(found))


def _drafts(numbers: Sequence[int]) -> str:
    if not numbers:
        return ""
    return f"**等着通过的草稿 {len(numbers)} 份**：{'、'.join(f'草稿 {n}' for n in numbers[:_SHOWN])}"


def _due(entries: Sequence[Entry], day: date) -> str:
    due = _sorted_due(entries, day)
    lines = [
        f"- {neutralise(entry.question)}（{when.month} 月 {when.day} 日{what}）" for when, what, entry in due[:_SHOWN]
    ]
    return _listed(f"两周内要复核或到期的 {len(due)} 条", lines, len(due))


def _sorted_due(entries: Sequence[Entry], day: date) -> list[tuple[date, str, Entry]]:
    found: list[tuple[date, str, Entry]] = []
    for entry in entries:
        if entry.draft or entry.held or entry.private:
            continue
        if entry.review and entry.review <= day + SOON:
            found.append((entry.review, "复核", entry))
        elif entry.valid.end and day <= entry.valid.end <= day + SOON:
            found.append((entry.valid.end, "到期", entry))
    return sorted(found, key=lambda item: (item[0], item[2].id))


def _listed(heading: str, lines: Sequence[str], total: int) -> str:
    if not lines:
        return ""
    more = [f"- 还有 {total - len(lines)} 个"] if total > len(lines) else []
    return "\n".join([f"**{heading}**", "", *lines, *more])
