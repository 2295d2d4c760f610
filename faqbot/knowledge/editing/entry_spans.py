"""Locate the entries in the text of a valid file: lines, columns, keys and style, for editing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from faqbot.errors import EditError
from faqbot.knowledge.editing.entry_fields import EntryFields, entry_to_fields
from faqbot.knowledge.entry_parser import FileReader, Shared
from faqbot.model.entries import Entry, Problem
from faqbot.yamltext import key_names, nodes
from faqbot.yamltext.line_edits import TextEdits
from faqbot.yamltext.nodes import Mapping, Node, Scalar

_HEADING = re.compile(r"\s*#+\s*[-=*#~—－]{2,}")
_DEFAULT_CHINESE = {"question": "问题", "answer": "答案"}
_DEFAULT_INDENT = 2

Pairs = dict[str, tuple[int, Scalar, Node]]


@dataclass(frozen=True, slots=True)
class Span:
    """The lines of an entry: `first` is its comment or its dash, `dash` the line with the dash, `last` included."""

    first: int
    dash: int
    last: int


class BrokenFile(EditError):
    """A file has an error and cannot be edited before that is corrected."""

    def __init__(self, message: str, problem: Problem) -> None:
        super().__init__(message)
        self.problem = problem


class Outline:
    """A file without errors, opened for editing. Raises EditError for one that cannot be edited safely."""

    def __init__(self, raw: bytes, name: str = "") -> None:
        self.raw = raw
        self.name = name
        self._reader = FileReader(name)
        parsed = self._reader.read_file(raw)
        for problem in parsed.problems:
            if problem.is_error:
                where = self.at(problem.place.line)
                raise BrokenFile(f"文件里有错误，请先改好再编辑。{where}：{problem.message}", problem)
        self.parsed = parsed
        self.entries: tuple[Entry, ...] = parsed.entries
        meant = "\n".join(self._reader.repaired_lines)
        if line := nodes.first_reference_line(meant):
            raise EditError(f"{self.at(line)}用了 YAML 的引用（& 或 * 或 !），不能在这里编辑，请直接改文件")
        self.edits = TextEdits(raw, meant)
        self.root = self._reader.root
        self._shared: Shared = {}
        self.listed = self.root
        if isinstance(self.root, Mapping):
            self._shared, self.listed = self._reader.outline(self.root)
        listed = self.listed.items if isinstance(self.listed, nodes.Sequence) else []
        # Without errors every mapping is an entry; the only other thing allowed there is an empty dash.
        self.items = [item for item in listed if isinstance(item, Mapping)]
        self._words: dict[tuple[str, bool], str] = {}

    def at(self, line: int) -> str:
        return f"{self.name}:{line}" if self.name else f"第 {line} 行"

    def number_of(self, entry_id: str) -> int:
        for number, entry in enumerate(self.entries):
            if entry.id == entry_id:
                return number
        raise EditError(f"找不到编号是“{entry_id[:60]}”的条目，可能已经被改名或删除，请刷新后再试")

    def shared(self) -> EntryFields:
        """Return the fields that the top of the file sets for all its entries."""
        return self._top

    @cached_property
    def _top(self) -> EntryFields:
        blank = Mapping(1, pairs=[(Scalar("question", 1), Scalar("问", 1)), (Scalar("answer", 1), Scalar("答", 1))])
        entry = self._reader.entry(blank, self._shared)
        assert entry is not None  # it has a question and an answer
        return entry_to_fields(entry)

    def pairs(self, item: Mapping) -> Pairs:
        """Return the pairs of an entry under the keys they stand for, with their number."""
        return {key_names.ENTRY_KEYS[k.value.strip()]: (n, k, node) for n, (k, node) in enumerate(item.pairs)}

    def read_list(self, key: str, node: Node) -> tuple[str, ...]:
        return tuple(self._reader.texts(node, key))

    # -- words -------------------------------------------------------------------------------

    def word(self, key: str, item: Mapping | None) -> str:
        """Return the word for a key in the language of the entry's other keys, as the rest of the file writes it."""
        chinese = self.is_chinese(item)
        if (key, chinese) not in self._words:
            self._words[key, chinese] = self._usual_word(key, chinese)
        return self._words[key, chinese]

    def _usual_word(self, key: str, chinese: bool) -> str:
        used = Counter(
            w
            for other in self.items
            for w in _words(other)
            if key_names.ENTRY_KEYS[w] == key and w.isascii() != chinese
        )
        if used:
            return used.most_common(1)[0][0]
        if not chinese:
            return key
        known = (w for w, meant in key_names.ENTRY_KEYS.items() if meant == key and not w.isascii())
        return _DEFAULT_CHINESE.get(key) or next(known)

    def is_chinese(self, item: Mapping | None) -> bool:
        return _mostly_chinese(list(_words(item))) if item and item.pairs else self._is_mostly_chinese

    @cached_property
    def _is_mostly_chinese(self) -> bool:
        words = [w for other in self.items for w in _words(other)]
        if not words and isinstance(self.root, Mapping):
            words = [key.value for key, _ in self.root.pairs]
        return _mostly_chinese(words)

    # -- lines -------------------------------------------------------------------------------

    def span(self, number: int) -> Span:
        """Return the lines of an entry, with the comment directly above if that is clearly its own."""
        self.must_be_lines()
        item = self.items[number]
        dash, column = self.dash_of(item)
        last = self.edits.last_line(item)
        while last < len(self.edits.repaired) and _comment_column(self.edits.repaired[last]) > column:
            last += 1
        first = dash
        while first > 1 and _comment_column(self.edits.repaired[first - 2]) == column:
            first -= 1
        if first < dash and self._is_heading(first, column, number):
            first = dash
        return Span(first, dash, last)

    def _is_heading(self, first: int, column: int, number: int) -> bool:
        """Return True if a comment is about more than the entry below it: the file, or a group of entries."""
        if number == 0 and (column == 0 or not self.edits.repaired[first - 2].strip()):
            return True
        return _HEADING.match(self.edits.repaired[first - 1]) is not None

    def dash_of(self, item: Mapping) -> tuple[int, int]:
        """Return the line and the column of the dash that an entry begins with."""
        line = item.line
        before = self.edits.repaired[line - 1][: item.column]
        while "-" not in before:
            line -= 1
            before = self.edits.repaired[line - 1].partition("#")[0]
        return line, before.rindex("-")

    def must_be_lines(self) -> None:
        if isinstance(self.listed, nodes.Sequence) and self.listed.flow and self.listed.items:
            raise EditError(f"{self.at(self.listed.line)}：条目写在方括号 [ ] 里，不能在这里增删，请直接改文件")

    def indents(self) -> tuple[int, int]:
        """Return the column of the dash and of the keys, as the last entry has them that begins on its dash."""
        for item in reversed(self.items):
            line, column = self.dash_of(item)
            if line == item.line:
                return column, item.column
        if isinstance(self.listed, nodes.Sequence) and not self.listed.flow:
            return self.listed.column, self.listed.column + _DEFAULT_INDENT
        column = _DEFAULT_INDENT if isinstance(self.root, Mapping) or self.root is None else 0
        return column, column + _DEFAULT_INDENT

    def gap(self) -> str:
        """Return the blank lines between entries."""
        if len(self.items) < 2:
            return "\n" if self.items else ""
        lines = self.edits.repaired[self.span(-2 + len(self.items)).last : self.span(len(self.items) - 1).first - 1]
        return "\n" * min(2, sum(not line.strip() for line in lines))


def _mostly_chinese(words: Sequence[str]) -> bool:
    return sum(not word.isascii() for word in words) * 2 > len(words)


def _words(item: Mapping) -> Iterable[str]:
    return (key.value.strip() for key, _ in item.pairs)


def _comment_column(line: str) -> int:
    """Return the column of a line that is only a comment, else -1."""
    bare = line.lstrip(" ")
    return len(line) - len(bare) if bare.startswith("#") else -1
