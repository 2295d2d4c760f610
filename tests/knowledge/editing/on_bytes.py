"""The edits of `entry_editor` from bytes to bytes, as tests state them."""

from __future__ import annotations

from typing import Any

from faqbot.knowledge.editing import entry_editor
from faqbot.knowledge.editing.entry_fields import EntryFields
from faqbot.knowledge.editing.entry_spans import Outline


def _open(raw: bytes | None, name: str) -> Outline | None:
    return None if raw is None else Outline(raw, name)


def change_entry(raw: bytes, entry_id: str, draft: EntryFields, *, name: str = "") -> bytes:
    return entry_editor.change_entry(Outline(raw, name), entry_id, draft).raw


def add_wording(raw: bytes, entry_id: str, text: str, to: Any = "also", *, name: str = "") -> bytes:
    return entry_editor.add_wording(Outline(raw, name), entry_id, text, to).raw


def add_entry(raw: bytes | None, draft: EntryFields, *, topic: str = "", name: str = "") -> bytes:
    return entry_editor.add_entry(_open(raw, name), draft, topic=topic, name=name).raw


def remove_entry(raw: bytes, entry_id: str, *, name: str = "") -> bytes:
    return entry_editor.remove_entry(Outline(raw, name), entry_id).raw


def restore_entry(raw: bytes | None, text_of_entry: str, *, entry_id: str = "", name: str = "") -> bytes:
    return entry_editor.restore_entry(_open(raw, name), entry_id, text_of_entry, name=name).raw


def entry_text(raw: bytes, entry_id: str, *, name: str = "") -> str:
    return entry_editor.entry_text(Outline(raw, name), entry_id)
