"""The `if:` of a rule: one readable expression over the values of an event, read and judged by our own few lines.

Nothing is executed: there are names, numbers, texts, comparisons and the four kinds of arithmetic, and no way to more.
Pure.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from faqbot.rules.values import MissingValue, Values, look_up, shown

LONGEST = 500
_DEEPEST = 20
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)
    |"(?P<double>[^"]*)" | '(?P<single>[^']*)' | “(?P<chinese>[^”]*)” | ‘(?P<chinese_single>[^’]*)’
    |(?P<sign>==|!=|<=|>=|≠|≤|≥|&&|\|\||[<>=!()\[\],+\-*/（），＞＜])
    |(?P<word>[^\W\d]\w*(?:\.\w+)*))""",
    re.VERBOSE,
)
_SAME = {"≠": "!=", "≤": "<=", "≥": ">=", "＞": ">", "＜": "<", "（": "(", "）": ")", "，": ",", "=": "=="}
_SAME |= {"且": "and", "并且": "and", "&&": "and", "或": "or", "或者": "or", "||": "or", "非": "not", "不是": "not"}
_SAME |= {"!": "not", "属于": "in", "不属于": "not in", "真": "true", "假": "false", "空": "null", "none": "null"}
_JOINED = re.compile("并且|或者|[且或]")
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")
_ARITHMETIC: dict[str, Callable[[float, float], float]]
_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
_ORDER: dict[str, Callable[[Any, Any], Any]]
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_CONSTANTS: dict[str, object] = {"true": True, "false": False, "null": None}
_RESERVED = {"and", "or", "not", "in"}


class ConditionError(ValueError):
    """The expression cannot be read; the message is for the person who wrote it."""


class _Undecided(Exception):
    """The values do not allow an answer; the text says why."""


@dataclass(frozen=True, slots=True)
class _Constant:
    value: object


@dataclass(frozen=True, slots=True)
class _Name:
    name: str


@dataclass(frozen=True, slots=True)
class _List:
    items: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Prefix:
    sign: str
    inner: _Node


@dataclass(frozen=True, slots=True)
class _Infix:
    sign: str
    left: _Node
    right: _Node


_Node = _Constant | _Name | _List | _Prefix | _Infix


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression that was read; `names` are the values it looks at."""

    text: str
    root: _Node
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a condition holds, and why it does not."""

    holds: bool
    reason: str = ""


def read_condition(text: str) -> Condition:
    """Read one expression. Raises ConditionError."""
    if len(text) > LONGEST:
        raise ConditionError(f"条件太长（{len(text)} 字），最多 {LONGEST} 字")
    tokens = _tokens(text)
    if not tokens:
        raise ConditionError("条件是空的")
    parser = _Parser(tokens)
    root = parser.either(0)
    if parser.rest:
        raise ConditionError(f"“{parser.rest[0].text}”放在这里读不懂；例如 amount > 100000 and region == '华东'")
    names = tuple(dict.fromkeys(t.text for t in tokens if t.kind == "name"))
    return Condition(text, root, names)


def judge(condition: Condition, values: Values) -> Judged:
    """Whether the condition holds for these values; whatever they are, this raises nothing."""
    try:
        if _truth(_value(condition.root, values)):
            return Judged(True)
    except (_Undecided, MissingValue) as exc:
        return Judged(False, f"条件“{condition.text}”没法判断：{exc}")
    return Judged(False, f"条件“{condition.text}”不成立")


# -- reading ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, text, name or sign
    text: str


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            rest = text[at:].lstrip()
            why = "引号没有成对" if rest[:1] in "\"'“‘" else f"“{rest[:10]}”读不懂"
            raise ConditionError(f"{why}；例如 amount > 100000 and region == '华东'")
        kind = found.lastgroup or ""
        word = found.group(kind)
        at = found.end()
        # `金额>5且地区=='华东'` needs no blanks.
        if kind == "word" and tokens and tokens[-1].kind in ("number", "text") and (joined := _JOINED.match(word)):
            at -= len(word) - joined.end()
            word = joined.group()
        if kind in ("double", "single", "chinese", "chinese_single"):
            tokens.append(_Token("text", word))
        elif kind == "number":
            tokens.append(_Token("number", word))
        else:
            tokens.append(_named(kind, word))
    return tokens


def _named(kind: str, word: str) -> _Token:
    lower = word.casefold()
    meant = _SAME.get(lower, lower)
    if kind == "sign" or meant in _RESERVED or meant == "not in":
        return _Token("sign", meant)
    return _Token("constant", meant) if meant in _CONSTANTS else _Token("name", word)


