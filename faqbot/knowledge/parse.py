"""The text of one knowledge file → its entries and every problem in it, with file and line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field, replace
from datetime import date

from faqbot.knowledge import keys, tree
from faqbot.knowledge.explain import LOOKS_LIKE_KEY, explain
from faqbot.knowledge.mend import mend
from faqbot.knowledge.tree import Mapping, Node, Scalar, Sequence
from faqbot.model import Entry, FollowUp, Period, Place, Problem

_ID_LISTS = ("groups", "departments", "related")
LONG_WORDING = 120
LONG_ANSWER = 5000  # characters; beyond it DingTalk messages must be split
_ID_LENGTH = 40
_DATE = re.compile(r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$")
_BAD_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd\u202a-\u202e\u2066-\u2069]")
_NOT_IN_ID = re.compile(r"[\s\W_]+")


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What one file says. With an error among the problems the file must not go live."""

    name: str
    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        return not any(p.is_error for p in self.problems)


def parse_file(name: str, raw: bytes) -> ParsedFile:
    """Read the bytes of one file under `faq/`; never raises for anything the file holds."""
    reader = _Reader(name)
    text = reader.decode(raw)
    if text is None:
        return ParsedFile(name, (), tuple(reader.problems))
    entries = reader.read(text)
    # What stands at the top of a file is read once an entry; it is reported once.
    problems = sorted(dict.fromkeys(reader.problems), key=lambda p: p.place.line)
    return ParsedFile(name, tuple(entries), tuple(problems))


def parse_synonyms(name: str, raw: bytes) -> tuple[list[list[str]], list[Problem]]:
    """Read `synonyms.yaml`: a list of groups of words that mean the same."""
    reader = _Reader(name)
    root = reader.grow(raw)
    groups: list[list[str]] = []
    if root is not None:
        if not isinstance(root, Sequence):
            reader.error(root.line, "同义词文件应是一个列表，每行一组，例如 - [公积金, 住房公积金, gjj]")
            return [], reader.problems
        for item in root.items:
            words = reader.texts(item, "同义词")
            if len(words) < 2:
                reader.warn(item.line, "一组同义词至少要有两个词，例如 - [公积金, 住房公积金]")
            else:
                groups.append(words)
    return groups, reader.problems


def parse_facts(name: str, raw: bytes) -> tuple[dict[str, str], list[Problem]]:
    """Read `facts.yaml`: names and values that answers show as `{facts.名字}`."""
    reader = _Reader(name)
    root = reader.grow(raw)
    facts: dict[str, str] = {}
    if isinstance(root, Mapping):
        for key, value in reader.pairs(root):
            if isinstance(value, Scalar):
                facts[key.value.strip()] = value.value.strip()
            else:
                reader.error(value.line, f"“{key.value}”应是一个值，例如 {key.value}: 36549")
    elif root is not None:
        reader.error(root.line, "facts.yaml 应是“名字: 值”，每行一个")
    return facts, reader.problems


def check_yaml(name: str, raw: bytes) -> list[Problem]:
    """Report what keeps a file of another shape (groups.yaml, automations.yaml) from being YAML at all."""
    reader = _Reader(name)
    reader.grow(raw)
    return reader.problems


def id_from(question: str) -> str:
    """A readable id that stays the same while the question does."""
    return _NOT_IN_ID.sub("-", question).strip("-").casefold()[:_ID_LENGTH].strip("-") or "entry"


