"""Data classes of a parsed `automations.yaml`: robots, rules, webhook tokens, the company's calendar. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from faqbot.model.entries import Place, Problem
from faqbot.rules.conditions import Condition
from faqbot.rules.schedule import Calendar, Schedule
from faqbot.rules.templates import Template

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
NO_PLACE = Place("", 0)
# Looks up an environment variable; returns an empty text for one that is not set.
EnvironmentLookup = Callable[[str], str]
DINGTALK_EVENT_PREFIX = "dingtalk."


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret of the file: the name of an environment variable or, if it is written out, the secret itself."""

    variable: str = ""
    literal: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> Secret:
        match = _VARIABLE.fullmatch(text.strip())
        return cls(variable=match.group(1)) if match else cls(literal=text.strip())

    def __bool__(self) -> bool:
        return bool(self.variable or self.literal)

    def resolve(self, variable: EnvironmentLookup) -> str:
        """Return the secret itself; empty if the variable is not set."""
        return variable(self.variable) if self.variable else self.literal


@dataclass(frozen=True, slots=True)
class GroupRobot:
    """A custom robot of a group. One without a secret is protected by keywords or by the sender's IP address."""

    name: str
    token: Secret
    secret: Secret = field(default_factory=Secret)
    place: Place = NO_PLACE

    def blocked_reason(self, variable: EnvironmentLookup) -> str:
        """Return why the robot cannot send now, for people; empty if it can."""
        missing = [s.variable for s in (self.token, self.secret) if s.variable and not s.resolve(variable)]
        return f"机器人“{self.name}”还没有设置环境变量 {'、'.join(missing)}" if missing else ""


@dataclass(frozen=True, slots=True)
class WebhookToken:
    """The token of a sender that cannot sign; it authorizes the events whose names match `pattern` (`crm.*`)."""

    pattern: str
    token: Secret
    place: Place = NO_PLACE

    def allows(self, event: str) -> bool:
        return fnmatchcase(event, self.pattern)


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """An event by name; DingTalk itself sends those that begin with `dingtalk.` over the stream."""

    event: str


Trigger = Schedule | EventTrigger


@dataclass(frozen=True, slots=True)
class Button:
    title: Template
    url: Template


@dataclass(frozen=True, slots=True)
class Notify:
    """Send a message to robots, groups (openConversationId) and people (userId or a name from `groups.yaml`)."""

    robots: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    people: tuple[Template, ...] = ()
    form: Literal["text", "markdown", "link", "card"] = "text"
    title: Template | None = None
    body: Template | None = None
    url: Template | None = None
    picture: Template | None = None
    buttons: tuple[Button, ...] = ()
    at_mobiles: tuple[Template, ...] = ()
    at_userids: tuple[Template, ...] = ()
    at_all: bool = False


@dataclass(frozen=True, slots=True)
class AddContact:
    """Add a new colleague to the contacts; `fields` are DingTalk's, by the names of `contact_fields`."""

    fields: Mapping[str, Template]
    departments: tuple[Template, ...] = ()


@dataclass(frozen=True, slots=True)
class AttendanceReport:
    """Make the report of a month (`last`, `this` or 2026-01) for departments, and announce it through a robot."""

    month: str
    departments: tuple[str, ...]
    robot: str = ""
    at_supervisors: bool = False
    hr: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Digest:
    """Send the weekly digest of questions and open work to robots, groups and people."""

    robots: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpPost:
    """Post JSON to a URL inside the company; `body` is a tree whose texts are templates."""

    url: Template
    body: object = None


Action = Notify | AddContact | AttendanceReport | Digest | HttpPost


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a trigger, a condition and actions. One with a problem does not run, and parts of it may be missing.

    `misfire_policy` says what happens to occurrences missed while the bot was down: skip all, or run the last once.
    """

    id: str
    trigger: Trigger | None
    actions: tuple[Action, ...]
    condition: Condition | None = None
    misfire_policy: Literal["skip", "once"] = "skip"
    place: Place = NO_PLACE
    problem: Problem | None = None

    @property
    def robots(self) -> tuple[str, ...]:
        """Names of the robots that the actions send through."""
        names: list[str] = []
        for action in self.actions:
            if isinstance(action, Notify | Digest):
                names += action.robots
            elif isinstance(action, AttendanceReport) and action.robot:
                names.append(action.robot)
        return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class Automations:
    """The whole file. `allow_http` are the hosts that actions may post to."""

    robots: Mapping[str, GroupRobot] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    webhook_tokens: tuple[WebhookToken, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)
    allow_http: frozenset[str] = frozenset()

    def rule(self, rule_id: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def rules_for_event(self, event: str) -> tuple[Rule, ...]:
        """Return the rules that this event triggers, including those with a problem."""
        return tuple(r for r in self.rules if isinstance(r.trigger, EventTrigger) and r.trigger.event == event)

    def has_dingtalk_events(self) -> bool:
        """Return True if one of DingTalk's own events triggers a rule."""
        return any(
            isinstance(r.trigger, EventTrigger) and r.trigger.event.startswith(DINGTALK_EVENT_PREFIX)
            for r in self.rules
        )

    def blocked_reason(self, rule: Rule, variable: EnvironmentLookup) -> str:
        """Return why the rule cannot run now, for people; empty if it can."""
        if rule.problem is not None:
            return f"{rule.problem.place} {rule.problem.message}"
        reasons = [self.robots[name].blocked_reason(variable) for name in rule.robots if name in self.robots]
        return "；".join(filter(None, reasons))
