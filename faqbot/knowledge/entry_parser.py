"""Parses one file under `faq/` into its entries and every problem in it, with file and line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field, replace

from faqbot.markup.chunking import MARKDOWN_BYTES, split_markdown
from faqbot.markup.link_checks import correct_links, find_link_problems
from faqbot.markup.unsupported_markup import find_unsupported_markup
from faqbot.model.entries import Entry, FollowUp, Place, Problem
from faqbot.yamltext import key_names
from faqbot.yamltext.field_reader import FieldReader
from faqbot.yamltext.line_repairs import repair_lines
from faqbot.yamltext.nodes import Mapping, Node, Scalar, Sequence, text_spans
from faqbot.yamltext.syntax_errors import explain_missing_colon, explain_two_keys

# Longer wordings are no sentences that employees type.
LONG_WORDING_CHARS = 120
# Besides the answer a message holds the name of its reader, the source and its part number.
_MAX_ANSWER_BYTES = MARKDOWN_BYTES - 400
_ID_LENGTH = 40
_BAD_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd\u202a-\u202e\u2066-\u2069]")
_NOT_IN_ID = re.compile(r"[\s\W_]+")

Shared = MappingABC[str, tuple[Scalar, Node]]


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The entries and problems of one file. With an error among the problems the file must not go live.

    `raw` is the parsed text, so that a file that is still the same need not be parsed again.
    """

    name: str
    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()
    raw: bytes = field(default=b"", repr=False, compare=False)

    @property
    def ok(self) -> bool:
        return not any(p.is_error for p in self.problems)

    def named(self, name: str) -> ParsedFile:
        """Return the same file under the name that people see; places take it over."""
        if name == self.name:
            return self
        entries = tuple(replace(e, place=Place(name, e.place.line)) for e in self.entries)
        problems = tuple(replace(p, place=Place(name, p.place.line)) for p in self.problems)
        return replace(self, name=name, entries=entries, problems=problems)


def parse_file(name: str, raw: bytes) -> ParsedFile:
    """Read the bytes of one file under `faq/`. Whatever the file holds, nothing is raised."""
    return FileReader(name).read_file(raw)


def id_from(question: str) -> str:
    """Return a readable id that stays the same while the question does."""
    return _NOT_IN_ID.sub("-", question).strip("-").casefold()[:_ID_LENGTH].strip("-") or "entry"


