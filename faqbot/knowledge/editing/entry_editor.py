"""Edit one entry in the text of a file, leaving every other byte as it is. Pure.

Each edit takes an opened file and returns the changed one, opened; one that does not read back right raises EditError.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from faqbot.errors import EditError
from faqbot.knowledge.editing.entry_fields import (
    FIELDS,
    FLAGS,
    LISTS,
    TEXTS,
    EntryFields,
    distinct,
    entry_to_fields,
    normalized_fields,
)
from faqbot.knowledge.editing.entry_spans import Outline, Pairs
from faqbot.knowledge.entry_parser import parse_file
from faqbot.model.entries import Entry
from faqbot.yamltext import key_names, nodes
from faqbot.yamltext.field_reader import parse_date
from faqbot.yamltext.line_edits import Position, TextChange, replace_lines
from faqbot.yamltext.nodes import Mapping, Node, Scalar
from faqbot.yamltext.quoting import block_lines, write_list, write_scalar
from faqbot.yamltext.value_edits import insert_pair, remove_pairs, replace_list, replace_text, replace_value

__all__ = [
    "EntryFields",
    "add_entry",
    "add_wording",
    "append_lines",
    "change_entry",
    "entry_changes",
    "entry_text",
    "remove_entry",
    "restore_entry",
]

_NUMBERS = ("departments", "groups")
_RANK = {key: rank for rank, key in enumerate(FIELDS)} | {"ask": 3.5, "answers": 3.6}
_DASH = re.compile("[-－—–]")
_INDENT = 2


def change_entry(file: Outline, entry_id: str, draft: EntryFields) -> Outline:
    """Write the fields that differ into the entry."""
    return _changed(file, file.number_of(entry_id), draft)


def _changed(file: Outline, number: int, draft: EntryFields) -> Outline:
    old, new = entry_to_fields(file.entries[number]), normalized_fields(draft)
    new = replace(new, id=new.id or old.id)
    _must_be_possible(file, old, new, file.entries[number])
    changes = entry_changes(file, number, old, new)
    if not changes:
        return file
    expected: list[Entry | EntryFields] = [*file.entries]
    expected[number] = new
    unchanged = file.entries[number] if new.answer == old.answer else None
    return _verify(_reopen(file.edits.apply(changes), file.name), expected, unchanged)


def add_wording(file: Outline, entry_id: str, text: str, to: Literal["also", "not_"] = "also") -> Outline:
    """Add one wording to an entry; return the same file if the entry has it already."""
    number = file.number_of(entry_id)
    old = entry_to_fields(file.entries[number])
    wordings: tuple[str, ...] = getattr(old, to)
    if not text.strip():
        raise EditError("问法是空的，请写一句员工会问的话")
    if text.strip() in wordings:
        return file
    more: Any = {to: (*wordings, text)}
    return _changed(file, number, replace(old, **more))


def add_entry(file: Outline | None, draft: EntryFields, *, topic: str = "", name: str = "") -> Outline:
    """Add an entry at the end; without a file (None) make one with topic and owner at its top.

    For fields that are empty, the top of the file holds as for any other entry. `name` is that of a new file.
    """
    new = normalized_fields(draft)
    new = replace(new, topic=new.topic or topic.strip())
    if file is None:
        head = "".join(f"{key}: {write_scalar(getattr(new, key))}\n" for key in ("topic", "owner") if getattr(new, key))
        file = Outline(f"{head}entries:\n".encode(), name)
    file.must_be_lines()
    old_ids = {entry.id for entry in file.entries}
    new = _with_shared(new, file.shared())
    _must_be_possible(file, file.shared(), new, None)
    dash, column = file.indents()
    lines = _new_lines(file, new, column)
    lines[0] = " " * dash + "-" + " " * (column - dash - 1) + lines[0].lstrip(" ")
    after = _reopen(append_lines(file, lines), file.name)
    if not new.id:
        new = replace(new, id=next((e.id for e in after.entries if e.id not in old_ids), ""))
    return _verify(after, [*file.entries, new])


def remove_entry(file: Outline, entry_id: str) -> Outline:
    """Remove an entry, with the comment directly above it if that is clearly its own."""
    number = file.number_of(entry_id)
    span, meant = file.span(number), file.edits.repaired
    first, behind = span.first, span.last + 1
    is_last = number == len(file.items) - 1
    while not is_last and not meant[behind - 1].strip():
        behind += 1
    while is_last and number and not meant[first - 2].strip():
        first -= 1
    after = file.edits.apply([replace_lines(first, behind, "")])
    return _verify(_reopen(after, file.name), [e for e in file.entries if e.id != entry_id])


def restore_entry(file: Outline | None, entry_id: str, text_of_entry: str, *, name: str = "") -> Outline:
    """Restore a text from `entry_text`: in the place of the entry `entry_id`, or at the end if there is none.

    `name` is that of a new file, where there is none (None). Without `entry_id` it is the entry with the id of the
    text; a text without an id only replaces an entry whose id is made from the same question for the same period.
    """
    lines, entry = _standing_alone(text_of_entry)
    file = file or Outline(b"entries:\n", name)
    file.must_be_lines()
    lines = [" " * file.indents()[0] + line if line else "" for line in lines]
    expected: list[Entry | EntryFields] = [*file.entries]
    place = next((n for n, other in enumerate(file.entries) if _is_restored(other, entry, entry_id)), len(expected))
    if place < len(expected):
        span = file.span(place)
        after = file.edits.apply([replace_lines(span.first, span.last + 1, "\n".join(lines) + "\n")])
    else:
        after = append_lines(file, lines)
        expected.append(entry)
    now = _reopen(after, file.name)
    if len(now.entries) != len(expected) or not _same_text(now.entries[place], entry):
        raise EditError("恢复后的条目和原来的不一样，没有保存，请直接改文件")
    restored_id = entry.id if entry.id_given else entry_id or now.entries[place].id
    expected[place] = replace(now.entries[place], id=restored_id)
    return _verify(now, expected)


def _is_restored(other: Entry, entry: Entry, entry_id: str) -> bool:
    """Return True if `other` is the present version of the entry that is restored."""
    if entry_id or entry.id_given:
        return other.id == (entry_id or entry.id)
    return other.id == entry.id and other.valid == entry.valid


def entry_text(file: Outline, entry_id: str) -> str:
    """Return the lines of an entry as they are written, with its comment, each ending in `\\n`."""
    number = file.number_of(entry_id)
    if isinstance(file.listed, nodes.Sequence) and file.listed.flow:
        # In [ ] an entry has no lines of its own; these are only shown.
        item = file.items[number]
        return file.edits.text(item.line, file.edits.last_line(item))
    span = file.span(number)
    return file.edits.text(span.first, span.last)


# -- one entry ---------------------------------------------------------------------------------


def _must_be_possible(file: Outline, old: EntryFields, new: EntryFields, entry: Entry | None) -> None:
    """Raise EditError for fields that the file cannot or must not hold."""
    if not new.question:
        raise EditError("问题不能为空")
    if not new.answer and (entry is None or not entry.variants):
        raise EditError("答案不能为空")
    if new.valid != old.valid and all(new.valid) and new.valid_from > new.valid_until:
        raise EditError(f"有效期的开始（{new.valid_from}）晚于结束（{new.valid_until}）")
    if new.id and (entry is None or new.id != entry.id):
        for other in file.entries:
            if other.id == new.id:
                raise EditError(f"编号“{new.id[:60]}”已经用在{file.at(other.place.line)}，请换一个")
    for key in ("groups", "departments"):
        if getattr(file.shared(), key) and not getattr(new, key):
            word = "群" if key == "groups" else "部门"
            raise EditError(f"{word}的限制写在文件开头，对所有条目有效，不能只为这一条取消，请直接改文件")


def entry_changes(file: Outline, number: int, old: EntryFields, new: EntryFields) -> list[TextChange]:
    """Return the changes that make the entry of this number say `new` instead of `old`.

    Whoever makes them must read the result again, as every function above does.
    """
    item = file.items[number]
    pairs, shared = file.pairs(item), file.shared()
    changes: list[TextChange] = []
    removed = {pairs[key][0] for key in ("ask", "answers") if key in pairs and new.answer != old.answer}
    added: list[str] = []
    for key, field in FIELDS.items():
        value = getattr(new, field)
        if not _differs(file, key, pairs, old, new):
            continue
        if key not in pairs:
            added.append(key)
        elif not _is_empty(value) or not _is_empty(getattr(shared, field)):
            changes += _replaced(file, key, item, pairs, value)
        else:
            removed.add(pairs[key][0])
    if 0 in removed and "id" in added:
        # If the first key is removed, there is no place before it for the id; the check of the result adds the id.
        added.remove("id")
    for key in added:
        before = [pair for other, pair in pairs.items() if _RANK[other] < _RANK[key] and pair[0] not in removed]
        place = max(before, key=lambda pair: _RANK[key_names.ENTRY_KEYS[pair[1].value.strip()]], default=(-1,))[0]
        lines = _pair_lines(file, key, getattr(new, FIELDS[key]), item, item.column)
        changes.append(insert_pair(file.edits, item, place, lines))
    return [*remove_pairs(file.edits, item, removed), *changes]


def _differs(file: Outline, key: str, pairs: Pairs, old: EntryFields, new: EntryFields) -> bool:
    if key == "also" and key in pairs:
        # Another question may uncover a wording that was hidden because it was the same.
        return distinct(file.read_list(key, pairs[key][2]), new.question) != new.also
    return bool(getattr(old, FIELDS[key]) != getattr(new, FIELDS[key]))


def _is_empty(value: object) -> bool:
    return not any(value) if isinstance(value, tuple) else not value


def _replaced(file: Outline, key: str, item: Mapping, pairs: Pairs, value: Any) -> list[TextChange]:
    _, word, node = pairs[key]
    if key in LISTS:
        old = file.read_list(key, node)
        return replace_list(file.edits, word, node, old, value, number=key in _NUMBERS)
    if key == "valid":
        return _period_replaced(file, item, word, node, value)
    if key in TEXTS:
        return replace_text(file.edits, word, node, value, in_brackets=item.flow, may_block=key == "answer")
    return replace_value(file.edits, word, node, _literal(key, value, chinese=not word.value.isascii()))


def _period_replaced(
    file: Outline, item: Mapping, key: Scalar, node: Node, period: tuple[str, str]
) -> list[TextChange]:
    """Change single dates where both ends stay, else write the period again."""
    words = _period_words(file, item)
    if not isinstance(node, Mapping) or not node.pairs:
        return replace_value(file.edits, key, node, _period_literal(words, period))
    ends = {key_names.PERIOD_KEYS[word.value.strip()]: (word, value) for word, value in node.pairs}
    dates = dict(zip(("from", "until"), period, strict=True))
    if all((end in ends) == bool(day) for end, day in dates.items()):
        changes: list[TextChange] = []
        for end, (word, value) in ends.items():
            day = parse_date(value)
            if day is None or day.isoformat() != dates[end]:
                changes += replace_value(file.edits, word, value, dates[end])
        return changes
    words = tuple(ends[end][0].value.strip() if end in ends else w for end, w in zip(dates, words, strict=True))
    if node.flow:
        return replace_value(file.edits, key, node, _period_literal(words, period))
    indent = " " * node.column
    lines = "".join(f"{indent}{word}: {day}\n" for word, day in zip(words, period, strict=True) if day)
    return [replace_lines(node.line, file.edits.last_line(node) + 1, lines)]


def _period_words(file: Outline, item: Mapping | None) -> tuple[str, ...]:
    return ("从", "到") if file.is_chinese(item) else ("from", "until")


def _period_literal(words: Sequence[str], period: tuple[str, str]) -> str:
    return "{" + ", ".join(f"{word}: {day}" for word, day in zip(words, period, strict=True) if day) + "}"


def _literal(key: str, value: Any, *, chinese: bool) -> str:
    """Return a flag or a date as it is written on one line."""
    if key in FLAGS:
        return ("是" if value else "否") if chinese else ("true" if value else "false")
    return value or '""'


def _pair_lines(file: Outline, key: str, value: Any, item: Mapping | None, column: int) -> list[str]:
    """Return a key and its value as lines: the first without its indent, those of a block with theirs."""
    word = file.word(key, item)
    in_brackets = item is not None and item.flow
    if key == "answer" and "\n" in value and not in_brackets and (body := block_lines(value, column + _INDENT)):
        return [f"{word}: |", *body]
    if key in LISTS:
        return [f"{word}: {write_list(value, number=key in _NUMBERS)}"]
    if key == "valid":
        return [f"{word}: {_period_literal(_period_words(file, item), value)}"]
    if key in TEXTS:
        return [f"{word}: {write_scalar(value, in_brackets=in_brackets)}"]
    return [f"{word}: {_literal(key, value, chinese=not word.isascii())}"]


# -- whole entries -----------------------------------------------------------------------------


def _new_lines(file: Outline, new: EntryFields, column: int) -> list[str]:
    """Return a new entry as lines in the style of the file's other entries, without the fields at the file's top."""
    shared = file.shared()
    lines: list[str] = []
    for key, field in FIELDS.items():
        value = getattr(new, field)
        if _is_empty(value) or (key in key_names.SHARED_KEYS and value == getattr(shared, field)):
            continue
        first, *rest = _pair_lines(file, key, value, None, column)
        lines += [" " * column + first, *rest]
    return lines


def _with_shared(new: EntryFields, shared: EntryFields) -> EntryFields:
    inherited: dict[str, Any] = {key: getattr(shared, key) for key in key_names.SHARED_KEYS if not getattr(new, key)}
    return replace(new, **inherited)


def append_lines(file: Outline, lines: list[str]) -> bytes:
    """Return the file with the lines of an entry behind its last one."""
    edits, listed = file.edits, file.listed
    text = "\n".join(lines) + "\n"
    if file.items:
        line = file.span(len(file.items) - 1).last + 1
        return edits.apply([replace_lines(line, line, file.gap() + text)])
    if isinstance(listed, nodes.Sequence) and not listed.flow:
        line = edits.last_line(listed) + 1
    elif isinstance(file.root, Mapping) and listed is not None:
        key = next(k for k, node in file.root.pairs if node is listed)
        line = max(key.line, listed.end_line) + 1
        if isinstance(listed, nodes.Sequence):
            colon = Position(key.line, edits.repaired[key.line - 1].index(":", key.end_column) + 1)
            end = Position(listed.end_line, listed.end_column)
            return edits.apply([TextChange(colon, end, ""), replace_lines(line, line, text)])
    elif listed is not None:
        return edits.apply(
            [TextChange(Position(listed.line, listed.column), Position(listed.end_line, listed.end_column), text)]
        )
    else:
        line = len(edits.repaired) + bool(edits.repaired[-1].strip())
        text = "entries:\n" + text
    return edits.apply([replace_lines(line, line, text)])


def _standing_alone(text: str) -> tuple[list[str], Entry]:
    """Return the lines of an entry moved to the left edge, and the entry itself."""
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    begins = next((line for line in lines if _DASH.match(line.lstrip())), "")
    edge = len(begins) - len(begins.lstrip())
    lines = [line[edge:] if not line[:edge].strip() else line.lstrip() for line in lines]
    parsed = parse_file("", "\n".join(lines).encode())
    if not parsed.ok or len(parsed.entries) != 1:
        why = next((f"：{p.message}" for p in parsed.problems if p.is_error), "")
        raise EditError(f"这段文字不是完整的一条{why}")
    return lines, parsed.entries[0]


# -- reading the result again ------------------------------------------------------------------


def _reopen(after: bytes, name: str) -> Outline:
    """Read the result of an edit. Raises EditError if it cannot be read."""
    try:
        return Outline(after, name)
    except EditError as exc:
        raise EditError(f"这样改会让文件读不懂，没有保存，请直接改文件（{exc}）") from exc


def _verify(file: Outline, expected: Sequence[Entry | EntryFields], kept: Entry | None = None) -> Outline:
    """Return the changed file if its content is the expected one: entries as before, one with its new fields.

    `kept` is the entry whose `ask` and answers must not have changed. Ids that were derived from a question and would
    be derived differently now are written into the file, so that they stay the same.
    """
    # An id that is written down may free the one another entry had to avoid, and so on.
    for _ in range(len(expected) + 1):
        if len(file.entries) != len(expected):
            raise EditError("这样改会影响别的条目，没有保存，请直接改文件")
        changes: list[TextChange] = []
        for number, (now, target) in enumerate(zip(file.entries, expected, strict=True)):
            if now.id != target.id:
                changes += _id_written(file, number, target.id)
        if not changes:
            break
        file = _reopen(file.edits.apply(changes), file.name)
    for now, target in zip(file.entries, expected, strict=True):
        if isinstance(target, Entry) and not _same(now, target):
            raise EditError("这样改会影响别的条目，没有保存，请直接改文件")
        if isinstance(target, EntryFields):
            same = entry_to_fields(now) == target and (
                kept is None or (now.ask, now.variants) == (kept.ask, kept.variants)
            )
            if not same:
                raise EditError("改完后读出来和填写的不一样，没有保存，请直接改文件")
    return file


def _id_written(file: Outline, number: int, entry_id: str) -> list[TextChange]:
    item = file.items[number]
    pairs = file.pairs(item)
    if "id" in pairs:
        return _replaced(file, "id", item, pairs, entry_id)
    return [insert_pair(file.edits, item, -1, _pair_lines(file, "id", entry_id, item, item.column))]


def _same(a: Entry, b: Entry) -> bool:
    """Return True if two entries have the same content, at whatever place and with the id written down or derived."""
    return replace(a, place=b.place, id_given=b.id_given) == b


def _same_text(a: Entry, b: Entry) -> bool:
    """Return True if two entries have the same content, apart from the fields at the top of a file."""
    return (a.question, a.answer, a.variants, a.also, a.not_) == (b.question, b.answer, b.variants, b.also, b.not_)
