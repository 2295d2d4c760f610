"""Parses and formats months as people write them. Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta


def days_of_month(year: int, month: int) -> tuple[date, date]:
    """Return the first and the last day of a month."""
    first = date(year, month, 1)
    following = date(year + month // 12, month % 12 + 1, 1)
    return first, following - timedelta(days=1)


def parse_month(text: str, today: date) -> tuple[int, int] | None:
    """Read `last`, `this`, 上月, 本月, 2026-10, 2026年10月 or 10月 (the latest one) into year and month.

    Return None for anything else.
    """
    text = re.sub(r"\s", "", text)
    if text in ("last", "上月", "上个月"):
        before = today.replace(day=1) - timedelta(days=1)
        return before.year, before.month
    if text in ("this", "本月", "这个月", "当月"):
        return today.year, today.month
    match = re.fullmatch(r"(?:(\d{4})[-年/.])?(\d{1,2})月?份?", text)
    if not match or not 1 <= int(match[2]) <= 12:
        return None
    month = int(match[2])
    return int(match[1]) if match[1] else today.year - (month > today.month), month
