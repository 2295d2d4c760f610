"""Conditions, the `if:` of a rule: compiled once, then evaluated over the values of each event.

Nothing is executed: an expression has names, numbers, texts, comparisons and arithmetic, and no way to anything else.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from faqbot.rules.condition_syntax import ConditionError, Constant, Expression, Infix, ListOf, Name, Prefix
from faqbot.rules.values import MissingValue, Values, format_value, look_up

MAX_CHARS = 500
_ARITHMETIC: dict[str, Callable[[float, float], float]]
_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
_ORDER: dict[str, Callable[[Any, Any], Any]]
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class _Undecidable(Exception):
    """The values do not allow an answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression and its text."""

    text: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Judgement:
    """`reason` says, for people, why the condition does not hold or cannot be decided; empty if it holds."""

    holds: bool
    reason: str = ""


def read_condition(text: str) -> Condition:
    """Read one expression of at most MAX_CHARS. Raises ConditionError."""
    # The parser is costly to import, and rules without conditions do not need it.
    from faqbot.rules.condition_parser import parse

    if len(text) > MAX_CHARS:
        raise ConditionError(f"条件太长（{len(text)} 字），最多 {MAX_CHARS} 字")
    return Condition(text, parse(text))


def judge(condition: Condition, values: Values) -> Judgement:
    """Decide whether the condition holds for these values; raise nothing, whatever they are."""
    try:
        if bool(_value(condition.expression, values)):
            return Judgement(True)
    except (_Undecidable, MissingValue) as exc:
        return Judgement(False, f"条件“{condition.text}”没法判断：{exc}")
    return Judgement(False, f"条件“{condition.text}”不成立")


def _value(expression: Expression, values: Values) -> object:
    match expression:
        case Constant(value):
            return value
        case Name(name):
            return look_up(name, values)
        case ListOf(items):
            return [_value(item, values) for item in items]
        case Prefix("not", operand):
            return not bool(_value(operand, values))
        case Prefix(_, operand):
            return -_number(_value(operand, values))
        case Infix("and", left, right):
            return bool(_value(left, values)) and bool(_value(right, values))
        case Infix("or", left, right):
            return bool(_value(left, values)) or bool(_value(right, values))
        case Infix(symbol, left, right):
            return _apply(symbol, _value(left, values), _value(right, values))


def _apply(symbol: str, left: object, right: object) -> object:
    if symbol in ("in", "not in"):
        return _contains(right, left) == (symbol == "in")
    if symbol in ("==", "!="):
        return _equal(left, right) == (symbol == "==")
    if symbol == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right
    if symbol in _ARITHMETIC:
        return _arithmetic(symbol, _number(left), _number(right))
    return _ordered(symbol, left, right)


def _arithmetic(symbol: str, left: float, right: float) -> float:
    if symbol == "/" and right == 0:
        raise _Undecidable("除数是 0")
    try:
        return _ARITHMETIC[symbol](left, right)
    except OverflowError as exc:
        raise _Undecidable("数字太大") from exc


def _ordered(symbol: str, left: object, right: object) -> bool:
    # Two texts compare as texts (dates do so rightly); as soon as one is a number both have to be.
    if isinstance(left, str) and isinstance(right, str):
        return bool(_ORDER[symbol](left, right))
    try:
        return bool(_ORDER[symbol](_number(left), _number(right)))
    except _Undecidable as exc:
        raise _Undecidable(f"{exc}，不能比大小") from exc


def _equal(left: object, right: object) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (int, float)) != isinstance(right, (int, float)):
        # Other systems send numbers as texts: "1001" is 1001.
        try:
            return _number(left) == _number(right)
        except _Undecidable:
            return False
    return left == right


def _contains(container: object, item: object) -> bool:
    if isinstance(container, str):
        return format_value("", item) in container
    if isinstance(container, Sequence):
        return any(_equal(member, item) for member in container)
    raise _Undecidable("in 的右边应是一段文字或一个列表")


def _number(value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return float(value.replace(",", "").strip()) if len(value) < 40 else float("x")
        except ValueError:
            pass
    raise _Undecidable(f"“{str(value)[:20]}”不是数字")
