"""The form of an entry: convert posted text to the fields of an entry, and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from faqbot.knowledge.editing.entry_fields import EntryFields
from faqbot.model.entries import Entry

# Letters, digits, Chinese, - and _: every system and every person can write these in the name of a file.
_FILE_NAME = re.compile(r"[A-Za-z0-9\u3400-\u4dbf\u4e00-\u9fff_][A-Za-z0-9\u3400-\u4dbf\u4e00-\u9fff_-]{0,39}")
_FACT = re.compile(r"\{facts\.([^{}]+)\}")
_LISTS = ("also", "not_", "related", "groups", "departments")
_FLAGS = ("private", "draft")
_ONE_LINE = ("question", "topic", "owner", "source", "id")


@dataclass(frozen=True, slots=True)
class EntryForm:
    """The text of each form field; lists have one item on each line.

    `seen` names the version of the file that the person looked at.
    """

    file: str = ""
    new_file: str = ""
    seen: str = ""
    id: str = ""
    question: str = ""
    also: str = ""
    not_: str = ""
    answer: str = ""
    topic: str = ""
    owner: str = ""
    source: str = ""
    related: str = ""
    valid_from: str = ""
    valid_until: str = ""
    review: str = ""
    groups: str = ""
    departments: str = ""
    private: bool = False
    draft: bool = False

    @classmethod
    def of_fields(cls, posted: Mapping[str, str]) -> EntryForm:
        """Read a posted form, or the query of a link that fills in a new one."""
        texts = {f.name: posted.get(f.name, "") for f in fields(cls) if f.name not in _FLAGS}
        return cls(**texts, private="private" in posted, draft="draft" in posted)

    @classmethod
    def of_draft(cls, draft: EntryFields, *, file: str, seen: str) -> EntryForm:
        """Fill the form with the fields of an entry."""
        values = {f.name: getattr(draft, f.name) for f in fields(EntryFields)}
        lists = {name: "\n".join(values[name]) for name in _LISTS}
        return cls(**(values | lists), file=file, seen=seen)

    def meant(self, kept: EntryFields | None = None) -> EntryFields:
        """Return the fields: one line where one line belongs, no empty items.

        A field that was not changed on a page that showed `kept` stays as it is there, to the last blank.
        """
        values = {f.name: getattr(self, f.name) for f in fields(EntryFields)}
        values |= {name: _line(text) for name, text in values.items() if isinstance(text, str) and name != "answer"}
        values |= {name: tuple(filter(None, map(_line, getattr(self, name).split("\n")))) for name in _LISTS}
        values |= {"answer": "\n".join(map(str.rstrip, self.answer.split("\n"))).strip("\n")}
        return EntryFields(**values | (self._untouched(kept) if kept else {}))

    def _untouched(self, previous: EntryFields) -> dict[str, Any]:
        previous_form = EntryForm.of_draft(previous, file=self.file, seen=self.seen)
        # Browsers drop line ends in fields of one line.
        return {
            f.name: getattr(previous, f.name)
            for f in fields(EntryFields)
            for was, now in [(getattr(previous_form, f.name), getattr(self, f.name))]
            if now == was or (f.name in _ONE_LINE and now == was.replace("\n", ""))
        }

    def preview(self, kept: Entry | None, facts: Mapping[str, str]) -> Entry:
        """Return the entry for a preview of its answer; `kept` supplies the fields that the form does not have."""
        draft = self.meant()
        entry = kept or Entry(id="", question="", answer="")
        if draft.answer:
            entry = replace(entry, ask=None, variants={})
        return replace(
            entry,
            question=draft.question or "（问题）",
            answer=_FACT.sub(lambda m: facts.get(m[1].strip(), m[0]), draft.answer) or "（答案）",
            source=draft.source,
            owner=draft.owner,
            private=draft.private,
        )

    def at_version(self, seen: str) -> EntryForm:
        return replace(self, seen=seen)


_NAMES = {
    "question": "问题", "also": "也问", "not_": "不是", "answer": "答案", "topic": "主题", "owner": "负责人",
    "source": "来源", "related": "相关", "valid_from": "有效期从", "valid_until": "有效期到", "review": "复核",
    "groups": "群", "departments": "部门", "private": "私聊", "draft": "草稿",
}  # fmt: skip


def differing(a: EntryFields, b: EntryFields) -> Iterator[tuple[str, str, str]]:
    """Yield the fields in which two versions differ: name, first, second."""
    for field, name in _NAMES.items():
        first, second = _shown(getattr(a, field)), _shown(getattr(b, field))
        if first != second:
            yield name, first, second


def _shown(value: str | bool | tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return "\n".join(value) if isinstance(value, tuple) else value.strip()


def new_file_name(text: str) -> str | None:
    """Return the name in the source for a new file; None if the text is no plain name."""
    plain = text.strip().removesuffix(".yaml").removesuffix(".yml")
    return f"faq/{plain}.yaml" if _FILE_NAME.fullmatch(plain) else None


def _line(text: str) -> str:
    return " ".join(text.split())
