"""Parses YAML into a concrete syntax tree with line numbers, within limits against malicious files.

It reads PyYAML's events: PyYAML's composer hides duplicate keys, has no limit for aliases, and crashes on deep nesting.
"""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass, field

import yaml

# Entries nest four levels; more is a mistake in the indentation, and a few thousand levels crash PyYAML's composer and
# with it the process.
MAX_DEPTH = 12
MAX_ALIASES = 200


@dataclass(slots=True)
class Scalar:
    """A text; `style` is its quotation mark, `|` or `>`, or `*` for the alias of a text that stands elsewhere."""

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


class ParseError(Exception):
    """The text is not YAML that we read: `line` counts from 1, `reason` is the parser's wording or ours."""

    def __init__(self, line: int, reason: str, context_line: int = 0) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason
        self.context_line = context_line


def parse_yaml(text: str) -> Node | None:
    """Read one YAML document; return None for an empty one.

    Raises ParseError for text that is not YAML, nests deeper than MAX_DEPTH, or has aliases of lists and mappings or
    more than MAX_ALIASES of texts.
    """
    try:
        builder = _TreeBuilder()
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.handle(event)
        return builder.root
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        context = exc.context_mark.line + 1 if exc.context_mark else 0
        reason = " ".join(filter(None, (exc.context, exc.problem)))
        raise ParseError((mark.line + 1) if mark else 1, reason, context) from exc
    except yaml.reader.ReaderError as exc:
        # The C parser counts bytes.
        line = text.encode()[: exc.position].count(b"\n") + 1
        raise ParseError(line, f"special character {exc.character!r}") from exc
    except yaml.YAMLError as exc:
        raise ParseError(1, str(exc)) from exc


class _TreeBuilder:
    """Builds the tree from the parser's events."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Sequence | Mapping] = []
        # For each open node the key whose value comes next; None in a sequence and before a key.
        self._pending_keys: list[Scalar | None] = []
        self._anchors: dict[str, Node] = {}
        self._aliases = 0
        self._documents = 0

    def handle(self, event: yaml.Event) -> None:
        line, column = (event.start_mark.line + 1, event.start_mark.column) if event.start_mark else (1, 0)
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise ParseError(line, "second document")
            case yaml.AliasEvent():
                self._add_alias(event, line)
            case yaml.ScalarEvent():
                scalar = Scalar(event.value, line, event.style or "", column, *_end(event))
                self._add(scalar, event.anchor)
            case yaml.SequenceStartEvent():
                self._open_node(Sequence(line, bool(event.flow_style), column=column), event.anchor)
            case yaml.MappingStartEvent():
                self._open_node(Mapping(line, bool(event.flow_style), column=column), event.anchor)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                node = self._open.pop()
                node.end_line, node.end_column = _end(event) if node.flow else _end_of_last(node)
                self._pending_keys.pop()

    def _add_alias(self, event: yaml.AliasEvent, line: int) -> None:
        self._aliases += 1
        target = self._anchors.get(event.anchor or "")
        if self._aliases > MAX_ALIASES or not isinstance(target, Scalar):
            raise ParseError(line, "alias")
        self._attach(Scalar(target.value, line, style="*"))

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        self._attach(node)

    def _open_node(self, node: Sequence | Mapping, anchor: str | None) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise ParseError(node.line, "too deep")
        self._add(node, anchor)
        self._open.append(node)
        self._pending_keys.append(None)

    def _attach(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif (key := self._pending_keys[-1]) is not None:
            parent.pairs.append((key, node))
            self._pending_keys[-1] = None
        elif isinstance(node, Scalar):
            self._pending_keys[-1] = node
        else:
            raise ParseError(node.line, "complex key")


def _end(event: yaml.Event) -> tuple[int, int]:
    mark = event.end_mark or event.start_mark
    assert mark is not None  # text read from a string always has marks
    return mark.line + 1, mark.column


def _end_of_last(node: Sequence | Mapping) -> tuple[int, int]:
    """Return the end of the last child; the parser itself notices the end of a block only at what follows it."""
    children = [value for _, value in node.pairs] if isinstance(node, Mapping) else node.items
    return (children[-1].end_line, children[-1].end_column) if children else (node.line, node.column)


def text_spans(text: Scalar, lines: Seq[str]) -> list[tuple[int, int, int]]:
    """Return line number, first column and end column of each line that a text stands on; nothing for an alias."""
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


def first_reference_line(text: str) -> int:
    """Return the line of the first anchor, alias or tag of a readable text; 0 if there is none."""
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        named = getattr(event, "anchor", None) or getattr(event, "tag", None)
        if named and event.start_mark:
            return event.start_mark.line + 1
    return 0
