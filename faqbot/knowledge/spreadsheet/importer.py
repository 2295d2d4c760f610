"""Imports a table into the text of the knowledge files, and parses the result as a check. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from faqbot.errors import EditError
from faqbot.knowledge.editing.entry_editor import append_lines, entry_changes
from faqbot.knowledge.editing.entry_fields import FIELDS, entry_to_fields
from faqbot.knowledge.editing.entry_spans import Outline
from faqbot.knowledge.spreadsheet.columns import COLUMNS, field_value
from faqbot.knowledge.spreadsheet.comparison import (
    ImportPlan,
    KnownEntry,
    TableEdit,
    TableProblem,
    known_entries,
    plan_import,
)
from faqbot.knowledge.spreadsheet.entry_lines import entry_lines, follow_up_changes, redundant_fields, remove_fields
from faqbot.knowledge.spreadsheet.workbook import read_table
from faqbot.model.entries import Entry, Place
from faqbot.yamltext import key_names
from faqbot.yamltext.line_edits import TextChange, replace_lines
from faqbot.yamltext.quoting import write_scalar

_NOWHERE = Place("", 0)
# Share of the whole time that has passed once the table is read, and once it is compared.
_READ_SHARE, _COMPARED_SHARE = 0.4, 0.6


def import_table(
    files: Mapping[str, bytes],
    name: str,
    raw: bytes,
    *,
    delete_missing: bool = False,
    progress: Callable[[float], object] = lambda part: None,
) -> tuple[ImportPlan, dict[str, bytes]]:
    """Return the edits by the table `raw`, and the files after them. Raises SheetError.

    With an error in the plan the files are returned as they are.
    """
    table = read_table(name, raw, lambda part: progress(part * _READ_SHARE))
    known, file_problems = known_entries(files)
    tops = FileHeaders(files)
    plan = plan_import(table, known, tops)
    progress(_COMPARED_SHARE)
    broken = {p.place.file: p.message for p in file_problems}
    work = _work(plan, known, delete_missing)
    problems = [_broken(job, broken[job.file]) for job in work if job.file in broken]
    if not plan.ok or problems:
        return replace(plan, problems=(*plan.problems, *problems)), dict(files)
    if not work:
        return plan, dict(files)
    after = dict(files)
    for number, job in enumerate(work, 1):
        try:
            after[job.file] = _rewritten(tops.open(job.file), job)
        except EditError as exc:
            problems.append(TableProblem(0, "文件", f"{job.file}：{exc}"))
        progress(_COMPARED_SHARE + (1 - _COMPARED_SHARE) * number / (len(work) + 1))
    if not problems:
        after, problems = _verify(after, work)
    progress(1.0)
    return replace(plan, problems=(*plan.problems, *problems)), after if not problems else dict(files)


class FileHeaders(Mapping[str, Entry]):
    """The fields at the top of each file, which is opened when it is looked up first."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = {name: raw for name, raw in sorted(files.items()) if name.startswith("faq/")}
        self._open: dict[str, Outline] = {}

    def __getitem__(self, name: str) -> Entry:
        if name not in self._files:
            raise KeyError(name)
        try:
            file = self.open(name)
        except EditError:
            file = None  # reported when something is to be written there
        if file is None:
            return Entry("", "", "")
        top = file.shared()
        return Entry(
            id="", question="", answer="", topic=top.topic, owner=top.owner, source=top.source,
            groups=top.groups, departments=top.departments, private=top.private,
            review=date.fromisoformat(top.review) if top.review else None,
        )  # fmt: skip

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def open(self, name: str) -> Outline | None:
        """Open a file for editing; return None for one that does not exist yet. Raises EditError."""
        if name not in self._files:
            return None
        if name not in self._open:
            self._open[name] = Outline(self._files[name], name)
        return self._open[name]


# -- one file ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Job:
    """The work on one file."""

    file: str
    present: Sequence[KnownEntry]
    changed: dict[str, TableEdit] = field(default_factory=dict)  # local id → edit
    removed: set[str] = field(default_factory=set)  # local ids
    added: list[TableEdit] = field(default_factory=list)

    @property
    def row(self) -> int:
        return next((e.row for e in (*self.changed.values(), *self.added)), 0)

    def expected(self) -> Iterator[tuple[int, Entry]]:
        """Yield the entries of the file afterwards, in order, each with the row it comes from (0 for none)."""
        for known in self.present:
            if change := self.changed.get(known.local_id):
                yield change.row, change.entry
            elif known.local_id not in self.removed:
                yield 0, known.entry
        yield from ((e.row, e.entry) for e in self.added)


def _work(plan: ImportPlan, known: Sequence[KnownEntry], delete_missing: bool) -> list[_Job]:
    """Return the work on each file that changes."""
    jobs = {name: _Job(name, []) for name in dict.fromkeys((*(k.file for k in known), *(e.file for e in plan.edits)))}
    present: dict[str, list[KnownEntry]] = {name: [] for name in jobs}
    for k in known:
        present[k.file].append(k)
    for name, job in jobs.items():
        job.present = present[name]
    for e in plan.edits:
        if e.known and e.known.file == e.file:
            jobs[e.file].changed[e.known.local_id] = e
            continue
        if e.known:
            jobs[e.known.file].removed.add(e.known.local_id)
        jobs[e.file].added.append(e)
    for k in plan.missing if delete_missing else ():
        jobs[k.file].removed.add(k.local_id)
    return [job for job in jobs.values() if job.changed or job.removed or job.added]


def _rewritten(file: Outline | None, job: _Job) -> bytes:
    if file is None:
        return _new_file(job.added)
    raw = file.raw
    if job.changed or job.removed:
        raw = _changed_bytes(file, job)
        file = Outline(raw, job.file) if job.added else file
    return _with_added(file, job.added) if job.added else raw


