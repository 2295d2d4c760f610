"""The charts are sound XML that runs and styles nothing by itself, whatever people wrote, and tell their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import faqbot.console
from faqbot.analytics.charts import LABELS, sparkline, topics, weekly
from faqbot.analytics.stats import AskedQuestion, QuestionGroup, QuestionOutcome
from faqbot.model.question_log import QuestionRecord

SVG = "{http://www.w3.org/2000/svg}"
OUTCOMES = ("answered", "likely", "picked", "offered", "unanswered", "broken")


def group(name: str, **counts: int) -> QuestionGroup:
    """`group("休假", answered=3)` is a topic with three answered questions."""
    return QuestionGroup(
        name,
        tuple(
            AskedQuestion(QuestionRecord("1", 0.0, "全员群", "小李", "年假", outcome))
            for outcome, count in counts.items()
            for _ in range(count)
        ),
    )


def drawn(svg: str) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    return root


def words(root: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


def number(element: ElementTree.Element, name: str) -> float:
    return float(element.attrib[name].rstrip("%"))


def segments(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """The coloured parts of columns and bars; the squares of the legend have round corners."""
    return (r for r in root.iter(f"{SVG}rect") if "class" in r.attrib and "rx" not in r.attrib)


WEEKS = [group("2026-11-02", answered=6, unanswered=2), group("2026-11-09"), group("2026-11-16", picked=1, broken=3)]
TOPICS = [group("休假", answered=8, unanswered=2), group("薪资", offered=4), group("其他", broken=1)]
HOSTILE = [
    "<script>alert(1)</script>", '"><svg onload=x>', "a & b", "]]>", "{{7*7}}", "' onclick='x", "\x00\x08\x0b\x1b[31m",
    "\ud800", "\ufffe\uffff", "&#x0;", "<!--", "<![CDATA[", "很长" * 200, "🏳️‍🌈", "\u202e反", "",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_people_wrote_stays_text(text: str) -> None:
    for svg in (topics([group(text, answered=1)], text), weekly([group(text, answered=1)], text), sparkline([1], text)):
        root = drawn(svg)
        assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
            "svg", "title", "desc", "g", "rect", "text", "line", "polyline", "circle",
        }  # fmt: skip


@given(st.lists(st.tuples(st.text(max_size=30), st.sampled_from(OUTCOMES), st.integers(0, 50)), max_size=8), st.text())
def test_any_names_and_numbers_make_sound_xml(rows: list[tuple[str, str, int]], title: str) -> None:
    groups = [group(name, **{outcome: count}) for name, outcome, count in rows]
    for svg in (weekly(groups, title), topics(groups, title), sparkline([count for _, _, count in rows], title)):
        drawn(svg)


@pytest.mark.parametrize("svg", [weekly(WEEKS), topics(TOPICS), sparkline([1, 5, 2], "近三天"), weekly([]), topics([])])
def test_a_chart_has_a_name_and_neither_style_nor_script(svg: str) -> None:
    root = drawn(svg)
    assert root.attrib["role"] == "img" and root[0].tag == f"{SVG}title" and root[0].text
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {a for a in attributes if a in ("style", "href", "id") or a.startswith("on")}
    assert not re.search(r"<style|<script|url\(|javascript:", svg)


@pytest.mark.parametrize("svg", [weekly(WEEKS), topics(TOPICS)])
def test_letters_and_lines_take_the_colour_of_the_page_and_segments_have_classes(svg: str) -> None:
    root = drawn(svg)
    assert {t.attrib["fill"] for t in root.iter(f"{SVG}text")} == {"currentColor"}
    assert {line.attrib["stroke"] for line in root.iter(f"{SVG}line")} <= {"currentColor"}
    assert {s.attrib["class"] for s in segments(root)} <= {f"chart-{fate}" for fate in QuestionOutcome}


def luminance(colour: str) -> float:
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_can_be_seen_on_white_and_on_near_black() -> None:
    found = {s.attrib["fill"] for s in segments(drawn(weekly([group("2026-11-02", **dict.fromkeys(OUTCOMES, 1))])))}
    assert len(found) == len(QuestionOutcome)
    for colour in found:
        assert (
            1.05 / (luminance(colour) + 0.05) >= 3 and (luminance(colour) + 0.05) / (luminance("#15171a") + 0.05) >= 3
        )


def test_the_numbers_are_there_in_words_too() -> None:
    weeks, bars = drawn(weekly(WEEKS)), drawn(topics(TOPICS))
    assert weeks[0].text == "每周提问：共 12 个" and bars[0].text == "各主题提问：3 个主题"
    assert "11-02 起一周：8 个（直接回答 6，没有找到 2）；11-09 起一周：0 个" in (weeks.findtext(f"{SVG}desc") or "")
    assert "休假：10 个（直接回答 8，没有找到 2）" in (bars.findtext(f"{SVG}desc") or "")
    tips = [g.findtext(f"{SVG}title") for g in weeks.iter(f"{SVG}g")]
    assert tips[2] == "11-16 起一周：4 个（从列表选中 1，没有送达 3）"


def test_the_legend_counts_every_outcome() -> None:
    shown = words(drawn(weekly(WEEKS)))
    assert [f"{LABELS[fate]} {n}" for fate, n in zip(QuestionOutcome, (6, 0, 1, 0, 2, 3), strict=True)] == shown[:6]


def test_the_segments_of_a_column_stand_on_each_other_and_are_as_high_as_their_numbers() -> None:
    found = list(segments(drawn(weekly(WEEKS[:1]))))
    lower, upper = found
    assert number(upper, "y") + number(upper, "height") == pytest.approx(number(lower, "y"))
    assert number(lower, "height") / number(upper, "height") == pytest.approx(3)


def test_the_segments_of_a_bar_follow_each_other_and_the_longest_bar_leaves_room_for_its_number() -> None:
    first, second, *_ = segments(drawn(topics(TOPICS)))
    assert number(first, "x") + number(first, "width") == pytest.approx(number(second, "x"))
    assert number(second, "x") + number(second, "width") == pytest.approx(86)


@pytest.mark.parametrize("count", [1, 2, 8, 9, 26, 53, 200])
def test_nothing_leaves_the_picture_and_dates_keep_apart(count: int) -> None:
    root = drawn(weekly([group(f"2026-01-{n % 28 + 1:02}", answered=n + 1) for n in range(count)]))
    assert all(number(s, "x") + number(s, "width") <= 100 and number(s, "y") >= 0 for s in segments(root))
    dates = [t for t in root.iter(f"{SVG}text") if re.fullmatch(r"\d\d-\d\d", t.text or "")]
    places = [number(t, "x") for t in dates if "text-anchor" not in t.attrib]
    # A date is about 34 of 358 pixels wide on a telephone.
    assert all(b - a > 9.5 for a, b in pairwise(places)) and len(dates) >= min(count, 5)


def test_a_long_name_is_cut_and_told_in_full() -> None:
    name = "薪资与发放时间以及年终奖个税社保公积金等等的各种杂项问题"
    root = drawn(topics([group(name, answered=1)]))
    assert words(root)[0].endswith("…") and len(words(root)[0]) < 20
    assert name in (root.findtext(f"{SVG}desc") or "")


@pytest.mark.parametrize("svg", [weekly([]), weekly([group("2026-11-02")]), topics([])])
def test_nothing_asked_is_said_instead_of_drawn(svg: str) -> None:
    assert words(drawn(svg)) == ["这段时间没有提问"] and not list(segments(drawn(svg)))


@pytest.mark.parametrize("values", [[], [0], [0, 0, 0], [5], [3, 0, 9, 1], [0.5] * 40])
def test_a_sparkline_stays_in_its_frame(values: list[float]) -> None:
    root = drawn(sparkline(values, "近况"))
    line = root.find(f"{SVG}polyline")
    assert line is not None
    points = [tuple(map(float, p.split(","))) for p in line.attrib["points"].split()]
    assert len(points) == len(values)
    assert all(0 <= x <= 120 and 0 <= y <= 28 for x, y in points)


@pytest.mark.parametrize("recorded", OUTCOMES)
def test_the_tile_of_an_outcome_has_the_colour_of_the_chart(recorded: str) -> None:
    (segment,) = segments(drawn(weekly([group("2026-11-02", **{recorded: 1})])))
    outcome = segment.attrib["class"].removeprefix("chart-")
    style = (Path(faqbot.console.__file__).parent / "static/style.css").read_text(encoding="utf-8")
    assert f".tile.{outcome} .key {{ background: {segment.attrib['fill']}; }}" in style