class _Parser:
    """Recursive descent, one method per strength of binding; `depth` ends what nests without end."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.rest = tokens

    def _next_is(self, *signs: str) -> bool:
        return bool(self.rest) and self.rest[0].kind == "sign" and self.rest[0].text in signs

    def _take(self) -> _Token:
        if not self.rest:
            raise ConditionError("条件没有写完；例如 amount > 100000 and region == '华东'")
        return self.rest.pop(0)

    def _need(self, sign: str) -> None:
        if not self._next_is(sign):
            raise ConditionError(f"少了“{sign}”")
        self._take()

    def either(self, depth: int) -> _Node:
        return self._chain(("or",), self._both, depth)

    def _both(self, depth: int) -> _Node:
        return self._chain(("and",), self._negated, depth)

    def _negated(self, depth: int) -> _Node:
        if not self._next_is("not"):
            return self._comparison(depth)
        self._deeper(depth)
        self._take()
        return _Prefix("not", self._negated(depth + 1))

    def _comparison(self, depth: int) -> _Node:
        left = self._sum(depth)
        sign = self._comparison_sign()
        if not sign:
            return left
        node = _Infix(sign, left, self._sum(depth))
        if self._comparison_sign():
            raise ConditionError("一次只能比较两个值：请写成 1 < a and a < 5")
        return node

    def _comparison_sign(self) -> str:
        if self._next_is("not") and len(self.rest) > 1 and self.rest[1] == _Token("sign", "in"):
            del self.rest[:2]
            return "not in"
        return self._take().text if self._next_is(*_COMPARISONS) else ""

    def _sum(self, depth: int) -> _Node:
        return self._chain(("+", "-"), self._product, depth)

    def _product(self, depth: int) -> _Node:
        return self._chain(("*", "/"), self._single, depth)

    def _chain(self, signs: tuple[str, ...], inner: Callable[[int], _Node], depth: int) -> _Node:
        node = inner(depth)
        while self._next_is(*signs):
            node = _Infix(self._take().text, node, inner(depth))
        return node

    def _single(self, depth: int) -> _Node:
        self._deeper(depth)
        if self._next_is("-"):
            self._take()
            return _Prefix("-", self._single(depth + 1))
        if self._next_is("("):
            self._take()
            node = self.either(depth + 1)
            if self._next_is(","):
                return self._list(node, ")", depth)
            self._need(")")
            return node
        if self._next_is("["):
            self._take()
            return self._list(self._sum(depth + 1), "]", depth)
        token = self._take()
        if token.kind == "number":
            return _Constant(float(token.text) if "." in token.text else int(token.text))
        if token.kind == "text":
            return _Constant(token.text)
        if token.kind == "constant":
            return _Constant(_CONSTANTS[token.text])
        if token.kind == "name":
            return _Name(token.text)
        raise ConditionError(f"“{token.text}”放在这里读不懂；例如 amount > 100000 and region == '华东'")

    def _list(self, first: _Node, close: str, depth: int) -> _Node:
        items = [first]
        while self._next_is(","):
            self._take()
            if not self._next_is(close):
                items.append(self._sum(depth + 1))
        self._need(close)
        return _List(tuple(items))

    def _deeper(self, depth: int) -> None:
        if depth > _DEEPEST:
            raise ConditionError("条件套得太深，请拆成几条规则")


# -- judging ---------------------------------------------------------------------------------------


def _value(node: _Node, values: Values) -> object:
    match node:
        case _Constant(value):
            return value
        case _Name(name):
            return look_up(name, values)
        case _List(items):
            return [_value(item, values) for item in items]
        case _Prefix("not", inner):
            return not _truth(_value(inner, values))
        case _Prefix(_, inner):
            return -_number(_value(inner, values))
        case _Infix("and", left, right):
            return _truth(_value(left, values)) and _truth(_value(right, values))
        case _Infix("or", left, right):
            return _truth(_value(left, values)) or _truth(_value(right, values))
        case _Infix(sign, left, right):
            return _combined(sign, _value(left, values), _value(right, values))


def _combined(sign: str, left: object, right: object) -> object:
    if sign in ("in", "not in"):
        return _contains(right, left) == (sign == "in")
    if sign in ("==", "!="):
        return _equal(left, right) == (sign == "==")
    if sign == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right
    if sign in _ARITHMETIC:
        return _arithmetic(sign, _number(left), _number(right))
    return _ordered(sign, left, right)


def _arithmetic(sign: str, left: float, right: float) -> float:
    if sign == "/" and right == 0:
        raise _Undecided("除数是 0")
    try:
        return _ARITHMETIC[sign](left, right)
    except OverflowError as exc:
        raise _Undecided("数字太大") from exc


def _ordered(sign: str, left: object, right: object) -> bool:
    # Two texts compare as texts (dates do so rightly); as soon as one is a number both have to be.
    if isinstance(left, str) and isinstance(right, str):
        return bool(_ORDER[sign](left, right))
    try:
        return bool(_ORDER[sign](_number(left), _number(right)))
    except _Undecided as exc:
        raise _Undecided(f"{exc}，不能比大小") from exc


def _equal(left: object, right: object) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (int, float)) != isinstance(right, (int, float)):
        # Other systems send numbers as texts: "1001" is 1001.
        try:
            return _number(left) == _number(right)
        except _Undecided:
            return False
    return left == right


def _contains(whole: object, part: object) -> bool:
    if isinstance(whole, str):
        return shown("", part) in whole
    if isinstance(whole, Sequence):
        return any(_equal(item, part) for item in whole)
    raise _Undecided("in 的右边应是一段文字或一个列表")


def _number(value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return float(value.replace(",", "").strip()) if len(value) < 40 else float("x")
        except ValueError:
            pass
    raise _Undecided(f"“{str(value)[:20]}”不是数字")


def _truth(value: object) -> bool:
    return bool(value)
