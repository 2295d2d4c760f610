"""Reads approved leave, trips and overtime from the columns of the company's attendance report. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from faqbot.model.attendance import HOURS_A_DAY, ApprovalKind, Approved, Column


def approval_columns(columns: Iterable[Column]) -> Mapping[Column, ApprovalKind]:
    """Return the columns of leave, trips and overtime by kind; of several for overtime only the total."""
    kinds: dict[Column, ApprovalKind] = {}
    overtime: list[Column] = []
    for column in columns:
        name = column.plain
        if "加班" in name:
            if "次数" not in name:
                overtime.append(column)
        elif name.endswith("假") or name == "调休":
            kinds[column] = ApprovalKind.LEAVE
        elif re.fullmatch(r"(?:出差|外出)(?:时长|总时长)?", name):
            kinds[column] = ApprovalKind.TRIP
    totals = [column for column in overtime if "总" in column.name]
    return kinds | dict.fromkeys(totals[:1] or overtime[:1], ApprovalKind.OVERTIME)


def approvals_of(
    columns: Mapping[Column, ApprovalKind], values: Iterable[tuple[str, str, date, float]]
) -> tuple[Approved, ...]:
    """Turn values of all people, as userId, column id, day and number, into approvals.

    If the name of a column has no unit, a number above 1 on one day shows that it counts hours and not days.
    """
    by_id = {column.id: column for column in columns}
    positive = [value for value in values if value[3] > 0 and value[1] in by_id]
    highest: dict[str, float] = defaultdict(float)
    for _, column_id, _, amount in positive:
        highest[column_id] = max(highest[column_id], amount)
    approvals = []
    for userid, column_id, day, amount in positive:
        column = by_id[column_id]
        kind = columns[column]
        unit = column.unit or ("小时" if kind is ApprovalKind.OVERTIME or highest[column_id] > 1 else "天")
        hours = {"天": amount * HOURS_A_DAY, "小时": amount, "分钟": amount / 60}[unit]
        approvals.append(
            Approved(userid, day, kind, column.plain, hours if kind is ApprovalKind.OVERTIME else hours / HOURS_A_DAY)
        )
    return tuple(approvals)
