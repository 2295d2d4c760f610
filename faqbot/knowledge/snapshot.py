"""Builds one Snapshot from all files: entries, search index, and the problems in and between the files. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from faqbot.knowledge import regression_questions
from faqbot.knowledge.duplicates import identical_wordings, own_exclusions, similar_wordings
from faqbot.knowledge.entry_parser import ParsedFile, distinct_ids, parse_file
from faqbot.knowledge.facts import fill_facts, missing_facts
from faqbot.knowledge.groups_file import match_entries, parse_groups
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
    """All knowledge at one moment; replaced whole, never changed.

    good: per file the version that is live, which is the last one without an error.
    saved: the questions with known answers of `evaluation.yaml`.
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
        """Return True if this question is asked again before each edit."""
        return any(s.question == question and s.entry_ids[:1] == (entry_id,) for s in self.saved)

    def entry(self, entry_id: str) -> Entry | None:
        return next((e for e in self.entries if e.id == entry_id), None)


def build_snapshot(
    files: Mapping[str, bytes],
    *,
    label: str,
    today: date,
    last: Snapshot | None = None,
    parsed: Mapping[str, ParsedFile] | None = None,
) -> Snapshot:
    """Build the snapshot of `files` (name → bytes); a file with an error stays live in its last good version.

    Files that are the same in `last` are not parsed again, nor are those in `parsed` with the same bytes.
    """
    labelled = {name: f"{label}/{name}" for name in files}
    before = last.good if last else {}
    known = {**before, **(parsed or {})}
    parsed = {n: _parsed(labelled[n], files[n], known.get(n)) for n in sorted(files) if n.startswith("faq/")}
    good, entries, problems = _live_versions(parsed, before)
    synonyms, facts = _synonyms_and_facts(files, labelled, last, problems)
    groups = _groups(files, labelled, last, problems)
    automations = _automations(files, labelled, last, problems)
    saved = _saved(files, labelled, last, problems)
    lines = SourceLines({labelled[name]: raw for name, raw in files.items()}, entries)
    problems += missing_facts(entries, facts, lines)
    entries = [fill_facts(e, facts) for e in entries]
    groups, group_problems = match_entries(groups, entries, f"{label}/groups.yaml")
    answerable = [e for e in entries if not e.draft and not e.held]
    index = Index(answerable, Synonyms((*synonyms, *builtin_synonyms().groups)))
    problems += [
        *unknown_ids(saved, {e.id for e in entries}),
        *_entry_problems(entries, index, today, lines),
        *group_problems,
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


def _entry_problems(entries: Sequence[Entry], index: Index, today: date, lines: SourceLines) -> list[Problem]:
    """Return the problems between entries, and those of their dates and references."""
    return [
        *identical_wordings(entries, lines),
        *similar_wordings(index, today, lines),
        *own_exclusions(entries, lines),
        *_stale(entries, today),
        *_unknown_related(entries),
        *_not_numbers(entries),
    ]


def _live_versions(
    parsed: Mapping[str, ParsedFile], before: Mapping[str, ParsedFile]
) -> tuple[dict[str, ParsedFile], list[Entry], list[Problem]]:
    """Return the version of each file that goes live, the entries of these, and the problems of all files.

    A file with an error, or with an id that another file has, goes on in its version of `before`.
    """
    good: dict[str, ParsedFile] = {}
    live: dict[str, Iterable[Entry]] = {}
    problems: list[Problem] = []
    used_ids = _kept_ids(parsed, before)
    for name in sorted(parsed):
        clashes = _clashes(parsed[name], used_ids)
        problems += [*parsed[name].problems, *clashes]
        if parsed[name].ok and not clashes:
            good[name], live[name] = parsed[name], parsed[name].entries
        elif name in before:
            good[name] = before[name]
            live[name] = [e for e in before[name].entries if not _is_elsewhere(e, used_ids)]
        else:
            continue
        used_ids |= {e.id: e.place for e in live[name] if e.id_given}
    return good, distinct_ids((e for entries in live.values() for e in entries), set()), problems


def _parsed(name: str, raw: bytes, known: ParsedFile | None) -> ParsedFile:
    return known.named(name) if known is not None and known.raw == raw else parse_file(name, raw)


def _synonyms_and_facts(
    files: Mapping[str, bytes], labelled: Mapping[str, str], last: Snapshot | None, problems: list[Problem]
) -> tuple[tuple[tuple[str, ...], ...], Mapping[str, str]]:
    """Return the synonyms and the facts; those of a file with an error stay as they were."""
    synonyms: tuple[tuple[str, ...], ...] = ()
    facts: Mapping[str, str] = {}
    if (name := "synonyms.yaml") in files:
        groups, more = parse_synonyms(labelled[name], files[name])
        problems += more
        broken = any(p.is_error for p in more)
        synonyms = last.synonyms if broken and last else tuple(map(tuple, groups))
    if (name := "facts.yaml") in files:
        parsed_facts, more = parse_facts(labelled[name], files[name])
        problems += more
        broken = any(p.is_error for p in more)
        facts = last.facts if broken and last else parsed_facts
    return synonyms, facts


def _groups(
    files: Mapping[str, bytes], labelled: Mapping[str, str], last: Snapshot | None, problems: list[Problem]
) -> Groups:
    if (name := "groups.yaml") not in files:
        return Groups()
    groups, more = parse_groups(labelled[name], files[name])
    problems += more
    return last.groups if last and any(p.is_error for p in more) else groups


def _automations(
    files: Mapping[str, bytes], labelled: Mapping[str, str], last: Snapshot | None, problems: list[Problem]
) -> Automations:
    """Return the automations; those of a file that cannot be read stay as they were."""
    name = "automations.yaml"
    if name not in files:
        return Automations()
    read = read_automations(labelled[name], files[name])
    problems += read.problems
    if read.ok:
        return read.automations
    return last.automations if last else Automations()


def _saved(
    files: Mapping[str, bytes], labelled: Mapping[str, str], last: Snapshot | None, problems: list[Problem]
) -> tuple[SavedQuestion, ...]:
    if regression_questions.NAME not in files:
        return ()
    saved, more = parse_saved(labelled[regression_questions.NAME], files[regression_questions.NAME])
    problems += more
    return last.saved if last and any(p.is_error for p in more) else tuple(saved)


def _version(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + files[name] + b"\0")
    return digest.hexdigest()[:12]


def _kept_ids(parsed: Mapping[str, ParsedFile], before: Mapping[str, ParsedFile]) -> dict[str, Place]:
    """Return the ids that files had before and still have: a file that newly has one of them clashes."""
    places: dict[str, Place] = {}
    for name, file in parsed.items():
        if name in before:
            known = {e.id for e in before[name].entries if e.id_given}
            entries = file.entries if file.ok else before[name].entries
            places = {e.id: e.place for e in entries if e.id in known} | places
    return places


def _clashes(parsed: ParsedFile, used_ids: Mapping[str, Place]) -> list[Problem]:
    return [
        Problem(e.place, f"编号“{e.id}”重复（{used_ids[e.id]} 已有）")
        for e in parsed.entries
        if e.id_given and _is_elsewhere(e, used_ids)
    ]


def _is_elsewhere(entry: Entry, used_ids: Mapping[str, Place]) -> bool:
    return entry.id in used_ids and used_ids[entry.id].file != entry.place.file


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
