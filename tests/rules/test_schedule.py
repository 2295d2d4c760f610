"""When rules are due: working days of whole years, cron, months, and clocks that are put forward and back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from faqbot.rules.schedule import Calendar, Cron, Daily, Days, Monthly, cron_problem, firings, next_firing, occurrences

SHANGHAI = ZoneInfo("Asia/Shanghai")
NINE = time(9, 0)
WORKDAY = Daily(NINE, Days("workday"))

# As the State Council announced them, written down here independently of the library.
OFF = {
    2025: "01-01 01-28..02-04 04-04..04-06 05-01..05-05 05-31..06-02 10-01..10-08",
    2026: "01-01..01-03 02-15..02-23 04-04..04-06 05-01..05-05 06-19..06-21 09-25..09-27 10-01..10-07",
}
MAKE_UP = {
    2025: "01-26 02-08 04-27 09-28 10-11",
    2026: "01-04 02-14 02-28 05-09 09-20 10-10",
}


def days(year, text):
    for part in text.split():
        first, _, last = part.partition("..")
        day, end = (date.fromisoformat(f"{year}-{d}") for d in (first, last or first))
        while day <= end:
            yield day
            day += timedelta(days=1)


def moment(text, zone=SHANGHAI):
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def local(at, zone=SHANGHAI):
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize("year", [2025, 2026])
def test_a_rehearsed_year_of_working_days(year):
    off, make_up = set(days(year, OFF[year])), set(days(year, MAKE_UP[year]))
    everyday = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
    worked = [d for d in everyday if d in make_up or (d.weekday() < 5 and d not in off)]
    start, end = moment(f"{year}-01-01"), moment(f"{year + 1}-01-01")
    found = list(occurrences(WORKDAY, start - 1, end - 1, SHANGHAI, Calendar()))
    assert [local(o.at) for o in found if not o.skip_reason] == [f"{d} 09:00" for d in worked]
    assert len(found) == 365


@pytest.mark.parametrize(
    ("trigger", "after", "expected"),
    [
        (WORKDAY, "2026-09-30 08:59:59", "2026-09-30 09:00"),
        (WORKDAY, "2026-09-30 09:00", "2026-10-08 09:00"),
        (WORKDAY, "2026-10-09 12:00", "2026-10-10 09:00"),
        (Daily(NINE, Days("holiday")), "2026-10-07 12:00", "2026-10-11 09:00"),
        (Daily(NINE), "2026-10-07 12:00", "2026-10-08 09:00"),
        (Daily(NINE, Days("weekdays", frozenset({0, 2}))), "2026-11-02 09:00", "2026-11-04 09:00"),
        (Monthly(1, NINE), "2026-01-15 00:00", "2026-02-01 09:00"),
        (Monthly(1, NINE, on_workday=True), "2026-01-15 00:00", "2026-02-02 09:00"),
        (Monthly(1, NINE, on_workday=True), "2026-09-15 00:00", "2026-10-08 09:00"),
        (Monthly(31, NINE), "2026-02-01 00:00", "2026-02-28 09:00"),
        (Monthly(31, NINE, on_workday=True), "2026-01-31 12:00", "2026-02-02 09:00"),
        (Monthly(0, NINE), "2026-02-01 00:00", "2026-02-28 09:00"),
        (Monthly(0, NINE), "2026-01-31 00:00", "2026-02-28 09:00"),
        (Monthly(0, NINE), "2026-05-01 00:00", "2026-05-29 09:00"),
        (Cron("0 9 * * 1-5"), "2026-10-01 09:00", "2026-10-02 09:00"),
        (Cron("0 9 * * 1-5", Days("workday")), "2026-10-01 09:00", "2026-10-08 09:00"),
        (Cron("*/20 8 * * *"), "2026-10-01 08:20", "2026-10-01 08:40"),
    ],
)
def test_the_next_firing_after_a_moment(trigger, after, expected):
    assert local(next_firing(trigger, moment(after), SHANGHAI, Calendar())) == expected


def test_a_passed_holiday_says_which():
    found = list(occurrences(WORKDAY, moment("2026-10-01"), moment("2026-10-02"), SHANGHAI, Calendar()))
    assert [o.skip_reason for o in found] == ["2026-10-01 是国庆节，不是工作日"]


def test_the_companys_calendar_comes_before_the_public_one():
    own = Calendar(frozenset({date(2026, 12, 25)}), frozenset({date(2026, 10, 7)}))
    assert local(next_firing(WORKDAY, moment("2026-10-06 12:00"), SHANGHAI, own)) == "2026-10-07 09:00"
    assert local(next_firing(WORKDAY, moment("2026-12-24 12:00"), SHANGHAI, own)) == "2026-12-28 09:00"


def test_in_a_year_nobody_knows_yet_monday_to_friday_are_worked():
    assert not Calendar().knows(2060)
    assert Calendar().knows(2026)
    # Saturday, 1 May 2060.
    assert local(next_firing(WORKDAY, moment("2060-04-30 12:00"), SHANGHAI, Calendar())) == "2060-05-03 09:00"


NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("trigger", "after", "expected"),
    [
        # On 8 March 2026 there is no 02:30, on 1 November there are two of 01:30.
        (Daily(time(2, 30)), "2026-03-07 12:00", ["2026-03-08 03:30", "2026-03-09 02:30"]),
        (Daily(time(1, 30)), "2026-10-31 12:00", ["2026-11-01 01:30", "2026-11-02 01:30"]),
        (Cron("30 1 * * *"), "2026-10-31 12:00", ["2026-11-01 01:30", "2026-11-02 01:30"]),
    ],
)
def test_a_clock_put_forward_or_back_neither_loses_nor_doubles_a_firing(trigger, after, expected):
    found = list(islice(firings(trigger, moment(after, NEW_YORK), NEW_YORK, Calendar()), 2))
    assert [local(at, NEW_YORK) for at in found] == expected


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("0 9 * * 1-5", ""),
        ("0 9 29 2 *", ""),
        ("0 9 * *", "5 段"),
        ("0 9 30 2 *", "读不懂"),
        ("0 25 * * *", "读不懂"),
        ("@daily", "5 段"),
    ],
)
def test_a_cron_expression_is_checked(expression, wrong):
    assert wrong in cron_problem(expression)
    assert bool(cron_problem(expression)) == bool(wrong)


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("99 * * * *", "第 1 段（分"),
        ("* 24 * * *", "第 2 段（时"),
        ("* * 32 * *", "第 3 段（日"),
        ("* * * 13 *", "第 4 段（月"),
        ("* * * * 9", "第 5 段（星期"),
    ],
)
def test_the_part_of_a_cron_expression_that_is_wrong_is_named(expression: str, wrong: str) -> None:
    said = cron_problem(expression)
    assert wrong in said and "Bad" not in said


@pytest.mark.parametrize(
    "trigger", [WORKDAY, Monthly(31, NINE, True), Monthly(0, NINE), Cron("7 9 * * 1-5", Days("workday"))]
)
def test_firings_asked_for_piece_by_piece_are_those_of_the_whole(trigger):
    start = moment("2026-01-01")
    whole = [o.at for o in occurrences(trigger, start, start + 90 * 86400, SHANGHAI, Calendar())]
    pieces = []
    for step in range(90 * 4):
        a = start + step * 21600
        pieces += [o.at for o in occurrences(trigger, a, a + 21600, SHANGHAI, Calendar())]
    assert pieces == whole
