"""When people may be asked for something."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from faqbot.model.group_settings import Hours
from faqbot.rules.schedule import Calendar
from faqbot.rules.working_hours import after_quiet_hours, format_moment, is_working_time, next_working_morning

ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = Hours(time(22), time(8))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("at", "working"),
    [
        ("2026-11-25 09:00", True), ("2026-11-25 17:59", True), ("2026-11-25 18:00", False),
        ("2026-11-25 08:59", False), ("2026-11-28 10:00", False),
        ("2026-10-01 10:00", False), ("2026-10-10 10:00", True),  # a holiday, and the Saturday that makes up for it
    ],
)  # fmt: skip
def test_working_hours_know_holidays_and_make_up_days(at, working):
    assert is_working_time(moment(at), Calendar()) is working


def test_in_its_quiet_hours_a_group_is_not_disturbed():
    lunch = Hours(time(12), time(14))
    assert not is_working_time(moment("2026-11-25 12:30"), Calendar(), lunch)
    assert is_working_time(moment("2026-11-25 14:00"), Calendar(), lunch)


@pytest.mark.parametrize(
    ("at", "then"),
    [
        ("2026-11-25 20:00", "2026-11-26 09:00"), ("2026-11-26 07:00", "2026-11-26 09:00"),
        ("2026-11-27 20:00", "2026-11-30 09:00"), ("2026-09-30 20:00", "2026-10-08 09:00"),
    ],
)  # fmt: skip
def test_what_comes_after_hours_waits_for_the_next_working_morning(at, then):
    assert next_working_morning(moment(at), Calendar()) == moment(then)


def test_the_companys_own_holidays_count():
    assert next_working_morning(
        moment("2026-11-25 20:00"), Calendar(holidays=frozenset({date(2026, 11, 26)}))
    ) == moment("2026-11-27 09:00")


@pytest.mark.parametrize(
    ("at", "then"),
    [
        ("2026-11-25 23:00", "2026-11-26 08:00"), ("2026-11-26 07:00", "2026-11-26 08:00"),
        ("2026-11-26 12:00", "2026-11-26 12:00"),
    ],
)  # fmt: skip
def test_what_falls_into_quiet_hours_waits_for_their_end(at, then):
    assert after_quiet_hours(moment(at), NIGHT) == moment(then)


def test_a_moment_is_told_in_words():
    assert format_moment(moment("2026-11-26 09:00")) == "11 月 26 日（周四）9:00"
