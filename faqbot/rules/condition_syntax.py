"""The syntax tree of a condition, the `if:` of a rule. Pure."""

from __future__ import annotations

from dataclasses import dataclass


class ConditionError(ValueError):
    """The expression cannot be read; the message is for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a text, true, false or null."""

    value: object


@dataclass(frozen=True, slots=True)
class Name:
    """The dotted name of a value of the event."""

    name: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list in brackets or parentheses."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """`operator` is `not` or `-`."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Infix:
    """`operator` in its one canonical spelling, such as `and` for 且 and `==` for `=`."""

    operator: str
    left: Expression
    right: Expression


Expression = Constant | Name | ListOf | Prefix | Infix
