"""Reads the `when:` of a rule into a trigger and a condition. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingABC
from datetime import time

from faqbot.rules import key_names
from faqbot.rules.condition_syntax import ConditionError
from faqbot.rules.conditions import Condition, read_condition
from faqbot.rules.definitions import EventTrigger, Trigger
from faqbot.rules.schedule import Cron, Daily, Days, Monthly, cron_problem
from faqbot.yamltext.field_reader import FieldReader
from faqbot.yamltext.key_names import nearest_key
from faqbot.yamltext.nodes import Mapping, Node, Scalar, Sequence

_TIME = re.compile(r"(\d{1,2})\s*(?:[:：点时]\s*(\d{1,2}|半)?)\s*分?")
_EVENT = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_EXAMPLE = 'when 应写成 {at: "09:00", on: workday}、{monthly: 1, at: "09:40"}、{cron: "0 9 * * 1-5"} 或 {event: 事件名}'


class TriggerReader(FieldReader):
    """Reads triggers and conditions, and reports unreadable ones."""

    __slots__ = ()

    def trigger_and_condition(self, node: Node | None, line: int) -> tuple[Trigger | None, Condition | None]:
        """Read a `when:`; `line` is where the rule is, for a missing one."""
        if not isinstance(node, Mapping):
            self.error(node.line if node else line, _EXAMPLE if node else f"没有写什么时候做：{_EXAMPLE}")
            return None, None
        fields = self.known_values(node, key_names.WHEN, "when")
        return self._trigger(fields, node.line), self._condition(fields.get("if"))

    def choice(self, node: Node | None, key: str, allowed: MappingABC[str, str], example: str) -> str:
        """Return the value that `allowed` has for the written word; empty if there is no word, or an unknown one."""
        word = self.text(node, key)
        if node is None or not word:
            return ""
        value = allowed.get(word.casefold(), "")
        if not value:
            near = nearest_key(word, dict(allowed))
            hint = f"，是不是“{near}”？" if near else ""
            self.error(node.line, f"“{key}”应是 {example}，这里写的是“{word[:20]}”{hint}")
        return value

    def _trigger(self, fields: MappingABC[str, Node], line: int) -> Trigger | None:
        kinds = [kind for kind in ("event", "cron", "monthly") if kind in fields]
        if len(kinds) > 1:
            self.error(line, f"{'、'.join(kinds)} 只能写一个：一条任务只有一种开始的方式")
            return None
        kind = kinds[0] if kinds else "at"
        surplus = {"event": ("at", "on"), "cron": ("at",)}.get(kind, ())
        for key in surplus:
            if key in fields:
                self.error(fields[key].line, f"写了 {kind} 就不用写 {key}，请删掉一个")
                return None
        if kind == "event":
            return self._event(fields["event"])
        if kind == "cron":
            return self._cron(fields["cron"], fields.get("on"))
        at = self._time(fields.get("at"), line)
        if kind == "monthly":
            return self._monthly(fields["monthly"], fields.get("on"), at)
        days = self._days(fields.get("on"))
        return Daily(at, days) if at is not None and days is not None else None

    def _event(self, node: Node) -> EventTrigger | None:
        name = self.text(node, "event")
        if _EVENT.fullmatch(name):
            return EventTrigger(name)
        self.error(node.line, f"事件名“{name[:30]}”应由字母、数字、点和横线组成，例如 crm.customer.created")
        return None

    def _cron(self, node: Node, on: Node | None) -> Cron | None:
        expression = " ".join(self.text(node, "cron").split())
        if problem := cron_problem(expression):
            self.error(node.line, problem)
            return None
        days = self._days(on)
        if days is not None and days.kind == "weekdays":
            self.error(node.line, "cron 的第 5 段就是星期，on 里请只写 workday 或 holiday")
            return None
        return Cron(expression, days) if days is not None else None

    def _monthly(self, node: Node, on: Node | None, at: time | None) -> Monthly | None:
        word = self.text(node, "monthly")
        days = self._days(on)
        if word in key_names.LAST_WORKDAY:
            return Monthly(0, at) if at is not None and days is not None else None
        number = word.removesuffix("日").removesuffix("号").strip()
        if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= 31:
            self.error(node.line, f"monthly 应是 1 到 31 的数字或 last-workday（最后一个工作日），这里是“{word[:20]}”")
            return None
        if days is not None and days.kind not in ("every-day", "workday"):
            self.error(on.line if on else node.line, "每月的任务，on 只能是 workday（从那天起的第一个工作日）")
            return None
        return Monthly(int(number), at, days.kind == "workday") if at is not None and days is not None else None

    def _time(self, node: Node | None, line: int) -> time | None:
        if node is None:
            self.error(line, f"没有写几点：{_EXAMPLE}")
            return None
        text = self.text(node, "at")
        match = _TIME.fullmatch(text)
        hour, minute = (int(match[1]), 30 if match[2] == "半" else int(match[2] or 0)) if match else (24, 0)
        if hour > 23 or minute > 59:
            self.error(node.line, f"时间“{text[:20]}”读不懂，请写成 09:00 这样，从 00:00 到 23:59")
            return None
        return time(hour, minute)

    def _days(self, node: Node | None) -> Days | None:
        """Read `on`, which is one word or days of the week; return None if it cannot be read."""
        if node is None or (isinstance(node, Scalar) and not node.value.strip()):
            return Days()
        if isinstance(node, Scalar):
            match key_names.DAYS.get(self.text(node, "on").casefold()):
                case "workday":
                    return Days("workday")
                case "holiday":
                    return Days("holiday")
                case "every-day":
                    return Days()
        weekdays: set[int] = set()
        for item in node.items if isinstance(node, Sequence) else [node]:
            day = key_names.WEEKDAYS.get(self.text(item, "on").casefold())
            if day is None:
                self._unknown_day(item)
                return None
            weekdays.add(day)
        return Days("weekdays", frozenset(weekdays))

    def _unknown_day(self, item: Node) -> None:
        word = item.value.strip() if isinstance(item, Scalar) else ""
        near = nearest_key(word, dict.fromkeys([*key_names.DAYS, *key_names.WEEKDAYS], "")) if word else ""
        hint = f"，是不是“{near}”？" if near else "；"
        listed = "workday（工作日）、holiday（休息日）、every-day（每天）或星期的列表，例如 [mon, wed]、[周一, 周三]"
        self.error(item.line, f"on 里的“{word[:20]}”读不懂{hint}可以写 {listed}")

    def _condition(self, node: Node | None) -> Condition | None:
        if node is None:
            return None
        try:
            return read_condition(self.text(node, "if"))
        except ConditionError as exc:
            self.error(node.line, f"if 读不懂：{exc}")
            return None
