"""Run log: the result of each run of a rule, as records in the store's journal. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from faqbot.store.json_records import from_json
from faqbot.store.protocol import JournalLine

# The journal of the store that holds the runs.
RUNS_JOURNAL = "jobs"

RunOutcome = Literal["done", "failed", "day_off", "missed", "condition", "repeated", "broken"]
OUTCOME_LABELS: dict[RunOutcome, str] = {
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
    """One firing of a rule that ran or was skipped.

    `key` names the firing: the rule with the intended time or the event. `due` is the intended time, `at` when the
    run ended, both epoch seconds. `notices` are the keys of the notices it posted, for the outbox to look up.
    """

    rule_id: str
    key: str
    at: float
    due: float
    outcome: RunOutcome
    why: str = ""
    notices: tuple[str, ...] = ()


def unpack_runs(lines: Sequence[JournalLine], rule_id: str = "") -> list[Run]:
    """Return the runs of the journal's lines, oldest first; only those of one rule if `rule_id` is given."""
    runs = (from_json(Run, line.text) for line in lines)
    return [run for run in runs if not rule_id or run.rule_id == rule_id]
