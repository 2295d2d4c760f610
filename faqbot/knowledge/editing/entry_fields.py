"""The fields of an entry that people may change, and their normal form in a file. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from faqbot.errors import EditError
from faqbot.model.entries import Entry
from faqbot.yamltext.field_reader import parse_date
from faqbot.yamltext.nodes import Scalar

# Keys of a file and the fields they stand for, in the order in which an entry reads best.
FIELDS = {
    "id": "id",
    "question": "question",
    "also": "also",
    "not": "not_",
    "answer": "answer",
    "topic": "topic",
    "owner": "owner",
    "source": "source",
    "related": "related",
    "valid": "valid",
    "review": "review",
    "groups": "groups",
    "departments": "departments",
    "private": "private",
    "draft": "draft",
}
TEXTS = ("id", "question", "answer", "topic", "owner", "source")
LISTS = ("also", "not", "related", "groups", "departments")
FLAGS = ("private", "draft")
_DATES = {"valid_from": "有效期开始", "valid_until": "有效期结束", "review": "复核日期"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFields:
    """The fields of an entry that a person may change. Dates are text, `2026-12-31` or nothing.

    An empty `id` leaves the id as it is. The values are those in force, also where they stand at the top of the file:
    only fields that differ from the file are written.
    """

    id: str = ""
    question: str
    also: tuple[str, ...] = ()
    not_: tuple[str, ...] = ()
    answer: str
    topic: str = ""
    owner: str = ""
    source: str = ""
    related: tuple[str, ...] = ()
    valid_from: str = ""
    valid_until: str = ""
    review: str = ""
    groups: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    private: bool = False
    draft: bool = False

    @property
    def valid(self) -> tuple[str, str]:
        return self.valid_from, self.valid_until


def entry_to_fields(entry: Entry) -> EntryFields:
    """Return the fields of an entry; for one with `ask`, `answer` is empty."""
    start, end = entry.valid.start, entry.valid.end
    return EntryFields(
        id=entry.id,
        question=entry.question,
        also=entry.also,
        not_=entry.not_,
        answer=entry.answer,
        topic=entry.topic,
        owner=entry.owner,
        source=entry.source,
        related=entry.related,
        valid_from=start.isoformat() if start else "",
        valid_until=end.isoformat() if end else "",
        review=entry.review.isoformat() if entry.review else "",
        groups=entry.groups,
        departments=entry.departments,
        private=entry.private,
        draft=entry.draft,
    )


def normalized_fields(draft: EntryFields) -> EntryFields:
    """Return the fields as a file gives them back: no blanks around texts, no empty or repeated wordings, ISO dates.

    Raises EditError for a value that no file can hold.
    """
    changed: dict[str, Any] = {key: _clean(getattr(draft, key)) for key in TEXTS}
    changed["id"] = " ".join(changed["id"].split()) if "\n" in changed["id"] else changed["id"]
    changed |= {FIELDS[key]: tuple(filter(None, map(_clean, getattr(draft, FIELDS[key])))) for key in LISTS}
    changed["also"] = distinct(changed["also"], changed["question"])
    changed |= {field: _iso(getattr(draft, field), what) for field, what in _DATES.items()}
    return replace(draft, **changed)


def distinct(wordings: tuple[str, ...], question: str) -> tuple[str, ...]:
    """Return wordings as an entry reads them: each once, without the question itself."""
    return tuple(dict.fromkeys(w for w in wordings if w != question))


def _clean(text: str) -> str:
    text = re.sub("\r\n?", "\n", text).strip()
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        excerpt = text.encode("utf-8", "replace").decode()[:20]
        raise EditError(f"“{excerpt}”里有半个表情或不能保存的字符，请删掉重新输入") from exc
    return text


def _iso(text: str, what: str) -> str:
    day = parse_date(Scalar(text, 1))
    if day is None and text.strip():
        raise EditError(f"{what}“{text.strip()[:20]}”不是日期，请写成 2026-12-31 这样")
    return day.isoformat() if day else ""