class FileReader(FieldReader):
    """Reads the entries of one file under `faq/`."""

    __slots__ = ()

    def read_file(self, raw: bytes) -> ParsedFile:
        text = self.decode(raw)
        entries = [] if text is None else self._read_text(text)
        # The top of a file is read once for each entry, but its problems are reported once.
        problems = sorted(dict.fromkeys(self.problems), key=lambda p: p.place.line)
        return ParsedFile(self.name, tuple(entries), tuple(problems), raw)

    def _read_text(self, text: str) -> list[Entry]:
        repaired, repairs = repair_lines(text)
        for repair in repairs:
            self.warn(repair.line, f"{repair.reason}（已按“{repair.after.strip()[:60]}”理解）", repair.after)
        root = self.parse_text(repaired)
        if root is None or (isinstance(root, Scalar) and not root.value.strip()):
            return []
        if isinstance(root, Sequence):
            return self._entries(root, {})
        if not isinstance(root, Mapping):
            self.error(root.line, "没有看到条目；每条应写成“- question: 问题”，下一行“  answer: 答案”")
            return []
        shared, items = self.outline(root)
        if items is None:
            if not any(p.is_error for p in self.problems):
                self.error(root.line, "没有“entries:”（条目），不知道问题写在哪里")
            return []
        if isinstance(items, Scalar) and not items.value.strip():
            return []
        if not isinstance(items, Sequence):
            self.error(items.line, "“entries:”下面每条要以“- ”开头，例如“  - question: 年假有几天？”")
            return []
        return self._entries(items, shared)

    def outline(self, root: Mapping) -> tuple[Shared, Node | None]:
        """Return the pairs at the top of a file, which hold for all entries, and the node of the entries."""
        pairs = self.known_pairs(root, key_names.FILE_KEYS, "文件开头")
        return {k: pair for k, pair in pairs.items() if k != "entries"}, pairs.get("entries", (None, None))[1]

    def _entries(self, items: Sequence, shared: Shared) -> list[Entry]:
        entries: list[Entry] = []
        used: dict[str, int] = {}
        for item in items.items:
            if isinstance(item, Scalar) and not item.value.strip():
                self.warn(item.line, "这里有一条空的条目，可以删掉这个“-”")
                continue
            if not isinstance(item, Mapping):
                line = self.lines[item.line - 1]
                self.error(
                    item.line, explain_missing_colon(line) or "每条应写成“- question: 问题”，下一行“  answer: 答案”"
                )
                continue
            entry = self.entry(item, shared)
            if entry is None:
                continue
            if entry.id_given and entry.id in used:
                self.error(item.line, f"编号“{entry.id}”重复（第 {used[entry.id]} 行已有）")
            used.setdefault(entry.id, item.line)
            entries.append(entry)
        return distinct_ids(entries, set())

    def entry(self, item: Mapping, shared: Shared) -> Entry | None:
        """Read one entry; return None for one that lacks its question or answer."""
        pairs = self.known_pairs(item, key_names.ENTRY_KEYS, "条目")
        if item.pairs and not pairs:
            return None
        node = {key: value for key, (_, value) in shared.items()} | {k: v for k, (_, v) in pairs.items()}
        # Keys that were misspelt are reported already, and not as missing once more.
        misspelt = _nearest_keys(item) - {*pairs}
        question = self._question(item, node, misspelt)
        answer, ask, variants = self._answer(item, node, misspelt)
        if not question or not (answer or variants):
            return None
        also = self.texts(node.get("also"), "also")
        given_id = self._id(node.get("id"))
        held: list[str] = []
        entry = Entry(
            id=given_id or id_from(question),
            id_given=bool(given_id),
            question=question,
            answer="" if variants else answer,
            also=tuple(dict.fromkeys(a for a in also if a != question)),
            not_=tuple(self.texts(node.get("not"), "not")),
            topic=self.text(node.get("topic"), "topic"),
            owner=self.text(node.get("owner"), "owner"),
            source=self.text(node.get("source"), "source"),
            related=tuple(self.texts(node.get("related"), "related")),
            valid=self.period(node.get("valid"), held),
            review=self.review_date(node.get("review")),
            groups=self.restriction(node.get("groups"), "groups", held),
            departments=self.restriction(node.get("departments"), "departments", held),
            private=self.flag(node.get("private"), "private"),
            draft=self.flag(node.get("draft"), "draft"),
            ask=ask,
            variants=variants,
            held="；".join(held),
            place=Place(self.name, item.line),
        )
        self._check_texts(entry, item.line)
        cases = node.get("answers")
        answers = [text for _, text in cases.pairs] if isinstance(cases, Mapping) else [node.get("answer")]
        self._check_markdown([text for text in (*answers, node.get("source")) if isinstance(text, Scalar)])
        for text in answers:
            if isinstance(text, Scalar):
                self._check_length(text)
        return entry

    def _question(self, item: Mapping, node: MappingABC[str, Node], misspelt: set[str]) -> str:
        question = self.text(node.get("question"), "question")
        is_missing = not question and isinstance(node.get("question", Scalar("", 0)), Scalar)
        if is_missing and "question" not in misspelt:
            self.error(item.line, self._missing(item, "question", "没有问题（question / 问题）"))
        return question

    def _answer(
        self, item: Mapping, node: MappingABC[str, Node], misspelt: set[str]
    ) -> tuple[str, FollowUp | None, dict[str, str]]:
        """Read the answer, or the question back with the answers to its cases."""
        answer = self.text(node.get("answer"), "answer")
        ask, variants = self.ask_and_answers(node.get("ask"), node.get("answers"))
        is_unreadable = "answers" in node and not isinstance(node["answers"], Mapping)
        is_unreadable |= "answer" in misspelt or not isinstance(node.get("answer", Scalar("", 0)), Scalar)
        if not answer and not variants and not is_unreadable:
            self.error(item.line, self._missing(item, "answer", "没有答案（answer / 答案）"))
        elif answer and variants:
            self.warn(item.line, "同时写了 answer 和 answers，以 answers 为准")
        elif answer and ask:
            self.warn(node["ask"].line, "写了 ask 却没有 answers（每种情况的答案），现在不追问，直接回答 answer")
            ask = None
        return answer, ask, variants

    def _id(self, node: Node | None) -> str:
        entry_id = self.text(node, "id")
        if node is not None and "\n" in entry_id:
            self.warn(node.line, "编号里不能换行，已改成空格")
            entry_id = " ".join(entry_id.split())
        return entry_id

    def _missing(self, item: Mapping, key: str, message: str) -> str:
        """Return the message for a missing text, with the reason if the lines show one."""
        last = max((_last_line(node) for _, node in item.pairs), default=item.line)
        key_words = [word for word, meant in key_names.ENTRY_KEYS.items() if meant == key]
        for name, node in item.pairs:
            swallowed = isinstance(node, Scalar) and node.style in ("'", '"') and _within(node.value, key_words)
            if swallowed:
                return f"{message}：第 {node.line} 行“{name.value.strip()}”的引号没有写完，把“{swallowed}”也包了进去"
        for number in range(item.line, min(last, len(self.lines)) + 1):
            line = self.lines[number - 1]
            if key == "answer" and (words := explain_two_keys(line)):
                return f"{message}：{words}"
            for word in key_words:
                if re.search(rf"(^|\s){re.escape(word)}\s*[:：]\s*#", line):
                    return f"{message}：第 {number} 行“#”后面的字被当成注释，请给整句加上英文双引号"
                if re.search(rf"(^|\s){re.escape(word)}\s*：", line):
                    return f"{message}：第 {number} 行的“{word}”没有和上面对齐，被当成了上一句的一部分"
        return message

    def _check_texts(self, entry: Entry, line: int) -> None:
        for wording in entry.wordings:
            if len(wording) > LONG_WORDING_CHARS:
                self.warn(line, f"问法太长（{len(wording)} 字）：“{wording[:20]}…”，请写成员工会打的一句话")
        if any(_BAD_CHARACTERS.search(text) for text in (*entry.wordings, *entry.variants.values(), entry.answer)):
            self.warn(line, "文字里有看不见的控制字符，请删掉重新输入那几个字")

    def _check_markdown(self, texts: Iterable[Scalar]) -> None:
        """Warn of markup that DingTalk will not show as it was meant."""
        spans = [span for text in texts for span in text_spans(text, self.repaired_lines)]
        for number, start, end in spans:
            line = self.repaired_lines[number - 1]
            link_problems = find_link_problems(line[start:end])
            for reason in dict.fromkeys(slip.reason for slip in link_problems):
                repaired = line[:start] + correct_links(line[start:end], sure=False) + line[end:]
                self.warn(number, reason, repaired if repaired != line else "")
        if unsupported := find_unsupported_markup(
            self.repaired_lines[number - 1][start:end] for number, start, end in spans
        ):
            self.warn(spans[unsupported[0]][0], unsupported[1])

    def _check_length(self, text: Scalar) -> None:
        size = len(text.value.encode())
        if size <= _MAX_ANSWER_BYTES:
            return
        parts = split_markdown(text.value, _MAX_ANSWER_BYTES)
        above = text.value[: text.value.find(parts[1][:40])].count("\n")
        line = text.line + 1 + above if text.style in ("|", ">") else text.line
        self.warn(
            line,
            f"答案太长（{len(text.value)} 字），一条钉钉消息装不下，会分成 {len(parts)} 条，第 2 条从这一行开始；"
            "建议只留要点，细节放进文档再附链接",
        )


