"""Parses the text of a condition by an LALR grammar into a syntax tree, or reports the syntax error. Pure.

Importing lark and building the parser take about 0.1 s, so this module is imported when the first condition is read.
"""

from __future__ import annotations

import re
from functools import cache

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedToken

from faqbot.rules.condition_syntax import ConditionError, Constant, Expression, Infix, ListOf, Name, Prefix

_GRAMMAR = r"""
?start: conjunction | start OR conjunction          -> infix
?conjunction: negation | conjunction AND negation   -> infix
?negation: comparison | NOT negation                -> prefix
?comparison: sum | sum (COMPARE | IN | NOT_IN) sum  -> infix
?sum: product | sum (PLUS | MINUS) product          -> infix
?product: operand | product TIMES operand           -> infix
?operand: NUMBER | TEXT | CONSTANT | NAME
    | MINUS operand                                 -> prefix
    | _OPEN start _CLOSE                            -> group
    | _OPEN start _COMMA (sum _COMMA)* sum? _CLOSE  -> list
    | "[" sum (_COMMA sum)* _COMMA? "]"             -> list

NUMBER: /\d+(\.\d+)?/
TEXT: /"[^"]*"|'[^']*'|“[^”]*”|‘[^’]*’/
NAME: /[^\W\d]\w*(\.\w+)*/
CONSTANT.2: /(true|false|null|none|真|假|空)(?!\.?\w)/i
AND.2: /&&|(and|并?且)(?!\.?\w)/i
OR.2: /\|\||(or|或者?)(?!\.?\w)/i
NOT.2: /!|(not|非|不是)(?!\.?\w)/i
IN.2: /(in|属于)(?!\.?\w)/i
NOT_IN.3: /((!|(not|非|不是)\s)\s*(in|属于)|不属于)(?!\.?\w)/i
COMPARE.3: /[=!<>]=|[=<>≠≤≥＜＞]/
PLUS: "+"
MINUS: "-"
TIMES: /[*\/]/
_OPEN: /[(（]/
_CLOSE: /[)）]/
_COMMA: /[,，]/
%ignore /\s+/
"""
_CANONICAL_BY_KIND = {"AND": "and", "OR": "or", "NOT": "not", "IN": "in", "NOT_IN": "not in"}
_CANONICAL = {
    "=": "==", "≠": "!=", "≤": "<=", "≥": ">=", "＜": "<", "＞": ">",
    "（": "(", "）": ")", "，": ",",
    "真": "true", "假": "false", "空": "null", "none": "null",
}  # fmt: skip
_CONSTANTS: dict[str, object] = {"true": True, "false": False, "null": None}
# A conjunction that follows a number or a text ends there even without a blank: `金额>5且地区=='华东'`.
_JOINED = re.compile(
    r"""[^\W\d]\w*(?:\.\w+)* | (?:\d+(?:\.\d+)?|"[^"]*"|'[^']*'|“[^”]*”|‘[^’]*’)(\s*(?:并且|或者|[且或]))?""",
    re.VERBOSE,
)
# Deeper nesting is refused: judging recurses as deep as an expression is nested.
_MAX_DEPTH = 20
_EXAMPLE = "例如 amount > 100000 and region == '华东'"


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="basic")


def parse(text: str) -> Expression:
    """Parse one expression. Raises ConditionError."""
    text = text.rstrip()
    # An unreadable sign anywhere is reported before a word in the wrong place.
    if not _tokens(text):
        raise ConditionError("条件是空的")
    separated = _JOINED.sub(lambda match: match[0] + " " * bool(match[1]), text)
    _tokens(separated)
    try:
        return _expression(_parser().parse(separated), 0)
    except UnexpectedToken as exc:
        raise ConditionError(_explain(exc.token, exc.accepts)) from None


def _tokens(text: str) -> list[Token]:
    try:
        return list(_parser().lex(text))
    except UnexpectedCharacters as exc:
        rest = text[exc.pos_in_stream :]
        why = "引号没有成对" if rest[:1] in "\"'“‘" else f"“{rest[:10]}”读不懂"
        raise ConditionError(f"{why}；{_EXAMPLE}") from None


def _explain(token: Token, accepted: set[str]) -> str:
    """Explain a wrong `token` in a place where only tokens of the kinds `accepted` may be."""
    if "NUMBER" in accepted:
        if token.type == "$END":
            return f"条件没有写完；{_EXAMPLE}"
    elif token.type in ("COMPARE", "IN", "NOT_IN") and "AND" in accepted:
        return "一次只能比较两个值：请写成 1 < a and a < 5"
    elif "_CLOSE" in accepted:
        return "少了“)”"
    elif "RSQB" in accepted:
        return "少了“]”"
    return f"“{_canonical(token)}”放在这里读不懂；{_EXAMPLE}"


def _canonical(token: Token) -> str:
    if token.type == "NAME":
        return str(token)
    if token.type == "TEXT":
        return token[1:-1]
    lower = token.casefold()
    return _CANONICAL_BY_KIND.get(token.type) or _CANONICAL.get(lower, lower)


def _expression(node: Tree[Token] | Token, depth: int) -> Expression:
    if isinstance(node, Tree) and node.data == "infix":
        left, operator, right = node.children
        assert isinstance(operator, Token)
        return Infix(_canonical(operator), _expression(left, depth), _expression(right, depth))
    if depth > _MAX_DEPTH:
        raise ConditionError("条件套得太深，请拆成几条规则")
    if isinstance(node, Token):
        return _operand(node.type, _canonical(node))
    match node.data, node.children:
        case "prefix", [Token() as operator, operand]:
            return Prefix(_canonical(operator), _expression(operand, depth + 1))
        case "group", [inner]:
            return _expression(inner, depth + 1)
        case _, items:
            return ListOf(tuple(_expression(item, depth + 1) for item in items))


def _operand(kind: str, text: str) -> Constant | Name:
    match kind:
        case "NUMBER":
            return Constant(float(text) if "." in text else int(text))
        case "TEXT":
            return Constant(text)
        case "CONSTANT":
            return Constant(_CONSTANTS[text])
        case _:
            return Name(text)
