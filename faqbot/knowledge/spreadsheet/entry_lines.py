"""Writes a table row as YAML lines: a new entry, or a clarifying question with its answers. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from faqbot.knowledge.editing.entry_fields import FIELDS, FLAGS, LISTS, EntryFields, entry_to_fields
from faqbot.knowledge.editing.entry_spans import Outline
from faqbot.model.entries import Entry
from faqbot.yamltext import key_names
from faqbot.yamltext.line_edits import Position, TextChange
from faqbot.yamltext.nodes import Mapping as Item
from faqbot.yamltext.quoting import block_lines, write_key, write_list, write_scalar
from faqbot.yamltext.value_edits import insert_pair, remove_pairs, replace_value, start_of

_INDENT = 2
_NUMBERS = ("departments", "groups")
_EMPTY = '""'
# Keys before a question back, which stands where the answer would.
_BEFORE_ASK = ("id", "question", "also", "not")


def entry_lines(file: Outline, entry: Entry, top: Mapping[str, Any], dash: int, column: int) -> list[str]:
    """Return the lines of a new entry, with the keys that the file uses and without the fields at its top."""
    draft = entry_to_fields(entry)
    chinese = file.is_chinese(None)
    lines: list[str] = []
    for key, name in FIELDS.items():
        value = getattr(draft, name)
        empty = not any(value) if isinstance(value, tuple) else not value
        if key == "id" and not entry.id_given:
            continue
        if key == "answer" and entry.variants:
            lines += _asking(file, entry, None, column)
        elif value != top[key] if key in top else not empty:
            word = file.word(key, None)
            if key == "valid":
                lines.append(f"{word}: {_period(value, chinese)}")
            elif key in LISTS:
                lines.append(f"{word}: {write_list(value, number=key in _NUMBERS)}")
            elif key == "review":
                lines.append(f"{word}: {value or _EMPTY}")
            elif key in FLAGS:
                lines.append(f"{word}: {_flag(value, chinese)}")
            else:
                lines += _text(word, value, column, may_block=key == "answer")
    indent = " " * column
    lines = [line if line.startswith(indent) or not line else indent + line for line in lines]
    lines[0] = " " * dash + "-" + " " * (column - dash - 1) + lines[0].lstrip(" ")
    return lines


def redundant_fields(file: Outline, old: EntryFields, new: EntryFields) -> list[str]:
    """Return the fields that change to the value at the top of the file, so that the entry need not repeat it."""
    top = file.shared()
    return [key for key in key_names.SHARED_KEYS if getattr(old, key) != getattr(new, key) == getattr(top, key)]


def remove_fields(file: Outline, number: int, unwanted: Collection[str]) -> list[TextChange]:
    """Return the changes that remove these fields from an entry."""
    pairs = file.pairs(file.items[number])
    return remove_pairs(file.edits, file.items[number], [n for key, (n, _, _) in pairs.items() if key in unwanted])


def follow_up_changes(file: Outline, number: int, entry: Entry) -> list[TextChange]:
    """Return the changes that give an entry the `ask` and `answers` of `entry`, if that has any."""
    old, item = file.entries[number], file.items[number]
    if not entry.variants or (old.ask == entry.ask and old.variants == entry.variants):
        return []
    pairs = file.pairs(item)
    if "ask" not in pairs or "answers" not in pairs:
        place = max(n for key, (n, _, _) in pairs.items() if key in _BEFORE_ASK)
        lines = [", ".join(_literals(file, entry, item))] if item.flow else _asking(file, entry, item, item.column)
        return [insert_pair(file.edits, item, place, lines)]
    changes: list[TextChange] = []
    for key, was, now in (("ask", old.ask, entry.ask), ("answers", old.variants, entry.variants)):
        _, word, node = pairs[key]
        if was == now:
            continue
        if item.flow:
            literal = _literals(file, entry, item)[key == "answers"]
            changes += replace_value(file.edits, word, node, literal.partition(": ")[2])
            continue
        last = file.edits.last_line(node)
        lines = _answers(file, entry, item, item.column) if key == "answers" else [_literals(file, entry, item)[0]]
        changes.append(TextChange(start_of(word), Position(last, len(file.edits.repaired[last - 1])), "\n".join(lines)))
    return changes


def _asking(file: Outline, entry: Entry, item: Item | None, column: int) -> list[str]:
    """Return the lines of `ask` and `answers`, the first without its indentation."""
    first, *rest = _answers(file, entry, item, column)
    return [_literals(file, entry, item)[0], " " * column + first, *rest]


def _answers(file: Outline, entry: Entry, item: Item | None, column: int) -> list[str]:
    lines = [f"{file.word('answers', item)}:"]
    inner = column + _INDENT
    for word, text in entry.variants.items():
        first, *rest = _text(_case(word, file.is_chinese(item)), text, inner, may_block=True)
        lines += [" " * inner + first, *rest]
    return lines


def _literals(file: Outline, entry: Entry, item: Item | None) -> tuple[str, str]:
    """Return `ask` and `answers` on one line each."""
    assert entry.ask is not None  # an entry with variants has a question back
    chinese = file.is_chinese(item)
    answers = (f"{_case(w, chinese)}: {write_scalar(text, in_brackets=True)}" for w, text in entry.variants.items())
    question = write_scalar(entry.ask.question, in_brackets=True)
    return (
        f"{file.word('ask', item)}: {{{write_key(entry.ask.name)}: {question}}}",
        f"{file.word('answers', item)}: {{{', '.join(answers)}}}",
    )


def _case(word: str, chinese: bool) -> str:
    if word == "else":
        return "其他" if chinese else "else"
    return write_key(word)


def _text(word: str, text: str, column: int, *, may_block: bool) -> list[str]:
    if may_block and "\n" in text and (body := block_lines(text, column + _INDENT)):
        return [f"{word}: |", *body]
    return [f"{word}: {write_scalar(text)}"]


def _period(period: tuple[str, str], chinese: bool) -> str:
    words = ("从", "到") if chinese else ("from", "until")
    return "{" + ", ".join(f"{word}: {day}" for word, day in zip(words, period, strict=True) if day) + "}"


def _flag(value: bool, chinese: bool) -> str:
    return ("是" if value else "否") if chinese else ("true" if value else "false")
