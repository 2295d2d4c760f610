"""Computes the smallest edits that replace a value, list or pair, keeping its style."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from faqbot.yamltext import nodes
from faqbot.yamltext.line_edits import Position, TextChange, TextEdits, replace_lines
from faqbot.yamltext.nodes import Mapping, Node, Scalar
from faqbot.yamltext.quoting import block_lines, write_list, write_scalar

_HEADER = re.compile(r"[|>][0-9+-]*")
_KEPT_HEADER = re.compile(r"\|[+-]?")
_DASH = re.compile(r"\s*-\s+")
# The end of a sentence that YAML took for a comment. It goes with the value: people edit because of the warning of it.
_SWALLOWED = re.compile(r"\s*#[^\s#]")
_INDENT = 2


def start_of(node: Node) -> Position:
    return Position(node.line, node.column)


def end_of(node: Node) -> Position:
    return Position(node.end_line, node.end_column)


def is_block_text(node: Node) -> bool:
    return isinstance(node, Scalar) and node.style in ("|", ">")


# -- one value ---------------------------------------------------------------------------------


def replace_value(edits: TextEdits, key: Scalar, node: Node, literal: str) -> list[TextChange]:
    """Replace a value of any shape by `literal`, which is one line of YAML."""
    if is_block_text(node):
        header = _HEADER.match(edits.repaired[node.line - 1], node.column)
        end = Position(node.line, header.end() if header else node.column)
        return [TextChange(start_of(node), end, literal), replace_lines(node.line + 1, edits.last_line(node) + 1, "")]
    if isinstance(node, Scalar) or node.flow:
        before = edits.repaired[node.line - 1][: node.column]
        rest = edits.repaired[node.end_line - 1][node.end_column :]
        swallowed = isinstance(node, Scalar) and node.plain and _SWALLOWED.match(rest)
        end = Position(node.end_line, node.end_column + len(rest)) if swallowed else end_of(node)
        return [TextChange(start_of(node), end, " " + literal if before.endswith(":") else literal)]
    colon = Position(key.line, edits.repaired[key.line - 1].index(":", key.end_column) + 1)
    return [TextChange(colon, colon, " " + literal), replace_lines(node.line, edits.last_line(node) + 1, "")]


def replace_text(
    edits: TextEdits, key: Scalar, node: Node, text: str, *, in_brackets: bool, may_block: bool
) -> list[TextChange]:
    """Replace a value by a text, in the style of the old one if that can hold it."""
    style = node.style if isinstance(node, Scalar) else ""
    if may_block and not in_brackets and node.line == key.line and ("\n" in text or is_block_text(node)):
        body = block_lines(text, _indent_of(edits, key, node))
        if body:
            return _replace_with_block(edits, node, body)
    style = style if style in ("'", '"') else ""
    return replace_value(edits, key, node, write_scalar(text, style, in_brackets=in_brackets))


def _indent_of(edits: TextEdits, key: Scalar, node: Node) -> int:
    """Return the column in which the lines of a block stand, or will stand."""
    if is_block_text(node):
        for line in edits.repaired[node.line : edits.last_line(node)]:
            if line.strip():
                return len(line) - len(line.lstrip(" "))
    return key.column + _INDENT


def _replace_with_block(edits: TextEdits, node: Node, body: list[str]) -> list[TextChange]:
    line = edits.repaired[node.line - 1]
    if is_block_text(node):
        match = _HEADER.match(line, node.column)
        header = match.group() if match else ""
        new_header = header if _KEPT_HEADER.fullmatch(header) else "|"
        changes = (
            []
            if new_header == header
            else [TextChange(start_of(node), Position(node.line, node.column + len(header)), new_header)]
        )
        return [*changes, replace_lines(node.line + 1, edits.last_line(node) + 1, "\n".join(body) + "\n")]
    rest = edits.repaired[node.end_line - 1][node.end_column :]
    comment = "" if isinstance(node, Scalar) and node.plain and _SWALLOWED.match(rest) else rest.rstrip()
    before = " " if line[: node.column].endswith(":") else ""
    end = Position(node.end_line, node.end_column + len(rest))
    return [TextChange(start_of(node), end, "\n".join([f"{before}|{comment}", *body]))]


# -- a list ------------------------------------------------------------------------------------


def replace_list(
    edits: TextEdits, key: Scalar, node: Node, old: Sequence[str], new: Sequence[str], *, number: bool = False
) -> list[TextChange]:
    """Change a list that reads as `old` to read as `new`, item by item and in its own style."""
    if is_block_text(node) and not any("\n" in text for text in new):
        return replace_text(edits, key, node, "\n".join(new), in_brackets=False, may_block=True)
    if isinstance(node, nodes.Sequence):
        items = [item for item in node.items if isinstance(item, Scalar) and item.value.strip()]
        if items and len(items) == len(old):
            if node.flow:
                return _in_flow_list(edits, key, items, old, new, number)
            if all(_DASH.fullmatch(edits.repaired[item.line - 1][: item.column]) for item in items):
                return _in_block_list(edits, key, items, old, new, number)
    return replace_value(edits, key, node, write_list(new, number=number))


def _in_flow_list(
    edits: TextEdits, key: Scalar, items: list[Scalar], old: Sequence[str], new: Sequence[str], number: bool
) -> list[TextChange]:
    changes: list[TextChange] = []
    for first, behind, texts in _differences(old, new):
        paired = min(behind - first, len(texts))
        for item, text in zip(items[first : first + paired], texts, strict=False):
            changes += replace_value(edits, key, item, _item(item, text, in_brackets=True, number=number))
        removed = items[first + paired : behind]
        added = [write_scalar(text, in_brackets=True, number=number) for text in texts[paired:]]
        index = first + paired
        if removed and index:
            changes.append(TextChange(end_of(items[index - 1]), end_of(removed[-1]), ""))
        elif removed:
            changes.append(TextChange(start_of(removed[0]), start_of(items[behind]), ""))
        elif added and index:
            spot = end_of(items[index - 1])
            changes.append(TextChange(spot, spot, "".join(", " + text for text in added)))
        elif added:
            spot = start_of(items[0])
            changes.append(TextChange(spot, spot, "".join(text + ", " for text in added)))
    return changes


def _in_block_list(
    edits: TextEdits, key: Scalar, items: list[Scalar], old: Sequence[str], new: Sequence[str], number: bool
) -> list[TextChange]:
    changes: list[TextChange] = []
    for first, behind, texts in _differences(old, new):
        paired = min(behind - first, len(texts))
        for item, text in zip(items[first : first + paired], texts, strict=False):
            changes += replace_value(edits, key, item, _item(item, text, in_brackets=False, number=number))
        for item in items[first + paired : behind]:
            changes.append(replace_lines(item.line, edits.last_line(item) + 1, ""))
        index = first + paired
        line = edits.last_line(items[index - 1]) + 1 if index else items[0].line
        dash = edits.repaired[items[0].line - 1][: items[0].column]
        added = "".join(f"{dash}{write_scalar(text, number=number)}\n" for text in texts[paired:])
        changes += [replace_lines(line, line, added)] if added else []
    return changes


def _item(item: Scalar, text: str, *, in_brackets: bool, number: bool) -> str:
    style = item.style if item.style in ("'", '"') else ""
    return write_scalar(text, style, in_brackets=in_brackets, number=number)


def _differences(old: Sequence[str], new: Sequence[str]) -> Iterable[tuple[int, int, Sequence[str]]]:
    """Yield ranges of `old` and the texts that replace them; of two equal items the later one is removed."""
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    for what, i1, i2, j1, j2 in SequenceMatcher(None, old[same:], new[same:], autojunk=False).get_opcodes():
        if what != "equal":
            yield same + i1, same + i2, new[same + j1 : same + j2]


# -- the pairs of a mapping --------------------------------------------------------------------


def insert_pair(edits: TextEdits, mapping: Mapping, after: int, pair: list[str]) -> TextChange:
    """Insert a pair after the one numbered `after` (-1: before all); its further lines include their indentation."""
    if mapping.flow:
        if after < 0:
            spot = start_of(mapping.pairs[0][0])
            return TextChange(spot, spot, f"{pair[0]}, ")
        spot = end_of(mapping.pairs[after][1])
        return TextChange(spot, spot, f", {pair[0]}")
    if after < 0:
        spot = start_of(mapping.pairs[0][0])
        return TextChange(spot, spot, "\n".join(pair) + "\n" + " " * spot.column)
    line = edits.last_line(mapping.pairs[after][1]) + 1
    return replace_lines(line, line, " " * mapping.column + "\n".join(pair) + "\n")


def remove_pairs(edits: TextEdits, mapping: Mapping, numbers: Iterable[int]) -> list[TextChange]:
    """Remove pairs, with the comments on their lines; at least one pair must remain."""
    removed = set(numbers)
    changes: list[TextChange] = []
    number = 0
    while number < len(mapping.pairs):
        behind = number
        while behind in removed:
            behind += 1
        if behind > number:
            changes.append(_run_removed(edits, mapping, number, behind))
        number = behind + 1
    return changes


def _run_removed(edits: TextEdits, mapping: Mapping, first: int, behind: int) -> TextChange:
    key, last = mapping.pairs[first][0], mapping.pairs[behind - 1][1]
    if first == 0:
        following = mapping.pairs[behind][0]
        if mapping.flow or following.line == edits.last_line(last) + 1:
            return TextChange(start_of(key), start_of(following), "")
        # The dash remains alone on its line, because comments stand between it and the next key.
        end = edits.last_line(last)
        column = len(edits.repaired[key.line - 1][: key.column].rstrip())
        return TextChange(Position(key.line, column), Position(end, len(edits.repaired[end - 1])), "")
    if mapping.flow:
        return TextChange(end_of(mapping.pairs[first - 1][1]), end_of(last), "")
    return replace_lines(key.line, edits.last_line(last) + 1, "")
