"""YAML text as a tree of nodes that remember their line, built so that nothing a file holds can hurt us.

The library's own composer hides duplicate keys behind types, follows aliases without end and crashes the process on
text that nests a few thousand levels; here the events are read one by one with a limit.
"""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass, field

import yaml

MAX_DEPTH = 12
MAX_ALIASES = 200


@dataclass(slots=True)
class Scalar:
    """A text; `style` is the quotation mark or `|` or `>` it is written with, `*` for one that stands elsewhere."""

    value: str
    line: int
    style: str = ""
    column: int = 0
    end_line: int = 0
    end_column: int = 0

    @property
    def plain(self) -> bool:
        return not self.style


@dataclass(slots=True)
class Sequence:
    line: int
    flow: bool = False
    items: list[Node] = field(default_factory=list)
    column: int = 0
    end_line: int = 0
    end_column: int = 0


@dataclass(slots=True)
class Mapping:
    line: int
    flow: bool = False
    pairs: list[tuple[Scalar, Node]] = field(default_factory=list)
    column: int = 0
    end_line: int = 0
    end_column: int = 0


Node = Scalar | Sequence | Mapping


class TreeError(Exception):
    """The text is not a tree we read: `line` counts from 1, `reason` is the parser's own wording or ours."""

    def __init__(self, line: int, reason: str, context_line: int = 0) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason
        self.context_line = context_line


def grow(text: str) -> Node | None:
    """Read one YAML document; None for an empty one.

    Raises TreeError for text that is not YAML, that nests deeper than MAX_DEPTH or leans on aliases.
    """
    try:
        return _grow(text)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        context = exc.context_mark.line + 1 if exc.context_mark else 0
        reason = " ".join(filter(None, (exc.context, exc.problem)))
        raise TreeError((mark.line + 1) if mark else 1, reason, context) from exc
    except yaml.reader.ReaderError as exc:
        # The C parser counts bytes.
        line = text.encode()[: exc.position].count(b"\n") + 1
        raise TreeError(line, f"special character {exc.character!r}") from exc
    except yaml.YAMLError as exc:
        raise TreeError(1, str(exc)) from exc


def _grow(text: str) -> Node | None:
    root: Node | None = None
    open_nodes: list[Sequence | Mapping] = []
    waiting_keys: list[Scalar | None] = []
    anchors: dict[str, Node] = {}
    aliases = documents = 0

    def attach(node: Node) -> None:
        nonlocal root
        if not open_nodes:
            root = node
            return
        parent = open_nodes[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif (key := waiting_keys[-1]) is not None:
            parent.pairs.append((key, node))
            waiting_keys[-1] = None
        elif isinstance(node, Scalar):
            waiting_keys[-1] = node
        else:
            raise TreeError(node.line, "complex key")

    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line, column = (event.start_mark.line + 1, event.start_mark.column) if event.start_mark else (1, 0)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise TreeError(line, "second document")
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
            target = anchors.get(event.anchor or "")
            if aliases > MAX_ALIASES or not isinstance(target, Scalar):
                raise TreeError(line, "alias")
            attach(Scalar(target.value, line, style="*"))
        elif isinstance(event, yaml.ScalarEvent):
            scalar = Scalar(event.value, line, event.style or "", column, *_end(event))
            if event.anchor:
                anchors[event.anchor] = scalar
            attach(scalar)
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            if len(open_nodes) >= MAX_DEPTH:
                raise TreeError(line, "too deep")
            node: Sequence | Mapping = (
                Sequence(line, bool(event.flow_style), column=column)
                if isinstance(event, yaml.SequenceStartEvent)
                else Mapping(line, bool(event.flow_style), column=column)
            )
            attach(node)
            if event.anchor:
                anchors[event.anchor] = node
            open_nodes.append(node)
            waiting_keys.append(None)
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            node = open_nodes.pop()
            node.end_line, node.end_column = _end(event) if node.flow else _end_of_last(node)
            waiting_keys.pop()
    return root


def _end(event: yaml.Event) -> tuple[int, int]:
    mark = event.end_mark or event.start_mark
    assert mark is not None  # text read from a string always has marks
    return mark.line + 1, mark.column


def _end_of_last(node: Sequence | Mapping) -> tuple[int, int]:
    """Where the last thing inside ends; the parser itself sees a block end only at what follows it."""
    children = [value for _, value in node.pairs] if isinstance(node, Mapping) else node.items
    return (children[-1].end_line, children[-1].end_column) if children else (node.line, node.column)


def spans_of(text: Scalar, lines: Seq[str]) -> list[tuple[int, int, int]]:
    """Where a text stands in the lines of its file: for each line its number, first column and the one behind the last.

    Nothing for one that is taken from elsewhere.
    """
    if text.style == "*":
        return []
    spans: list[tuple[int, int, int]] = []
    is_block = text.style in ("|", ">")
    for number in range(text.line + is_block, min(text.end_line, len(lines)) + 1):
        start = text.column if number == text.line else 0
        end = text.end_column if number == text.end_line else len(lines[number - 1])
        if end > start:
            spans.append((number, start, end))
    return spans


def first_reference(text: str) -> int:
    """The line of the first anchor, alias or tag of a readable text, 0 if there is none."""
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        named = getattr(event, "anchor", None) or getattr(event, "tag", None)
        if named and event.start_mark:
            return event.start_mark.line + 1
    return 0
