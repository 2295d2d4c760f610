"""What became of each rule each time: done, failed, or not done and why. Pure; the store's journal keeps the lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from faqbot.store.json_records import from_json

# The journal of the store that holds the runs.
RUNS_JOURNAL = "jobs"

Outcome = Literal["done", "failed", "day_off", "missed", "condition", "repeated", "broken"]
SHOWN: dict[Outcome, str] = {
    "done": "已执行",
    "failed": "没有做成",
    "day_off": "当天不用做",
    "missed": "错过了",
    "condition": "条件不成立",
    "repeated": "已经做过",
    "broken": "规则不能运行",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One time a rule ran or did not. `key` is the rule with the intended time or the event; times are epoch seconds.

    `notices` are the keys of the notices it posted; what became of them the outbox knows.
    """

    rule_id: str
    key: str
    at: float
    due: float
    outcome: Outcome
    why: str = ""
    notices: tuple[str, ...] = ()


class RunLogLine(Protocol):
    @property
    def text(self) -> str: ...


def unpack_runs(lines: Sequence[RunLogLine], rule_id: str = "") -> list[Run]:
    """The runs of the journal's lines, oldest first; those of one rule if `rule_id` is given."""
    runs = (from_json(Run, line.text) for line in lines)
    return [run for run in runs if not rule_id or run.rule_id == rule_id]
