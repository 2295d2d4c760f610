"""What `automations.yaml` says: robots, rules, hooks, the company's calendar. Facts only; `reading.py` makes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from faqbot.model.entries import Place, Problem
from faqbot.rules.conditions import Condition
from faqbot.rules.schedule import Calendar, Timed
from faqbot.rules.templates import Template

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
NOWHERE = Place("", 0)
# What looks up an environment variable; empty where it is not set.
Variables = Callable[[str], str]
DINGTALK_EVENTS = "dingtalk."


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret as the file gives it: the name of an environment variable or, where somebody wrote it out, itself."""

    variable: str = ""
    literal: str = field(default="", repr=False)

    @classmethod
    def read(cls, text: str) -> Secret:
        named = _VARIABLE.fullmatch(text.strip())
        return cls(variable=named.group(1)) if named else cls(literal=text.strip())

    def __bool__(self) -> bool:
        return bool(self.variable or self.literal)

    def value(self, variable: Variables) -> str:
        """The secret itself; empty where the variable is not set."""
        return variable(self.variable) if self.variable else self.literal


@dataclass(frozen=True, slots=True)
class GroupRobot:
    """A custom robot of a group. Without a secret it is guarded by keywords or by the sender's address."""

    name: str
    token: Secret
    secret: Secret = field(default_factory=Secret)
    place: Place = NOWHERE

    def why_not(self, variable: Variables) -> str:
        """Why it cannot send now, for people; empty if it can."""
        missing = [s.variable for s in (self.token, self.secret) if s.variable and not s.value(variable)]
        return f"机器人“{self.name}”还没有设置环境变量 {'、'.join(missing)}" if missing else ""


@dataclass(frozen=True, slots=True)
class Hook:
    """A sender that cannot sign: its token opens the events whose names match `pattern` (`crm.*`)."""

    pattern: str
    token: Secret
    place: Place = NOWHERE

    def opens(self, event: str) -> bool:
        return fnmatchcase(event, self.pattern)


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """An event by name; `dingtalk.…` are those that DingTalk itself sends over the stream."""

    event: str


Trigger = Timed | EventTrigger


@dataclass(frozen=True, slots=True)
class Button:
    title: Template
    url: Template


@dataclass(frozen=True, slots=True)
class Notify:
    """A message to robots, groups (openConversationId) and people (userId or a name from `groups.yaml`)."""

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
    """A new colleague for the address book: DingTalk's fields by our names."""

    fields: Mapping[str, Template]
    departments: tuple[Template, ...] = ()


@dataclass(frozen=True, slots=True)
class AttendanceReport:
    """The monthly report: of which month (`last`, `this` or 2026-01), for whom, and where it is announced."""

    month: str
    departments: tuple[str, ...]
    robot: str = ""
    at_supervisors: bool = False
    hr: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Digest:
    """The week's questions and what they leave to do, for robots, groups and people."""

    robots: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """JSON for an address inside the company; `body` is a tree whose texts are templates."""

    url: Template
    body: object = None


Action = Notify | AddContact | AttendanceReport | Digest | Post


@dataclass(frozen=True, slots=True)
class Rule:
    """One routine job. With a problem it does not run; trigger and actions may then be missing."""

    id: str
    trigger: Trigger | None
    actions: tuple[Action, ...]
    condition: Condition | None = None
    missed: Literal["skip", "once"] = "skip"
    place: Place = NOWHERE
    problem: Problem | None = None

    @property
    def robots(self) -> tuple[str, ...]:
        """The robots it speaks through."""
        found: list[str] = []
        for action in self.actions:
            if isinstance(action, Notify | Digest):
                found += action.robots
            elif isinstance(action, AttendanceReport) and action.robot:
                found.append(action.robot)
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Automations:
    """The whole file."""

    robots: Mapping[str, GroupRobot] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    hooks: tuple[Hook, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)
    allow_http: frozenset[str] = frozenset()

    def rule(self, rule_id: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def on_event(self, event: str) -> tuple[Rule, ...]:
        """The rules that wait for this event, broken ones too."""
        return tuple(r for r in self.rules if isinstance(r.trigger, EventTrigger) and r.trigger.event == event)

    def hears_dingtalk(self) -> bool:
        """Whether a rule waits for one of DingTalk's own events."""
        return any(
            isinstance(r.trigger, EventTrigger) and r.trigger.event.startswith(DINGTALK_EVENTS) for r in self.rules
        )

    def why_not(self, rule: Rule, variable: Variables) -> str:
        """Why a rule does not run now, for people; empty if it does."""
        if rule.problem is not None:
            return f"{rule.problem.place} {rule.problem.message}"
        reasons = [self.robots[name].why_not(variable) for name in rule.robots if name in self.robots]
        return "；".join(filter(None, reasons))