def _changed_bytes(file: Outline, job: _Job) -> bytes:
    changes: list[TextChange] = []
    redundant: dict[int, list[str]] = {}
    for number, entry in enumerate(file.entries):
        if (target := job.changed.get(entry.id)) is None:
            continue
        # An id made from the question is not written; the check of the result writes it if it must.
        new_id = entry.id if target.known and target.known.entry.id == target.entry.id else target.entry.id
        old, new = entry_to_fields(entry), replace(entry_to_fields(target.entry), id=new_id)
        changes += [*entry_changes(file, number, old, new), *follow_up_changes(file, number, target.entry)]
        if keys := redundant_fields(file, old, new):
            redundant[number] = keys
    removed = [number for number, entry in enumerate(file.entries) if entry.id in job.removed]
    raw = file.edits.apply(changes)
    if not redundant and not removed:
        return raw
    # Removals come second: they must not overlap with the inserted lines.
    file = Outline(raw, job.file) if changes else file
    cuts = [replace_lines(first, behind, "") for first, behind in _lines_of(file, removed)]
    for number, unwanted in redundant.items():
        cuts += remove_fields(file, number, unwanted)
    return file.edits.apply(cuts)


def _lines_of(file: Outline, removed: Sequence[int]) -> list[tuple[int, int]]:
    """Return the ranges of lines of these entries, with their comments and blank lines that would be left over."""
    lines, last = file.edits.repaired, len(file.items) - 1
    while last in removed:
        last -= 1
    ranges: list[tuple[int, int]] = []
    for number in removed:
        span = file.span(number)
        first, behind = span.first, span.last + 1
        while number < last and not lines[behind - 1].strip():
            behind += 1
        while number > last >= 0 and not lines[first - 2].strip():
            first -= 1
        if ranges and first <= ranges[-1][1]:
            first = ranges.pop()[0]
        ranges.append((first, behind))
    return ranges


def _with_added(file: Outline, added: Iterable[TableEdit]) -> bytes:
    dash, column = file.indents()
    gap = [""] * (file.gap().count("\n") if file.items else 1)
    top = {key: getattr(file.shared(), FIELDS[key]) for key in key_names.SHARED_KEYS}
    lines: list[str] = []
    for e in added:
        lines += gap if lines else []
        lines += entry_lines(file, e.entry, top, dash, column)
    return append_lines(file, lines)


def _new_file(added: Sequence[TableEdit]) -> bytes:
    """Return a new file, with topic and owner at its top if all its entries have the same."""
    head = ""
    for key in ("topic", "owner"):
        values = {field_value(e.entry, key) for e in added}
        if len(values) == 1 and (value := values.pop()):
            head += f"{key}: {write_scalar(value)}\n"
    return _with_added(Outline(f"{head}entries:\n".encode(), ""), added)


# -- checking the result --------------------------------------------------------------------------------


def _verify(after: dict[str, bytes], work: Sequence[_Job]) -> tuple[dict[str, bytes], list[TableProblem]]:
    """Read all files again: the changed entries must have the new content, and all others the content from before."""
    jobs = {job.file: list(job.expected()) for job in work}
    for _ in range(2):
        now, file_problems = known_entries(after)
        # A file that was broken before, and is not touched, does not matter.
        if worse := [p for p in file_problems if p.place.file in jobs]:
            return after, [TableProblem(0, "文件", f"这样写会让文件读不懂：{p.place}：{p.message}") for p in worse]
        by_file: dict[str, list[KnownEntry]] = {}
        for k in now:
            by_file.setdefault(k.file, []).append(k)
        if uneven := [name for name, rows in jobs.items() if len(by_file.get(name, ())) != len(rows)]:
            return after, [TableProblem(0, "文件", f"这样写会影响 {uneven[0]} 里别的条目，请直接改文件")]
        lost = _lost_ids(jobs, by_file)
        if not lost:
            break
        after |= {name: _ids_written(after[name], name, ids) for name, ids in lost.items()}
    problems = []
    for name, rows in jobs.items():
        for (row, target), k in zip(rows, by_file.get(name, ()), strict=True):
            if odd := _differences(target, k.entry):
                problems.append(TableProblem(row, "、".join(odd), "写进文件后读出来不一样，请直接改文件"))
    return after, problems


def _lost_ids(
    jobs: Mapping[str, Sequence[tuple[int, Entry]]], by_file: Mapping[str, Sequence[KnownEntry]]
) -> dict[str, dict[int, str]]:
    """Return ids made from a question that would be made differently now: file → number of the entry → id."""
    lost: dict[str, dict[int, str]] = {}
    for name, rows in jobs.items():
        for number, ((_, target), k) in enumerate(zip(rows, by_file.get(name, ()), strict=True)):
            if target.id and target.id != k.entry.id:
                lost.setdefault(name, {})[number] = target.id
    return lost


def _ids_written(raw: bytes, name: str, ids: Mapping[int, str]) -> bytes:
    file = Outline(raw, name)
    changes = []
    for number, entry_id in ids.items():
        old = entry_to_fields(file.entries[number])
        changes += entry_changes(file, number, old, replace(old, id=entry_id))
    return file.edits.apply(changes)


def _differences(target: Entry, now: Entry) -> list[str]:
    if replace(now, place=_NOWHERE, held="", id_given=True) == replace(target, place=_NOWHERE, held="", id_given=True):
        return []
    columns = [c for c in COLUMNS if c.key != "file" and (target.id or c.key != "id")]
    return [c.name for c in columns if field_value(target, c.key) != field_value(now, c.key)]


def _broken(job: _Job, message: str) -> TableProblem:
    return TableProblem(job.row, "文件", f"{job.file} 里有错误，请先改好（faqbot check）：{message}")
