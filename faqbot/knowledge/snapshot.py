"""All files together → one Snapshot: what can be answered, and what is wrong between the files. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from faqbot.knowledge import regression_questions
from faqbot.knowledge.duplicates import near_wordings, own_exclusions, same_wordings
from faqbot.knowledge.entry_parser import ParsedFile, distinct_ids, parse_file
from faqbot.knowledge.facts import unfilled, with_facts
from faqbot.knowledge.groups_file import parse_groups, with_entries
from faqbot.knowledge.regression_questions import SavedQuestion, parse_saved, unknown_ids
from faqbot.knowledge.source_lines import SourceLines
from faqbot.knowledge.synonyms_and_facts import parse_facts, parse_synonyms
from faqbot.language.normalize import Synonyms
from faqbot.language.vocabulary import builtin_synonyms
from faqbot.model.entries import Entry, Place, Problem
from faqbot.model.group_settings import Groups
from faqbot.rules.definitions import Automations
from faqbot.rules.parser import read_automations
from faqbot.search.index import Index


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything known at one moment; replaced whole, never changed.

    `good` keeps, per file, the version that is live now: the last one without an error.
    """

    version: str
    entries: tuple[Entry, ...]
    index: Index
    problems: tuple[Problem, ...]
    good: Mapping[str, ParsedFile] = field(default_factory=dict)
    synonyms: tuple[tuple[str, ...], ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    groups: Groups = field(default_factory=Groups)
    automations: Automations = field(default_factory=Automations)
    saved: tuple[SavedQuestion, ...] = ()

    def is_saved(self, question: str, entry_id: str) -> bool:
        """Whether this is one of the questions that are asked again before each edit."""
        return any(s.question == question and s.entry_ids[:1] == (entry_id,) for s in self.saved)

    def entry(self, entry_id: str) -> Entry | None:
        return next((e for e in self.entries if e.id == entry_id), None)


def assemble(
    files: Mapping[str, bytes],
    *,
    label: str,
    today: date,
    last: Snapshot | None = None,
    parsed: Mapping[str, ParsedFile] | None = None,
) -> Snapshot:
    """Build the snapshot of `files` (name → bytes); a file with an error lives on in its last good version.

    Files that are the same in `last` are not parsed again, nor are those in `parsed` with the same bytes.
    """
    shown = {name: f"{label}/{name}" for name in files}
    problems: list[Problem] = []
    before = last.good if last else {}
    known = {**before, **(parsed or {})}
    parsed = {n: _parsed(shown[n], files[n], known.get(n)) for n in sorted(files) if n.startswith("faq/")}
    good: dict[str, ParsedFile] = {}
    live: dict[str, Iterable[Entry]] = {}
    taken = _held(parsed, before)
    for name in sorted(parsed):
        clashes = _clashes(parsed[name], taken)
        problems += [*parsed[name].problems, *clashes]
        if parsed[name].ok and not clashes:
            good[name], live[name] = parsed[name], parsed[name].entries
        elif name in before:
            good[name] = before[name]
            live[name] = [e for e in before[name].entries if not _is_elsewhere(e, taken)]
        else:
            continue
        taken |= {e.id: e.place for e in live[name] if e.id_given}
    synonyms, facts = _beside(files, shown, last, problems)
    groups = _groups(files, shown, last, problems)
    automations = _automations(files, shown, last, problems)
    saved = _saved(files, shown, last, problems)
    entries = distinct_ids((e for found in live.values() for e in found), set())
    lines = SourceLines({shown[name]: raw for name, raw in files.items()}, entries)
    problems += unfilled(entries, facts, lines)
    entries = [with_facts(e, facts) for e in entries]
    groups, unkept = with_entries(groups, entries, f"{label}/groups.yaml")
    answerable = [e for e in entries if not e.draft and not e.held]
    index = Index(answerable, Synonyms((*synonyms, *builtin_synonyms().groups)))
    problems += [
        *unknown_ids(saved, {e.id for e in entries}),
        *same_wordings(entries, lines),
        *near_wordings(index, today, lines),
        *own_exclusions(entries, lines),
        *_stale(entries, today),
        *_unknown_related(entries),
        *_not_numbers(entries),
        *unkept,
    ]
    problems.sort(key=lambda p: (p.place.file, p.place.line, not p.is_error))
    return Snapshot(
        version=_version(files),
        entries=tuple(entries),
        index=index,
        problems=tuple(problems),
        good=good,
        synonyms=synonyms,
        facts=facts,
        groups=groups,
        automations=automations,
        saved=saved,
    )


def _parsed(name: str, raw: bytes, known: ParsedFile | None) -> ParsedFile:
    return known.named(name) if known is not None and known.raw == raw else parse_file(name, raw)


def _beside(
    files: Mapping[str, bytes], shown: Mapping[str, str], last: Snapshot | None, problems: list[Problem]
) -> tuple[tuple[tuple[str, ...], ...], Mapping[str, str]]:
    """The synonyms and facts; those of a file with an error stay as they were."""
    synonyms: tuple[tuple[str, ...], ...] = ()
    facts: Mapping[str, str] = {}
    if (name := "synonyms.yaml") in files:
        groups, found = parse_synonyms(shown[name], files[name])
        problems += found
        broken = any(p.is_error for p in found)
        synonyms = last.synonyms if broken and last else tuple(map(tuple, groups))
    if (name := "facts.yaml") in files:
        named, found = parse_facts(shown[name], files[name])
        problems += found
        broken = any(p.is_error for p in found)
        facts = last.facts if broken and last else named
    return synonyms, facts


def _groups(
    files: Mapping[str, bytes], shown: Mapping[str, str], last: Snapshot | None, problems: list[Problem]
) -> Groups:
    if (name := "groups.yaml") not in files:
        return Groups()
    groups, found = parse_groups(shown[name], files[name])
    problems += found
    return last.groups if last and any(p.is_error for p in found) else groups


def _automations(
    files: Mapping[str, bytes], shown: Mapping[str, str], last: Snapshot | None, problems: list[Problem]
) -> Automations:
    """The routine jobs; those of a file that cannot be read stay as they were."""
    name = "automations.yaml"
    if name not in files:
        return Automations()
    read = read_automations(shown[name], files[name])
    problems += read.problems
    if read.ok:
        return read.automations
    return last.automations if last else Automations()


def _saved(
    files: Mapping[str, bytes], shown: Mapping[str, str], last: Snapshot | None, problems: list[Problem]
) -> tuple[SavedQuestion, ...]:
    if regression_questions.NAME not in files:
        return ()
    saved, found = parse_saved(shown[regression_questions.NAME], files[regression_questions.NAME])
    problems += found
    return last.saved if last and any(p.is_error for p in found) else tuple(saved)


def _version(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + files[name] + b"\0")
    return digest.hexdigest()[:12]


def _held(parsed: Mapping[str, ParsedFile], before: Mapping[str, ParsedFile]) -> dict[str, Place]:
    """The ids that files had before and still give: who gives one of them too was edited since, and is in the wrong."""
    held: dict[str, Place] = {}
    for name, file in parsed.items():
        if name in before:
            known = {e.id for e in before[name].entries if e.id_given}
            entries = file.entries if file.ok else before[name].entries
            held = {e.id: e.place for e in entries if e.id in known} | held
    return held


def _clashes(parsed: ParsedFile, taken: Mapping[str, Place]) -> list[Problem]:
    return [
        Problem(e.place, f"编号“{e.id}”重复（{taken[e.id]} 已有）")
        for e in parsed.entries
        if e.id_given and _is_elsewhere(e, taken)
    ]


def _is_elsewhere(entry: Entry, taken: Mapping[str, Place]) -> bool:
    return entry.id in taken and taken[entry.id].file != entry.place.file


def _stale(entries: Iterable[Entry], today: date) -> list[Problem]:
    problems: list[Problem] = []
    for entry in entries:
        if entry.valid.end and entry.valid.end < today:
            message = f"“{entry.question[:40]}”已于 {entry.valid.end} 过期，不再回答"
            problems.append(Problem(entry.place, message, is_error=False))
        elif entry.review and entry.review < today:
            message = f"“{entry.question[:40]}”应在 {entry.review} 前复核，请核对后改复核日期"
            problems.append(Problem(entry.place, message, is_error=False))
    return problems


def _unknown_related(entries: Iterable[Entry]) -> list[Problem]:
    entries = list(entries)
    ids = {e.id for e in entries}
    return [
        Problem(e.place, f"相关条目“{other}”不存在", is_error=False)
        for e in entries
        for other in e.related
        if other not in ids
    ]


def _not_numbers(entries: Iterable[Entry]) -> list[Problem]:
    return [
        Problem(
            e.place,
            f"部门“{other}”不是编号，没有人能看到这一条；请写通讯录里的部门编号（数字）",
            is_error=False,
        )
        for e in entries
        for other in e.departments
        if not (other.isascii() and other.isdigit())
    ]
