"""Reads and edits `evaluation.yaml`: the regression questions that are run before an edit is saved. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from faqbot.errors import EditError
from faqbot.model.entries import Place, Problem
from faqbot.yamltext.encoding import decode, normalize_line_ends
from faqbot.yamltext.field_reader import FieldReader
from faqbot.yamltext.line_edits import TextEdits, replace_lines
from faqbot.yamltext.nodes import Mapping, Sequence
from faqbot.yamltext.quoting import write_scalar

NAME = "evaluation.yaml"
# Keys that the command `evaluate` understands.
_QUESTION = ("q", "question", "问", "问题")
_ENTRY = ("id", "expected", "编号", "条目")
_ALSO = "alt"


@dataclass(frozen=True, slots=True)
class SavedQuestion:
    """A question and the ids of the entries that answer it, the best first; none if no entry should answer it."""

    question: str
    entry_ids: tuple[str, ...]
    place: Place


def parse_saved(name: str, raw: bytes) -> tuple[list[SavedQuestion], list[Problem]]:
    """Read the file; an item without a question is reported and left out."""
    items, reader, _ = _read(name, raw)
    return [saved for saved, _ in items], reader.problems


def unknown_ids(saved: Iterable[SavedQuestion], known: Collection[str]) -> list[Problem]:
    """Warn of each question whose entry does not exist."""
    return [
        Problem(s.place, f"自测题“{s.question[:40]}”要答的条目“{entry_id[:60]}”不存在，请改成现在的编号或删掉", False)
        for s in saved
        for entry_id in s.entry_ids
        if entry_id not in known
    ]


def with_question(raw: bytes | None, question: str, entry_id: str) -> bytes:
    """Return the file with one more question at its end. Raises EditError for a file that is no list."""
    line = f"- {{q: {write_scalar(question, in_brackets=True)}, id: {write_scalar(entry_id, in_brackets=True)}}}\n"
    if raw is None:
        return line.encode()
    saved_items, root = _readable(raw)
    if root is None:
        # Only comments so far.
        return raw + (b"" if not raw or raw.endswith(b"\n") else b"\n") + line.encode()
    if root.flow or root.column:
        raise EditError(f"{NAME} 不是一行一题的列表，请直接改这个文件")
    edits = TextEdits(raw, normalize_line_ends(decode(raw, "utf-8")))
    end = edits.last_line(root) + 1
    after = edits.apply([replace_lines(end, end, line)])
    now, problems = parse_saved(NAME, after)
    if any(p.is_error for p in problems) or _contents(now) != [
        *_contents(s for s, _ in saved_items),
        (question, (entry_id,)),
    ]:
        raise EditError(f"{NAME} 里有错误，要先改好（运行 faqbot check 可以看到）")
    return after


def without_question(raw: bytes, question: str, entry_id: str) -> bytes:
    """Return the file without the question about this entry. Raises EditError."""
    saved_items, root = _readable(raw)
    items = [item for saved, item in saved_items if (saved.question, saved.entry_ids[:1]) == (question, (entry_id,))]
    if not items:
        raise EditError("这一题已经不在自测题里了")
    if root is None or root.flow:
        raise EditError(f"{NAME} 不是一行一题的列表，请直接改这个文件")
    edits = TextEdits(raw, normalize_line_ends(decode(raw, "utf-8")))
    after = edits.apply([replace_lines(item.line, edits.last_line(item) + 1, "") for item in items])
    rest = [pair for pair in _contents(s for s, _ in saved_items) if pair[0] != question or pair[1][:1] != (entry_id,)]
    now, problems = parse_saved(NAME, after)
    if any(p.is_error for p in problems) or _contents(now) != rest:
        raise EditError(f"{NAME} 的写法不能在这里改，请直接改这个文件")
    return after


def _readable(raw: bytes) -> tuple[list[tuple[SavedQuestion, Mapping]], Sequence | None]:
    """Return the questions with their nodes, and the list that holds them. Raises EditError if there is an error."""
    items, reader, root = _read(NAME, raw)
    for problem in reader.problems:
        if problem.is_error:
            raise EditError(f"文件里有错误，请先改好。{problem.place}：{problem.message}")
    return items, root


def _contents(saved: Iterable[SavedQuestion]) -> list[tuple[str, tuple[str, ...]]]:
    return [(s.question, s.entry_ids) for s in saved]


def _read(name: str, raw: bytes) -> tuple[list[tuple[SavedQuestion, Mapping]], FieldReader, Sequence | None]:
    reader = FieldReader(name)
    root = reader.parse(raw)
    items: list[tuple[SavedQuestion, Mapping]] = []
    if root is None:
        return [], reader, None
    if not isinstance(root, Sequence):
        reader.error(root.line, "自测题应是一个列表，每行一题，例如 - {q: 年假有几天, id: annual-leave}")
        return [], reader, None
    for item in root.items:
        if not isinstance(item, Mapping):
            reader.warn(item.line, "这一题没有读进来：应写成 - {q: 员工的问法, id: 条目的编号}")
            continue
        values = {key.value.strip(): node for key, node in reader.pairs(item)}
        question = next((text for k in _QUESTION if (text := reader.text(values.get(k), k))), "")
        entry_id = next((text for k in _ENTRY if (text := reader.text(values.get(k), k))), "")
        if not question:
            reader.warn(item.line, "这一题没有写问题（q），没有读进来")
            continue
        ids = tuple(filter(None, (entry_id, *reader.texts(values.get(_ALSO), _ALSO))))
        items.append((SavedQuestion(question, ids, Place(name, item.line)), item))
    return items, reader, root
