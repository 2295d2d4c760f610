"""Parses `automations.yaml` and finds every problem in it, with file and line. Pure.

A mistake inside a rule stops only that rule; one outside the rules keeps the whole file from going live.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

from faqbot.model.entries import Place, Problem
from faqbot.rules import key_names
from faqbot.rules.action_reader import ActionReader
from faqbot.rules.definitions import Automations, GroupRobot, Rule, Secret, WebhookToken
from faqbot.rules.schedule import Calendar
from faqbot.rules.trigger_reader import TriggerReader
from faqbot.yamltext.field_reader import parse_date
from faqbot.yamltext.key_names import nearest_key
from faqbot.yamltext.nodes import Mapping, Node, Scalar
from faqbot.yamltext.nodes import Sequence as Items


@dataclass(frozen=True, slots=True)
class ParsedAutomations:
    """The content and the problems of the file; unless `ok`, it must not go live."""

    automations: Automations
    problems: tuple[Problem, ...]
    ok: bool


def read_automations(name: str, raw: bytes) -> ParsedAutomations:
    """Read the bytes of `automations.yaml`; raise nothing, whatever the file holds."""
    reader = _FileReader(name)
    root = reader.parse(raw)
    automations = Automations()
    if isinstance(root, Mapping):
        automations = reader.automations(root)
    elif root is not None:
        reader.error(
            root.line, "这个文件应以 robots:、automations: 等开头，例如 automations: 下面每条任务以“- id:”开头"
        )
    ok = not any(p.is_error for p in reader.problems if p not in reader.rule_problems)
    return ParsedAutomations(automations, tuple(reader.problems), ok)


class _FileReader(TriggerReader, ActionReader):
    """Reads the whole file; `rule_problems` are those inside a rule."""

    __slots__ = ("rule_problems",)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.rule_problems: list[Problem] = []

    def automations(self, root: Mapping) -> Automations:
        fields = self.known_values(root, key_names.FILE, "这个文件")
        robots = dict(self._robots(fields.get("robots")))
        webhook_tokens = tuple(self._webhook_tokens(fields.get("hooks")))
        calendar = self._calendar(fields.get("calendar"))
        self.allowed_hosts = frozenset(host.casefold() for host in self.texts(fields.get("allow_http"), "allow_http"))
        rules = tuple(self._rules(fields.get("automations")))
        rules = tuple(self._with_known_robots(rule, robots) for rule in rules)
        return Automations(robots, rules, webhook_tokens, calendar, self.allowed_hosts)

    # -- outside the rules -------------------------------------------------------------------

    def _named_mappings(self, node: Node | None, key: str, example: str) -> Iterator[tuple[Scalar, Mapping]]:
        if isinstance(node, Mapping):
            for name, value in self.pairs(node):
                if isinstance(value, Mapping):
                    yield name, value
                else:
                    self.error(value.line, f"“{name.value}”应写成 {example}")
        elif node is not None and not _empty(node):
            self.error(node.line, f"“{key}”应写成 {example}，每行一个")

    def _robots(self, node: Node | None) -> Iterator[tuple[str, GroupRobot]]:
        for name, value in self._named_mappings(node, "robots", "名字: {token: $ROBOT_TOKEN, secret: $ROBOT_SECRET}"):
            fields = self.known_values(value, key_names.ROBOT, "机器人")
            token = self._secret(fields.get("token"), f"机器人“{name.value}”的 token")
            secret = self._secret(fields.get("secret"), f"机器人“{name.value}”的 secret")
            if token:
                yield name.value.strip(), GroupRobot(name.value.strip(), token, secret, Place(self.name, name.line))
            elif "token" not in fields:
                self.error(value.line, f"机器人“{name.value}”没有 token，请写 token: $环境变量名")

    def _webhook_tokens(self, node: Node | None) -> Iterator[WebhookToken]:
        for name, value in self._named_mappings(node, "hooks", "crm.*: {token: $CRM_HOOK_TOKEN}"):
            fields = self.known_values(value, key_names.HOOK, "外部事件")
            if token := self._secret(fields.get("token"), f"外部事件“{name.value}”的 token"):
                yield WebhookToken(name.value.strip(), token, Place(self.name, name.line))
            elif "token" not in fields:
                self.error(value.line, f"外部事件“{name.value}”没有 token，请写 token: $环境变量名")

    def _secret(self, node: Node | None, what: str) -> Secret:
        text = self.text(node, what)
        secret = Secret.parse(text)
        if node is not None and not text:
            self.error(node.line, f"{what}是空的，请写 $环境变量名")
        elif secret.literal:
            # Not by warn(), which would quote the line with the secret in it.
            message = f"{what}直接写在了文件里，看得到文件的人都能用它；请放进环境变量，这里只写 $变量名"
            self.problems.append(Problem(Place(self.name, node.line if node else 1), message, is_error=False))
        return secret

    def _calendar(self, node: Node | None) -> Calendar:
        if not isinstance(node, Mapping):
            if node is not None and not _empty(node):
                self.error(node.line, "calendar 应写成 {holidays: [2026-12-25], workdays: [2026-10-10]}")
            return Calendar()
        fields = self.known_values(node, key_names.CALENDAR, "日历")
        holidays = frozenset(self._dates(fields.get("holidays"), "holidays"))
        workdays = frozenset(self._dates(fields.get("workdays"), "workdays"))
        for day in sorted(holidays & workdays):
            self.error(node.line, f"{day} 既写成放假又写成上班")
        return Calendar(holidays, workdays)

    def _dates(self, node: Node | None, key: str) -> Iterator[date]:
        items: Sequence[Node] = node.items if isinstance(node, Items) else [node] if node and not _empty(node) else []
        for item in items:
            if day := parse_date(item):
                yield day
            else:
                self.error(item.line, f"“{key}”里应是日期，例如 [2026-10-01, 2026-10-02]")

    # -- the rules ---------------------------------------------------------------------------

    def _rules(self, node: Node | None) -> Iterator[Rule]:
        if node is None or _empty(node):
            return
        if not isinstance(node, Items):
            self.error(node.line, "automations 应是一个列表，每条任务以“- id:”开头")
            return
        lines: dict[str, int] = {}
        for number, item in enumerate(node.items, 1):
            before = len(self.problems)
            with self._inside_rule():
                rule = self._rule(item, number)
                if rule.id in lines:
                    self.error(item.line, f"编号“{rule.id}”重复（第 {lines[rule.id]} 行已有）")
                    rule = replace(rule, id=f"{rule.id}@{item.line}")
            lines.setdefault(rule.id, item.line)
            yield replace(rule, problem=next((p for p in self.problems[before:] if p.is_error), None))

    @contextmanager
    def _inside_rule(self) -> Iterator[None]:
        before = len(self.problems)
        yield
        self.rule_problems += self.problems[before:]

    def _rule(self, item: Node, number: int) -> Rule:
        place = Place(self.name, item.line)
        if not isinstance(item, Mapping):
            self.error(item.line, "每条任务应写成“- id: 编号”，下面是 when: 和 do:")
            return Rule(f"第 {number} 条", None, (), place=place)
        fields = self.known_values(item, key_names.RULE, "任务")
        rule_id = " ".join(self.text(fields.get("id"), "id").split())
        if not rule_id:
            self.error(item.line, "任务没有编号，请写 id: 一个不会改的名字，例如 id: standup")
        trigger, condition = self.trigger_and_condition(fields.get("when"), item.line)
        actions = self.actions(fields.get("do"), item.line)
        misfire_policy = (
            self.choice(fields.get("missed"), "missed", key_names.MISSED, "skip（跳过）或 once（补一次）") or "skip"
        )
        return Rule(
            rule_id or f"第 {number} 条",
            trigger,
            actions,
            condition,
            "once" if misfire_policy == "once" else "skip",
            place,
        )

    def _with_known_robots(self, rule: Rule, robots: dict[str, GroupRobot]) -> Rule:
        """Return the rule, with a problem if it uses a robot that the file does not define."""
        for name in rule.robots:
            if name not in robots:
                near = nearest_key(name, dict.fromkeys(robots, ""))
                hint = f"，是不是“{near}”？" if near else "，请在 robots: 下面写上它的 token"
                with self._inside_rule():
                    self.error(rule.place.line, f"没有叫“{name}”的机器人{hint}")
                rule = replace(rule, problem=rule.problem or self.problems[-1])
        return rule


def _empty(node: Node) -> bool:
    return isinstance(node, Scalar) and not node.value.strip()
