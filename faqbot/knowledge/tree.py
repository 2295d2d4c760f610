"""YAML text as a tree of nodes that remember their line, built so that nothing a file holds can hurt us.

The library's own composer hides duplicate keys behind types, follows aliases without end and crashes the process on
text that nests a few thousand levels; here the events are read one by one with a limit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml

MAX_DEPTH = 12
MAX_ALIASES = 200


@dataclass(slots=True)
class Scalar:
    value: str
    line: int
    plain: bool = True
    end_line: int = 0
    end_column: int = 0


@dataclass(slots=True)
class Sequence:
    line: int
    flow: bool = False
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    line: int
    pairs: list[tuple[Scalar, Node]] = field(default_factory=list)


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
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise TreeError(line, "second document")
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
            target = anchors.get(event.anchor or "")
            if aliases > MAX_ALIASES or not isinstance(target, Scalar):
                raise TreeError(line, "alias")
            attach(Scalar(target.value, line, plain=False))
        elif isinstance(event, yaml.ScalarEvent):
            end = event.end_mark or event.start_mark
            assert end is not None  # text read from a string always has marks
            scalar = Scalar(event.value, line, plain=not event.style, end_line=end.line + 1, end_column=end.column)
            if event.anchor:
                anchors[event.anchor] = scalar
            attach(scalar)
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            if len(open_nodes) >= MAX_DEPTH:
                raise TreeError(line, "too deep")
            node: Sequence | Mapping = (
                Sequence(line, flow=bool(event.flow_style))
                if isinstance(event, yaml.SequenceStartEvent)
                else Mapping(line)
            )
            attach(node)
            if event.anchor:
                anchors[event.anchor] = node
            open_nodes.append(node)
            waiting_keys.append(None)
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            open_nodes.pop()
            waiting_keys.pop()
    return root