def _nearest_keys(item: Mapping) -> set[str]:
    """Return the keys that those of an entry mean or are most like."""
    words = (key_names.nearest_key(key.value.strip(), key_names.ENTRY_KEYS) for key, _ in item.pairs)
    return {key_names.ENTRY_KEYS[word] for word in words if word}


def _within(text: str, words: Iterable[str]) -> str:
    """Return the first of these words that looks like a key within a text."""
    return next((word for word in words if re.search(rf"\s{re.escape(word)}\s*[:：]", text)), "")


def distinct_ids(entries: Iterable[Entry], used: set[str]) -> list[Entry]:
    """Give entries without a written id a unique one; versions of an answer are told apart by their first day."""
    entries = list(entries)
    used = used | {e.id for e in entries if e.id_given}
    result: list[Entry] = []
    for entry in entries:
        if not entry.id_given:
            base = id_from(entry.question)
            start = entry.valid.start
            choices = [base, *([f"{base}@{start}"] if start else [])]
            number = 2
            while choices[0] in used:
                choices.pop(0)
                if not choices:
                    choices.append(f"{base}-{number}")
                    number += 1
            entry = replace(entry, id=choices[0])
            used.add(entry.id)
        result.append(entry)
    return result


def _last_line(node: Node) -> int:
    if isinstance(node, Scalar):
        return max(node.line, node.end_line)
    children = [v for _, v in node.pairs] if isinstance(node, Mapping) else node.items
    return max((node.line, *map(_last_line, children)))