@dataclass(slots=True)
class _Reader:
    """Collects problems while the nodes of one file are read."""

    name: str
    problems: list[Problem] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    # -- reporting ---------------------------------------------------------------------------

    def error(self, line: int, message: str, fix: str = "") -> None:
        self._add(line, message, True, fix)

    def warn(self, line: int, message: str, fix: str = "") -> None:
        self._add(line, message, False, fix)

    def _add(self, line: int, message: str, is_error: bool, fix: str) -> None:
        quote = self.lines[line - 1].strip()[:120] if 0 < line <= len(self.lines) else ""
        self.problems.append(Problem(Place(self.name, line), message, is_error, quote, fix.strip()))

    # -- from bytes to nodes -----------------------------------------------------------------

    def decode(self, raw: bytes) -> str | None:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            line = raw.count(b"\n", 0, exc.start) + 1
            looks = "（像是 GBK 编码）" if _decodes(raw, "gb18030") else ""
            self.error(line, f"文件不是 UTF-8 编码{looks}，请用“另存为”并选择 UTF-8 后再保存")
            return None
        # YAML would count the last three as line ends, which no editor shows as such.
        text = re.sub("\r\n?", "\n", text).translate({0x85: " ", 0x2028: " ", 0x2029: " "})
        self.lines = text.split("\n")
        return text

    def grow(self, raw: bytes) -> Node | None:
        text = self.decode(raw)
        return None if text is None else self._tree(text)

    def _tree(self, text: str) -> Node | None:
        try:
            return tree.grow(text)
        except tree.TreeError as exc:
            line = min(exc.line, len(self.lines))
            # At the end of the text the parser points behind the last line; the start says more.
            if exc.context_line and (exc.line > len(self.lines) or not self.lines[line - 1].strip()):
                line = min(exc.context_line, len(self.lines))
            while line > 1 and not self.lines[line - 1].strip():
                line -= 1
            self.error(line, explain(exc.reason, self.lines[line - 1] if self.lines else ""))
            return None

    # -- a knowledge file --------------------------------------------------------------------

    def read(self, text: str) -> list[Entry]:
        mended, mends = mend(text)
        for m in mends:
            self.warn(m.line, f"{m.reason}（已按“{m.after.strip()[:60]}”理解）", m.after)
        root = self._tree(mended)
        if root is None:
            return []
        if isinstance(root, Sequence):
            return self._entries(root, {})
        if not isinstance(root, Mapping):
            self.error(root.line, "没有看到条目；每条应写成“- question: 问题”，下一行“  answer: 答案”")
            return []
        shared: dict[str, tuple[Scalar, Node]] = {}
        items: Node | None = None
        for key, (word, node) in self._known(root, keys.FILE_KEYS, "文件开头").items():
            if key == "entries":
                items = node
            else:
                shared[key] = (word, node)
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

    def _entries(self, items: Sequence, shared: MappingABC[str, tuple[Scalar, Node]]) -> list[Entry]:
        entries: list[Entry] = []
        used: dict[str, int] = {}
        for item in items.items:
            if isinstance(item, Scalar) and not item.value.strip():
                self.warn(item.line, "这里有一条空的条目，可以删掉这个“-”")
                continue
            if not isinstance(item, Mapping):
                self.error(item.line, "每条应写成“- question: 问题”，下一行“  answer: 答案”")
                continue
            entry = self._entry(item, shared)
            if entry is None:
                continue
            if entry.id_given and entry.id in used:
                self.error(item.line, f"编号“{entry.id}”重复（第 {used[entry.id]} 行已有）")
            used.setdefault(entry.id, item.line)
            entries.append(entry)
        return distinct_ids(entries, set())

    def _entry(self, item: Mapping, shared: MappingABC[str, tuple[Scalar, Node]]) -> Entry | None:
        found = self._known(item, keys.ENTRY_KEYS, "条目")
        held: list[str] = []
        node = {key: value for key, (_, value) in shared.items()} | {k: v for k, (_, v) in found.items()}
        question = self.text(node.get("question"), "question")
        if not question:
            self.error(item.line, self._missing(item, "question", "没有问题（question / 问题）"))
        answer = self.text(node.get("answer"), "answer")
        ask, variants = self._ask(node.get("ask"), node.get("answers"))
        if not answer and not variants:
            self.error(item.line, self._missing(item, "answer", "没有答案（answer / 答案）"))
        elif answer and variants:
            self.warn(item.line, "同时写了 answer 和 answers，以 answers 为准")
        if not question or not (answer or variants):
            return None
        also = self.texts(node.get("also"), "also")
        given = self.text(node.get("id"), "id")
        if "\n" in given:
            self.warn(node["id"].line, "编号里不能换行，已改成空格")
            given = " ".join(given.split())
        entry = Entry(
            id=given or id_from(question),
            id_given=bool(given),
            question=question,
            answer="" if variants else answer,
            also=tuple(dict.fromkeys(a for a in also if a != question)),
            not_=tuple(self.texts(node.get("not"), "not")),
            topic=self.text(node.get("topic"), "topic"),
            owner=self.text(node.get("owner"), "owner"),
            source=self.text(node.get("source"), "source"),
            related=tuple(self.texts(node.get("related"), "related")),
            valid=self._valid(node.get("valid"), held),
            review=self._review(node.get("review")),
            groups=self._limit(node.get("groups"), "groups", held),
            departments=self._limit(node.get("departments"), "departments", held),
            private=self._flag(node.get("private"), "private"),
            draft=self._flag(node.get("draft"), "draft"),
            ask=ask,
            variants=variants,
            held="；".join(held),
            place=Place(self.name, item.line),
        )
        self._look_over(entry, item.line)
        return entry

    def _missing(self, item: Mapping, key: str, message: str) -> str:
        """Say more about a missing text when the lines show what happened to it."""
        last = max((_last_line(node) for _, node in item.pairs), default=item.line)
        wanted = [word for word, meant in keys.ENTRY_KEYS.items() if meant == key]
        for number in range(item.line, min(last, len(self.lines)) + 1):
            line = self.lines[number - 1]
            for word in wanted:
                if re.search(rf"(^|\s){re.escape(word)}\s*[:：]\s*#", line):
                    return f"{message}：第 {number} 行“#”后面的字被当成注释，请给整句加上英文双引号"
                if re.search(rf"(^|\s){re.escape(word)}\s*：", line):
                    return f"{message}：第 {number} 行的“{word}”没有和上面对齐，被当成了上一句的一部分"
        return message

    def _look_over(self, entry: Entry, line: int) -> None:
        for wording in entry.wordings:
            if len(wording) > LONG_WORDING:
                self.warn(line, f"问法太长（{len(wording)} 字）：“{wording[:20]}…”，请写成员工会打的一句话")
        answers = (*entry.variants.values(), entry.answer)
        if any(len(text) > LONG_ANSWER for text in answers):
            self.warn(line, f"答案超过 {LONG_ANSWER} 字，发送时会分成几条；建议精简并附链接")
        if any(_BAD_CHARACTERS.search(text) for text in (*entry.wordings, *answers)):
            self.warn(line, "文字里有看不见的控制字符，请删掉重新输入那几个字")

    # -- values ------------------------------------------------------------------------------

    def pairs(self, node: Mapping) -> Iterable[tuple[Scalar, Node]]:
        """The pairs of a mapping; a key that stands twice is an error and the first one counts."""
        seen: dict[str, int] = {}
        for key, value in node.pairs:
            word = key.value.strip()
            if word in seen:
                self.error(key.line, f"“{word}”重复（第 {seen[word]} 行已有）")
                continue
            seen[word] = key.line
            yield key, value

    def _known(self, node: Mapping, allowed: dict[str, str], where: str) -> dict[str, tuple[Scalar, Node]]:
        found: dict[str, tuple[Scalar, Node]] = {}
        for key, value in node.pairs:
            word = key.value.strip()
            meant = allowed.get(word)
            if meant is None:
                self._unknown(key, word, allowed, where)
            elif meant in found:
                first = found[meant][0]
                same = "" if first.value.strip() == word else f"，“{first.value.strip()}”和它是一个意思"
                self.error(key.line, f"“{word}”重复（第 {first.line} 行已有{same}）")
            else:
                found[meant] = (key, value)
        return found

    def _unknown(self, key: Scalar, word: str, allowed: dict[str, str], where: str) -> None:
        near = keys.nearest(word, allowed)
        hint = f"，是不是“{near}”？" if near else f"；{where}可以用的有：{_listed(allowed)}"
        if allowed is keys.FILE_KEYS and word in keys.ENTRY_KEYS:
            self.error(key.line, f"“{word}”不能直接写在这里：每条要以“- ”开头，例如“- question: 年假有几天？”")
            return
        if word == "<<":
            hint = "：不支持用 << 引用，请把内容直接写出来"
        line = self.lines[key.line - 1] if key.line <= len(self.lines) else ""
        self.error(key.line, f"不认识的键“{word[:40]}”{hint}", line.replace(word, near, 1) if near else "")

    def text(self, node: Node | None, key: str) -> str:
        """The text exactly as written: 9:30, 0571 and no stay what they are."""
        if node is None:
            return ""
        if not isinstance(node, Scalar):
            self.error(node.line, f"“{key}”应是一段文字；句子以 [ 或 {{ 开头时请给整句加上英文双引号")
            return ""
        if node.plain and node.value:
            self._comment(node, key)
            self._swallowed(node, key)
        value = node.value.strip()
        return "" if node.plain and value in {"~", "null"} else value

    def _comment(self, node: Scalar, key: str) -> None:
        """Warn when YAML took the end of a sentence for a comment: `分机 #8001`."""
        if not 0 < node.end_line <= len(self.lines):
            return
        rest = self.lines[node.end_line - 1][node.end_column :]
        if re.match(r"\s*#[^\s#]", rest):
            self.warn(
                node.end_line,
                f"“{key}”里“{rest.strip()[:20]}”被当成注释，没有读进来；如果是正文，请给整句加上英文双引号",
            )

    def _swallowed(self, node: Scalar, key: str) -> None:
        """Warn when a further line of a sentence looks like a key that lost its place."""
        for number in range(node.line + 1, min(node.end_line, len(self.lines)) + 1):
            if found := LOOKS_LIKE_KEY.match(self.lines[number - 1]):
                self.warn(number, f"“{found.group(1)}”没有和上面的键对齐，被当成“{key}”的一部分")

    def texts(self, node: Node | None, key: str) -> list[str]:
        """A list of texts; one text alone is a list of its lines."""
        if node is None:
            return []
        if isinstance(node, Scalar):
            return [line.strip() for line in self.text(node, key).split("\n") if line.strip()]
        if isinstance(node, Mapping):
            self.error(node.line, f"“{key}”应是一个列表，例如 {key}: [第一种问法, 第二种问法]")
            return []
        found = [self.text(item, key) for item in node.items]
        if node.flow and any(re.search("[，、]", text) for text in found):
            if key in _ID_LISTS:
                self.warn(node.line, f"“{key}”的列表里用了中文逗号，已按几项理解；请改成英文逗号")
                found = [part for text in found for part in re.split("[，、]", text)]
            elif len(found) == 1:
                # A sentence may hold such a comma, so it is not cut: half a sentence would match too much.
                self.warn(node.line, f"“{key}”的列表里用了中文逗号，整行被当成一种问法；几种问法之间请用英文逗号")
        return [text.strip() for text in found if text.strip()]

    def _flag(self, node: Node | None, key: str) -> bool:
        if node is None:
            return False
        word = node.value.strip().casefold() if isinstance(node, Scalar) else "?"
        if word in keys.YES | keys.NO:
            return word in keys.YES
        # The safe side: what cannot be read restricts.
        self.warn(node.line, f"“{key}”应是 true（是）或 false（否），现在按“是”处理")
        return True

    def _valid(self, node: Node | None, held: list[str]) -> Period:
        if node is None or (isinstance(node, Scalar) and not node.value.strip()):
            return Period()
        if not isinstance(node, Mapping):
            self.warn(node.line, "有效期应写成 {from: 2026-01-01, until: 2026-12-31}；改好之前这一条不会回答")
            held.append("有效期读不懂")
            return Period()
        ends: dict[str, date] = {}
        for key, (word, value) in self._known(node, keys.PERIOD_KEYS, "有效期").items():
            day = _date(value)
            if day is not None:
                ends[key] = day
            elif not isinstance(value, Scalar) or value.value.strip():
                self.warn(
                    value.line,
                    f"有效期的“{word.value}”不是日期，请写成 2026-12-31；改好之前这一条不会回答",
                )
                held.append("有效期读不懂")
        period = Period(ends.get("from"), ends.get("until"))
        if period.start and period.end and period.start > period.end:
            self.warn(node.line, "有效期的开始晚于结束，这一条永远不会回答")
        return period

    def _review(self, node: Node | None) -> date | None:
        if node is None or (isinstance(node, Scalar) and not node.value.strip()):
            return None
        day = _date(node)
        if day is None:
            self.warn(node.line, "复核日期请写成 2026-12-01 这样")
        return day

    def _limit(self, node: Node | None, key: str, held: list[str]) -> tuple[str, ...]:
        found = tuple(self.texts(node, key))
        if node is not None and not found:
            self.warn(node.line, f"“{key}”是空的；改好或删掉之前这一条不会回答")
            held.append(f"{key} 是空的")
        return found

    def _ask(self, ask: Node | None, answers: Node | None) -> tuple[FollowUp | None, dict[str, str]]:
        follow_up: FollowUp | None = None
        variants: dict[str, str] = {}
        if isinstance(ask, Mapping) and len(ask.pairs) == 1 and isinstance(ask.pairs[0][1], Scalar):
            name, question = ask.pairs[0]
            follow_up = FollowUp(name.value.strip(), self.text(question, "ask"))
        elif ask is not None:
            self.error(ask.line, "追问应写成 ask: {city: 您在哪个城市？}，只问一个问题")
        if isinstance(answers, Mapping):
            for key, value in self.pairs(answers):
                word = key.value.strip()
                word = "else" if word in keys.ELSE_WORDS else word
                if word in variants:
                    self.error(key.line, f"“{key.value.strip()}”重复，上面已有同样意思的一项")
                elif text := self.text(value, "answers"):
                    variants[word] = text
                else:
                    self.warn(key.line, f"“{word}”下面没有答案")
        elif answers is not None:
            self.error(answers.line, "answers 应写成“上海: 答案”，每种情况一行")
        if variants and follow_up is None and ask is None:
            self.error(answers.line if answers else 1, "写了 answers 却没有 ask（追问什么）")
        if follow_up and not variants:
            self.error(ask.line if ask else 1, "写了 ask 却没有 answers（每种情况的答案）")
        return follow_up, variants


def distinct_ids(entries: Iterable[Entry], taken: set[str]) -> list[Entry]:
    """Give entries without a written id one that nobody else has; versions are told apart by their first day."""
    entries = list(entries)
    taken = taken | {e.id for e in entries if e.id_given}
    result: list[Entry] = []
    for entry in entries:
        if not entry.id_given:
            base = id_from(entry.question)
            start = entry.valid.start
            choices = [base, *([f"{base}@{start}"] if start else [])]
            number = 2
            while choices[0] in taken:
                choices.pop(0)
                if not choices:
                    choices.append(f"{base}-{number}")
                    number += 1
            entry = replace(entry, id=choices[0])
            taken.add(entry.id)
        result.append(entry)
    return result


def _date(node: Node) -> date | None:
    found = _DATE.match(node.value.strip()) if isinstance(node, Scalar) else None
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _last_line(node: Node) -> int:
    if isinstance(node, Scalar):
        return max(node.line, node.end_line)
    children = [v for _, v in node.pairs] if isinstance(node, Mapping) else node.items
    return max((node.line, *map(_last_line, children)))


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _listed(allowed: dict[str, str]) -> str:
    return "、".join(word for word in allowed if word.isascii())
