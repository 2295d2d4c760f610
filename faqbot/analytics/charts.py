"""Renders small charts as SVG, without scripts or style attributes, readable in light and dark mode.

Widths are percentages and heights pixels, so that a chart fills its place and its letters keep their size.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from html import escape

from faqbot.analytics.stats import QuestionGroup, QuestionOutcome

LABELS = {
    QuestionOutcome.ANSWERED: "直接回答",
    QuestionOutcome.LIKELY: "可能的答案",
    QuestionOutcome.PICKED: "从列表选中",
    QuestionOutcome.OFFERED: "列出没选",
    QuestionOutcome.MISSED: "没有找到",
    QuestionOutcome.FAILED: "没有送达",
}
# Contrast of at least 3:1 against white and against near-black; the colour-blind tell them apart by their lightness.
# A stylesheet may colour the classes `chart-answered`, `chart-picked`, … otherwise.
_COLOURS = {
    QuestionOutcome.ANSWERED: "#1b8a5a",
    QuestionOutcome.LIKELY: "#0f8f9c",
    QuestionOutcome.PICKED: "#3b8bd0",
    QuestionOutcome.OFFERED: "#c28a00",
    QuestionOutcome.MISSED: "#d6455d",
    QuestionOutcome.FAILED: "#83838f",
}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_FONT = 'font-size="13" fill="currentColor"'
_LEGEND_ROW, _LEGEND_COLUMN, _LEGEND_COLUMNS = 22, 124, 3
_PLOT, _AXIS, _HEADROOM = 150, 24, 20
# Fewer columns than this stand at the left and are no wider than this many would be.
_MIN_COLUMNS = 8
_COLUMN_FILL = 0.7
# Dates that fit under a chart on a phone; a date right of this percentage is aligned to the end of its column.
_MAX_DATES, _LATE = 8, 88.0
# The rest of the width is for the numbers of the axis.
_PLOT_WIDTH = 92.0
_BAR_ROW, _BAR, _BAR_LABEL = 44, 14, 17
_NAME_WIDTH = 34
_SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_EDGE = 120, 28, 3


def weekly(weeks: Sequence[QuestionGroup], title: str = "每周提问") -> str:
    """Draw columns of stacked outcomes; the name of each group is the date of its Monday."""
    total = sum(len(week.asked) for week in weeks)
    if not total:
        return _nothing("weekly", title)
    top = _round_up(max(len(week.asked) for week in weeks))
    plot_at = _LEGEND_ROW * -(-len(QuestionOutcome) // _LEGEND_COLUMNS) + _HEADROOM
    parts = [_legend(weeks), *_grid(top, plot_at)]
    slot = _PLOT_WIDTH / max(len(weeks), _MIN_COLUMNS)
    dated = max(1, -(-max(len(weeks), _MIN_COLUMNS) // _MAX_DATES))
    for number, week in enumerate(weeks):
        parts += _column(week, number * slot, slot, top, plot_at)
        if number % dated == 0:
            late = number * slot > _LATE
            x = number * slot + (slot * _COLUMN_FILL if late else 0)
            parts.append(_text(f"{x:.3f}%", plot_at + _PLOT + 17, _day(week.name), end=late))
    described = [f"{_day(week.name)} 起一周：{_in_words(week)}" for week in weeks]
    return _svg("weekly", f"{title}：共 {total} 个", plot_at + _PLOT + _AXIS, parts, described=described)


def topics(rows: Sequence[QuestionGroup], title: str = "各主题提问") -> str:
    """Draw a bar for each topic with its name above and its number behind, in the order given."""
    maximum = max((len(row.asked) for row in rows), default=0)
    if not maximum:
        return _nothing("topics", title)
    parts: list[str] = []
    for number, row in enumerate(rows):
        at = number * _BAR_ROW
        count = len(row.asked)
        # Behind the longest bar there is still room for its number.
        share = 86 * count / maximum
        parts.append(
            f"<g><title>{_clean(f'{row.name}：{_in_words(row)}')}</title>"
            + _text("0", at + _BAR_LABEL - 4, _short(row.name))
            + _stack(row, share, at + _BAR_LABEL)
            + _text(f"{share:.3f}%", at + _BAR_LABEL + 12, str(count), dx=6)
            + "</g>"
        )
    described = [f"{row.name}：{_in_words(row)}" for row in rows]
    return _svg("topics", f"{title}：{len(rows)} 个主题", len(rows) * _BAR_ROW, parts, described=described)


def sparkline(values: Sequence[float], title: str) -> str:
    """Draw a line without axes, 120 by 28 pixels, with a dot on the last value."""
    maximum = max((*values, 0)) or 1
    width, height = _SPARK_WIDTH - 2 * _SPARK_EDGE, _SPARK_HEIGHT - 2 * _SPARK_EDGE
    step = width / max(1, len(values) - 1)
    points = [(_SPARK_EDGE + n * step, _SPARK_EDGE + height * (1 - v / maximum)) for n, v in enumerate(values)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts = [
        f'<polyline class="chart-line" points="{line}" fill="none" stroke="currentColor" stroke-width="1.5"'
        ' stroke-linejoin="round" stroke-linecap="round"/>'
    ]
    parts += [
        f'<circle class="chart-dot" cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="currentColor"/>' for x, y in points[-1:]
    ]
    return _svg("sparkline", title, _SPARK_HEIGHT, parts, width=str(_SPARK_WIDTH))


def _svg(
    kind: str, title: str, height: float, parts: Sequence[str], *, described: Sequence[str] = (), width: str = "100%"
) -> str:
    """Return a picture with a title and, for screen readers, its numbers in words."""
    described = f"<desc>{_clean('；'.join(described))}</desc>" if described else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart chart-{kind}" role="img" width="{width}"'
        f' height="{height}"><title>{_clean(title)}</title>{described}{"".join(parts)}</svg>'
    )


def _nothing(kind: str, title: str) -> str:
    return _svg(kind, f"{title}：没有", _LEGEND_ROW, [_text("0", 15, "这段时间没有提问")])


def _legend(groups: Sequence[QuestionGroup]) -> str:
    """Draw the legend in two short rows: letters in SVG do not wrap, and a telephone is narrow."""
    parts: list[str] = []
    for number, outcome in enumerate(QuestionOutcome):
        x, y = number % _LEGEND_COLUMNS * _LEGEND_COLUMN, number // _LEGEND_COLUMNS * _LEGEND_ROW
        count = sum(group.counts[outcome] for group in groups)
        parts.append(f'<rect {_filled(outcome)} x="{x}" y="{y + 4}" width="10" height="10" rx="2"/>')
        parts.append(_text(str(x + 15), y + 14, f"{LABELS[outcome]} {count}"))
    return "".join(parts)


def _grid(top: int, plot_at: float) -> list[str]:
    """Draw lines at the top, the middle and the bottom, with their numbers above them."""
    parts: list[str] = []
    for share in (1.0, 0.5, 0.0):
        y = plot_at + _PLOT * (1 - share)
        parts.append(
            f'<line class="chart-grid" x1="0" x2="100%" y1="{y:g}" y2="{y:g}" stroke="currentColor"'
            ' stroke-opacity="0.2"/>'
        )
        if share and top * share == int(top * share):
            parts.append(_text("100%", y - 4, f"{top * share:g}", end=True))
    return parts


def _column(week: QuestionGroup, x: float, slot: float, top: int, plot_at: float) -> list[str]:
    parts = [f"<g><title>{_clean(f'{_day(week.name)} 起一周：{_in_words(week)}')}</title>"]
    # Whole column, so that the title shows over an empty week too.
    parts.append(
        f'<rect x="{x:.3f}%" y="{plot_at}" width="{slot:.3f}%" height="{_PLOT}" fill="none" pointer-events="all"/>'
    )
    bottom = plot_at + _PLOT
    for outcome, count in week.counts.items():
        height = _PLOT * count / top
        bottom -= height
        if count:
            parts.append(
                f'<rect {_filled(outcome)} x="{x:.3f}%" y="{bottom:.2f}" width="{slot * _COLUMN_FILL:.3f}%"'
                f' height="{height:.2f}"/>'
            )
    return [*parts, "</g>"]


def _stack(row: QuestionGroup, width: float, y: float) -> str:
    parts: list[str] = []
    x = 0.0
    for outcome, count in row.counts.items():
        share = width * count / max(1, len(row.asked))
        if count:
            parts.append(f'<rect {_filled(outcome)} x="{x:.3f}%" y="{y}" width="{share:.3f}%" height="{_BAR}"/>')
        x += share
    return "".join(parts)


def _filled(outcome: QuestionOutcome) -> str:
    return f'class="chart-{outcome}" fill="{_COLOURS[outcome]}"'


def _text(x: str, y: float, words: str, *, dx: int = 0, end: bool = False) -> str:
    placed = f'x="{x}" y="{y:g}"' + (f' dx="{dx}"' if dx else "") + (' text-anchor="end"' if end else "")
    return f'<text class="chart-text" {placed} {_FONT}>{_clean(words)}</text>'


def _in_words(group: QuestionGroup) -> str:
    """Return the outcomes of a group in words, for screen readers and for the pointer held on it."""
    counts = [f"{LABELS[outcome]} {count}" for outcome, count in group.counts.items() if count]
    return f"{len(group.asked)} 个" + (f"（{'，'.join(counts)}）" if counts else "")


def _day(name: str) -> str:
    try:
        return f"{date.fromisoformat(name):%m-%d}"
    except ValueError:
        return name


def _short(name: str) -> str:
    """Cut to the width of one line on a telephone; Chinese characters are twice as wide."""
    width = 0
    for at, character in enumerate(name):
        width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width > _NAME_WIDTH:
            return name[:at].rstrip() + "…"
    return name


def _round_up(value: int) -> int:
    """Return the next even number that is round enough for an axis."""
    step = 1
    while True:
        for factor in (2, 4, 6, 8, 10, 12, 16):
            if value <= factor * step:
                return factor * step
        step *= 10


def _clean(words: str) -> str:
    """Return a text as XML: escaped, without characters that XML forbids."""
    return escape(_NOT_XML.sub("", words))
