"""Apply unambiguous corrections to the text of a file, leaving every other byte as it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from faqbot.knowledge.editing.entry_fields import distinct
from faqbot.knowledge.entry_parser import ParsedFile, parse_file
from faqbot.markup.link_checks import correct_links, find_link_problems
from faqbot.model.entries import Entry, Place
from faqbot.yamltext import key_names, nodes
from faqbot.yamltext.encoding import decode, detect_encoding, normalize_line_ends
from faqbot.yamltext.field_reader import FieldReader
from faqbot.yamltext.line_edits import Position, TextChange, TextEdits
from faqbot.yamltext.line_repairs import repair_lines
from faqbot.yamltext.nodes import Mapping, Node, ParseError, Scalar, text_spans
from faqbot.yamltext.value_edits import remove_pairs, replace_list

_MARK = "\ufeff".encode()
_COMMENTED_OUT = re.compile(r"\s#[^\s#]")
_ENCODING_NAMES = {"gb18030": "GBK 编码", "utf-16": "UTF-16 编码"}
# Correcting one key may reveal another below it; no file nests more mistakes than this.
_ROUNDS = 5


ChangeSet = list[TextChange]
CorrectionFinder = Callable[[bytes], Iterator[ChangeSet]]
Invariant = Callable[[Entry], Entry]


@dataclass(frozen=True, slots=True)
class Fix:
    """One correction: the lines as they were and as they are; `line` counts in the file as it was."""

    file: str
    line: int
    before: str
    after: str
    reason: str


def fix(raw: bytes, name: str) -> tuple[bytes, list[Fix]]:
    """Return the bytes with all safe corrections made, and the corrections; bytes that need none are returned as given.

    Files beside `faq/` are only brought to UTF-8.
    """
    raw, fixes = _as_utf8(raw, name)
    if detect_encoding(raw) != "utf-8" or "faq" not in name.split("/")[-2:-1]:
        return raw, fixes
    raw, more = _apply_corrections(raw, name, _line_repairs, "按本意改正")
    fixes += more
    for _ in range(_ROUNDS):
        raw, more = _apply_corrections(raw, name, _key_corrections, "键写错了")
        fixes += more
        if not more:
            break
    raw, more = _apply_corrections(raw, name, _repeat_removals, "同一条里重复的问法")
    fixes += more
    raw, more = _apply_corrections(raw, name, _link_corrections, "链接写错了", _with_links)
    if more:
        fixes += more
        # A sentence that begins with a link needs quotes.
        raw, more = _apply_corrections(raw, name, _line_repairs, "按本意改正", _with_links)
    return raw, _merge_fixes([*fixes, *more])


def _merge_fixes(fixes: list[Fix]) -> list[Fix]:
    """Merge corrections that were made to one line one after the other."""
    joined: list[Fix] = []
    for fix in fixes:
        place = next((n for n, f in enumerate(joined) if (f.line, f.after) == (fix.line, fix.before)), -1)
        if place < 0:
            joined.append(fix)
        else:
            first = joined[place]
            joined[place] = replace(first, after=fix.after, reason=f"{first.reason}；{fix.reason}")
    return sorted(joined, key=lambda f: f.line)


def _as_utf8(raw: bytes, name: str) -> tuple[bytes, list[Fix]]:
    encoding = detect_encoding(raw)
    if encoding in _ENCODING_NAMES:
        fix = Fix(name, 1, _ENCODING_NAMES[encoding], "UTF-8 编码", "另存为 UTF-8")
        return decode(raw, encoding).lstrip("\ufeff").encode(), [fix]
    if encoding == "utf-8" and raw.startswith(_MARK):
        bare = raw.decode().lstrip("\ufeff").encode()
        return bare, [Fix(name, 1, "UTF-8 编码，带 BOM", "UTF-8 编码", "去掉文件开头看不见的标记")]
    return raw, []


def _apply_corrections(
    raw: bytes, name: str, find: CorrectionFinder, reason: str, invariant: Invariant | None = None
) -> tuple[bytes, list[Fix]]:
    """Make each correction that leaves the file better; `invariant` returns what must stay the same in a good entry."""
    corrections = list(find(raw))
    if not corrections:
        return raw, []
    edits = TextEdits(raw, repair_lines(normalize_line_ends(decode(raw, "utf-8")))[0])
    accepted = _accept(edits, parse_file(name, raw), [], corrections, invariant or _bare)
    changes = [change for correction in accepted for change in correction]
    after = edits.apply(changes)
    return after, list(_changed_lines(raw, after, changes, name, reason))


def _accept(
    edits: TextEdits, before: ParsedFile, chosen: list[ChangeSet], more: list[ChangeSet], invariant: Invariant
) -> list[ChangeSet]:
    """Return `chosen` and those of `more` that make the file better; where not all do together, try each half."""
    changes = [change for correction in (*chosen, *more) for change in correction]
    now = parse_file(before.name, edits.apply(changes))
    if _is_better(before, now, invariant, thoroughly=len(more) > 1):
        return [*chosen, *more]
    if len(more) == 1:
        return chosen
    half = len(more) // 2
    chosen = _accept(edits, before, chosen, more[:half], invariant)
    if chosen:
        changes = [change for correction in chosen for change in correction]
        before = parse_file(before.name, edits.apply(changes))
    return _accept(edits, before, chosen, more[half:], invariant)


def _changed_lines(raw: bytes, after: bytes, changes: Iterable[TextChange], name: str, reason: str) -> Iterator[Fix]:
    """Yield the lines that changed, before and after."""
    old, new = (normalize_line_ends(decode(content, "utf-8")).split("\n") for content in (raw, after))
    spans: list[tuple[int, int, int]] = []
    for change in sorted(changes, key=lambda c: (c.start, c.end)):
        first, last = change.start.line - 1, change.end.line - (1 if change.is_whole_lines else 0)
        grown = change.text.count("\n") - (change.end.line - change.start.line)
        if spans and first < spans[-1][1]:
            first, before_last, before_grown = spans.pop()
            last, grown = max(last, before_last), grown + before_grown
        spans.append((first, last, grown))
    shift = 0
    for first, last, grown in spans:
        was, now = old[first:last], new[first + shift : last + shift + grown]
        shift += grown
        if len(was) == len(now):
            for number, (a, b) in enumerate(zip(was, now, strict=True), first + 1):
                if a != b:
                    yield Fix(name, number, a, b, reason)
        else:
            yield Fix(name, first + 1, "\n".join(was), "\n".join(now), reason)


def _is_better(before: ParsedFile, after: ParsedFile, invariant: Invariant, *, thoroughly: bool) -> bool:
    """Return True if a good file still says the same, or a broken one has more readable entries or fewer problems.

    `thoroughly` is for many corrections at once, where one may hide the harm of another: no problem may be new.
    """
    if before.ok:
        return after.ok and list(map(invariant, before.entries)) == list(map(invariant, after.entries))
    if thoroughly and {(p.place, p.message) for p in after.problems} - {(p.place, p.message) for p in before.problems}:
        return False
    return len(after.entries) > len(before.entries) or len(after.problems) < len(before.problems)


def _bare(entry: Entry) -> Entry:
    return replace(entry, place=Place("", 0), not_=distinct(entry.not_, ""))


def _with_links(entry: Entry) -> Entry:
    """Return the entry with its links corrected, to compare the rest, which a correction of links must not change."""
    variants = {word: correct_links(text) for word, text in entry.variants.items()}
    return replace(
        _bare(entry), answer=correct_links(entry.answer), source=correct_links(entry.source), variants=variants
    )


# -- the corrections ---------------------------------------------------------------------------


def _line_repairs(raw: bytes) -> Iterator[ChangeSet]:
    """Yield the line repairs that reading the file makes anyway, to write them down."""
    text = normalize_line_ends(decode(raw, "utf-8"))
    _, mends = repair_lines(text)
    if mends:
        yield [TextChange(Position(m.line, 0), Position(m.line, len(m.after)), m.after) for m in mends]


def _key_corrections(raw: bytes) -> Iterator[ChangeSet]:
    """Yield corrections of misspelt keys of which only one can be meant."""
    for mapping, allowed in _mappings(_root(raw)):
        present = {allowed.get(key.value.strip()) for key, _ in mapping.pairs}
        for key, _ in mapping.pairs:
            word = key.value.strip()
            if word in allowed or not key.plain or (allowed is key_names.FILE_KEYS and word in key_names.ENTRY_KEYS):
                continue
            meant = key_names.certain_key(word, allowed)
            if meant and allowed[meant] not in present:
                present.add(allowed[meant])
                yield [TextChange(Position(key.line, key.column), Position(key.end_line, key.end_column), meant)]


def _link_corrections(raw: bytes) -> Iterator[ChangeSet]:
    """Yield corrections of links that can only be meant in one way."""
    lines = repair_lines(normalize_line_ends(decode(raw, "utf-8")))[0].split("\n")
    for mapping, allowed in _mappings(_root(raw)):
        texts = [node for key, node in mapping.pairs if allowed.get(key.value.strip()) in ("answer", "source")]
        texts += [
            text
            for key, node in mapping.pairs
            if _means(key, "answers") and isinstance(node, Mapping)
            for _, text in node.pairs
        ]
        for text in texts:
            for line, start, end in text_spans(text, lines) if isinstance(text, Scalar) else ():
                for slip in find_link_problems(lines[line - 1][start:end]):
                    if slip.sure:
                        yield [
                            TextChange(
                                Position(line, start + slip.start), Position(line, start + slip.end), slip.correction
                            )
                        ]


def _repeat_removals(raw: bytes) -> Iterator[ChangeSet]:
    """Yield the removal of wordings that occur twice in one entry, or repeat its question."""
    edits = TextEdits(raw, repair_lines(normalize_line_ends(decode(raw, "utf-8")))[0])
    for mapping, allowed in _mappings(_root(raw)):
        if allowed is not key_names.ENTRY_KEYS:
            continue
        question = next((_text(node) for key, node in mapping.pairs if _means(key, "question")), "")
        for number, (key, node) in enumerate(mapping.pairs):
            if not (_means(key, "also") or _means(key, "not")):
                continue
            if _COMMENTED_OUT.search("\n".join(edits.repaired[node.line - 1 : edits.last_line(node)])):
                # 年假 #1 is not a repeat: the text behind the sign was perhaps meant to be read.
                continue
            old = tuple(FieldReader("").texts(node, "also"))
            new = distinct(old, question if _means(key, "also") else "")
            if new != old and new:
                yield replace_list(edits, key, node, old, new)
            elif new != old and len(mapping.pairs) > 1:
                yield remove_pairs(edits, mapping, [number])


def _root(raw: bytes) -> Node | None:
    try:
        return nodes.parse_yaml(repair_lines(normalize_line_ends(decode(raw, "utf-8")))[0])
    except ParseError:
        return None


def _mappings(root: Node | None) -> Iterator[tuple[Mapping, dict[str, str]]]:
    """Yield all mappings of a file with the keys they may have."""
    items: Node | None = root
    if isinstance(root, Mapping):
        yield root, key_names.FILE_KEYS
        items = next((node for key, node in root.pairs if key.value.strip() in key_names.ENTRIES_KEYS), None)
    for item in items.items if isinstance(items, nodes.Sequence) else ():
        if isinstance(item, Mapping):
            yield item, key_names.ENTRY_KEYS
            for key, node in item.pairs:
                if _means(key, "valid") and isinstance(node, Mapping):
                    yield node, key_names.PERIOD_KEYS


def _means(key: Scalar, meant: str) -> bool:
    return key_names.ENTRY_KEYS.get(key.value.strip()) == meant


def _text(node: Node) -> str:
    return node.value.strip() if isinstance(node, Scalar) else ""
