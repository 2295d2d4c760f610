"""Reads texts, lists, dates and flags from YAML nodes; reports each mistake with its line, in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from faqbot.model.entries import FollowUp, Period, Place, Problem
from faqbot.yamltext import key_names
from faqbot.yamltext.encoding import decode, detect_encoding, normalize_line_ends
from faqbot.yamltext.foreign_files import find_foreign_content, office_program
from faqbot.yamltext.nodes import Mapping, Node, ParseError, Scalar, Sequence, parse_yaml
from faqbot.yamltext.syntax_errors import LOOKS_LIKE_KEY, explain_error

_EMPTY_WORDS = {"无", "暂无", "没有", "空", "/", "-", "—", "——", "n/a", "none", "无。"}
_OPTIONAL_KEYS = ("also", "not", "related", "source", "topic", "owner")
_PLACEHOLDER_ANSWERS = {
    "待补充",
    "待定",
    "待填",
    "待写",
    "待更新",
    "todo",
    "tbd",
    "xxx",
    "xx",
    "略",
    "同上",
    "见上",
    "测试",
    "test",
}
_SINGLE_TEXT_KEYS = ("topic", "owner", "source", "id")
_LIST_LINE = re.compile(r"\s*(?:[-*•·]\s|\d{1,2}[.、)）])")
_ID_LISTS = ("groups", "departments", "related", "people", "topics")
_DATE = re.compile(r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$")
_LINE_BREAKS = re.compile("[\r\n\x0b\x0c\x85\u2028\u2029]+")
_ENCODINGS = {
    "gb18030": "文件不是 UTF-8 编码（是 GBK 编码），请用“另存为”并选择 UTF-8 后再保存",
    "utf-16": "文件不是 UTF-8 编码（是 UTF-16，记事本里叫“Unicode”），请用“另存为”并选择 UTF-8 后再保存",
    "": "文件不是 UTF-8 编码，或者没有保存完整，请用“另存为”并选择 UTF-8 后再保存",
}


@dataclass(slots=True)
class FieldReader:
    """Reads the nodes of one file and collects their problems.

    lines: the text as it is written.
    repaired_lines: the text as the line repairs read it.
    """

    name: str
    problems: list[Problem] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    repaired_lines: list[str] = field(default_factory=list)
    root: Node | None = None

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
        encoding = detect_encoding(raw)
        if program := office_program(raw):
            self.error(1, f"这是 {program}，不是文字文件；请在那个程序里复制文字，粘贴到新的 .yaml 文件里")
            return None
        if encoding != "utf-8":
            self.error(_first_foreign_line(raw), _ENCODINGS[encoding])
            return None
        text = normalize_line_ends(decode(raw, encoding))
        self.lines = text.split("\n")
        return text

    def parse(self, raw: bytes) -> Node | None:
        text = self.decode(raw)
        return None if text is None else self.parse_text(text)

    def parse_text(self, text: str) -> Node | None:
        self.repaired_lines = text.split("\n")
        if foreign := find_foreign_content(self.lines):
            self.error(*foreign)
            return None
        try:
            self.root = parse_yaml(text)
            return self.root
        except ParseError as exc:
            line = min(exc.line, len(self.lines))
            # At the end of the text the parser points behind the last line; the start says more.
            if exc.context_line and (exc.line > len(self.lines) or not self.lines[line - 1].strip()):
                line = min(exc.context_line, len(self.lines))
            while line > 1 and not self.lines[line - 1].strip():
                line -= 1
            self.error(*explain_error(exc.reason, self.repaired_lines, line, exc.context_line))
            return None

    # -- values ------------------------------------------------------------------------------

    def pairs(self, node: Mapping) -> Iterable[tuple[Scalar, Node]]:
        """Yield the pairs of a mapping; a repeated key is an error, and its first value counts."""
        lines: dict[str, int] = {}
        for key, value in node.pairs:
            name = key.value.strip()
            if name in lines:
                self.error(key.line, f"“{name}”重复（第 {lines[name]} 行已有）")
                continue
            lines[name] = key.line
            yield key, value

    def known_pairs(self, node: Mapping, allowed: dict[str, str], where: str) -> dict[str, tuple[Scalar, Node]]:
        """Return the pairs under the keys they mean; unknown and repeated keys are errors.

        `where` names the place in the list of allowed keys that is shown.
        """
        pairs: dict[str, tuple[Scalar, Node]] = {}
        for key, value in node.pairs:
            word = key.value.strip()
            meant = allowed.get(word)
            if meant is None:
                self._unknown(key, word, allowed, where)
            elif meant in pairs:
                first = pairs[meant][0]
                same = "" if first.value.strip() == word else f"，“{first.value.strip()}”和它是一个意思"
                more = "；如果这里是新的一条，请在前面加“- ”" if meant == "question" else ""
                if allowed is key_names.FILE_KEYS:
                    more = "；一个文件只能有一份，几个主题请分成几个文件"
                self.error(key.line, f"“{word}”重复（第 {first.line} 行已有{same}）{more}")
            else:
                pairs[meant] = (key, value)
        return pairs

    def known_values(self, node: Mapping, allowed: dict[str, str], where: str) -> dict[str, Node]:
        """Return the values of `known_pairs` by their keys."""
        return {key: value for key, (_, value) in self.known_pairs(node, allowed, where).items()}

    def _unknown(self, key: Scalar, word: str, allowed: dict[str, str], where: str) -> None:
        near = key_names.nearest_key(word, allowed)
        hint = f"，是不是“{near}”？" if near else f"；{where}可以用的有：{_keys_in_language(allowed, word)}"
        if "question" in allowed and (other := key_names.FOREIGN_KEYS.get(word.casefold())):
            near, hint = "", f"，{other}"
        if allowed is key_names.FILE_KEYS and word in key_names.ENTRY_KEYS:
            self.error(key.line, f"“{word}”不能直接写在这里：每条要以“- ”开头，例如“- question: 年假有几天？”")
            return
        if word.endswith(("?", "？")):
            near, hint = "", "：每条要写成两行，“- question: 问题”，下一行“  answer: 答案”"
        if word == "<<":
            hint = "：不支持用 << 引用，请把内容直接写出来"
        line = self.repaired_lines[key.line - 1] if key.line <= len(self.repaired_lines) else ""
        self.error(key.line, f"不认识的键“{word[:40]}”{hint}", line.replace(word, near, 1) if near else "")

    def text(self, node: Node | None, key: str) -> str:
        """Return the text exactly as it is written: 9:30, 0571 and no stay texts."""
        if node is None:
            return ""
        if not isinstance(node, Scalar):
            self.error(node.line, f"“{key}”应是一段文字；{_why_no_text(node, key)}")
            return ""
        if node.plain and node.value:
            self._warn_of_comment(node, key)
            self._warn_of_swallowed_key(node, key)
        value = node.value.strip()
        if node.plain and value.casefold() in _EMPTY_WORDS and key in _OPTIONAL_KEYS:
            self.warn(node.line, f"“{key}”写着“{value}”，会被当成真的内容；没有就把它删掉")
        elif node.plain and value.rstrip("。.…！!").casefold() in _PLACEHOLDER_ANSWERS and key in ("answer", "answers"):
            self.warn(node.line, f"答案只写着“{value}”，员工会原样看到；还没写好就加上“draft: true”（草稿: 是）")
        return "" if node.plain and value in {"~", "null"} else value

    def _warn_of_comment(self, node: Scalar, key: str) -> None:
        """Warn if YAML took the end of a sentence for a comment: `分机 #8001`."""
        if not 0 < node.end_line <= len(self.lines):
            return
        rest = self.lines[node.end_line - 1][node.end_column :]
        if re.match(r"\s*#[^\s#]", rest):
            self.warn(
                node.end_line,
                f"“{key}”里“{rest.strip()[:20]}”被当成注释，没有读进来；如果是正文，请给整句加上英文双引号",
            )

    def _warn_of_swallowed_key(self, node: Scalar, key: str) -> None:
        """Warn if a further line of a sentence looks like a key with a wrong indentation."""
        for number in range(node.line + 1, min(node.end_line, len(self.lines)) + 1):
            if match := LOOKS_LIKE_KEY.match(self.lines[number - 1]):
                self.warn(number, f"“{match.group(1)}”没有和上面的键对齐，被当成“{key}”的一部分")
            elif _LIST_LINE.match(self.lines[number - 1]):
                words = f"“{key}”写了几行，却会连成一句；请写成“{key}: |”，内容从下一行开始，各行缩进两个空格"
                self.warn(number, words)
                return

    def texts(self, node: Node | None, key: str) -> list[str]:
        """Return a list of texts; a single text is the list of its lines."""
        if node is None:
            return []
        if isinstance(node, Scalar):
            if node.plain and node.end_line > node.line:
                self.warn(node.line, f"“{key}”下面各行没有“- ”，被连成了一句；请在每一句前面加“- ”")
            elif _looks_like_several(node) and key not in _ID_LISTS:
                self.warn(node.line, f"“{key}”整行被当成一种问法；几种问法请写成 [第一种, 第二种]，用英文逗号")
            return [line.strip() for line in self.text(node, key).split("\n") if line.strip()]
        if isinstance(node, Mapping):
            self.error(node.line, f"“{key}”应是一个列表，例如 {key}: [第一种问法, 第二种问法]")
            return []
        values = [self.text(item, key) for item in node.items]
        if node.flow and any(_looks_like_several(item) for item in node.items):
            if key in _ID_LISTS:
                self.warn(node.line, f"“{key}”的列表里用了中文逗号，已按几项理解；请改成英文逗号")
                parts = [
                    re.split("[，、；;]", text) if _looks_like_several(item) else [text]
                    for item, text in zip(node.items, values, strict=True)
                ]
                values = [part for texts in parts for part in texts]
            elif len(values) == 1:
                # A sentence may hold such a comma, so it is not split: half a sentence would match too much.
                self.warn(node.line, f"“{key}”的列表里用了中文逗号，整行被当成一种问法；几种问法之间请用英文逗号")
        return [text.strip() for text in values if text.strip()]

    def flag(self, node: Node | None, key: str) -> bool:
        if node is None:
            return False
        word = node.value.strip().casefold() if isinstance(node, Scalar) else "?"
        if word in key_names.YES | key_names.NO:
            return word in key_names.YES
        # A flag restricts, so an unreadable one counts as set.
        self.warn(node.line, f"“{key}”应是 true（是）或 false（否），现在按“是”处理")
        return True

    def period(self, node: Node | None, held: list[str]) -> Period:
        if node is None or (isinstance(node, Scalar) and not node.value.strip()):
            return Period()
        if not isinstance(node, Mapping):
            self.warn(node.line, "有效期应写成 {from: 2026-01-01, until: 2026-12-31}；改好之前这一条不会回答")
            held.append("有效期读不懂")
            return Period()
        ends: dict[str, date] = {}
        for key, (word, value) in self.known_pairs(node, key_names.PERIOD_KEYS, "有效期").items():
            day = parse_date(value)
            if day is not None:
                ends[key] = day
            elif not isinstance(value, Scalar) or value.value.strip():
                self.warn(
                    value.line,
                    f"有效期的“{word.value}”不是日期{_excerpt(value)}，请写成 2026-12-31；改好之前这一条不会回答",
                )
                held.append("有效期读不懂")
        period = Period(ends.get("from"), ends.get("until"))
        if period.start and period.end and period.start > period.end:
            self.warn(node.line, "有效期的开始晚于结束，这一条永远不会回答")
        return period

    def review_date(self, node: Node | None) -> date | None:
        if node is None or (isinstance(node, Scalar) and not node.value.strip()):
            return None
        day = parse_date(node)
        if day is None:
            self.warn(node.line, f"复核日期{_excerpt(node)}没有这一天或写法不对，请写成 2026-12-01 这样")
        return day

    def restriction(self, node: Node | None, key: str, held: list[str]) -> tuple[str, ...]:
        names = tuple(self.texts(node, key))
        if node is not None and not names:
            self.warn(node.line, f"“{key}”是空的；改好或删掉之前这一条不会回答")
            held.append(f"{key} 是空的")
        if node is not None and key == "groups":
            for text in names:
                if not text.startswith("cid"):
                    self.warn(node.line, f"“{text[:20]}”不像会话编号（cid 开头）；写错了就谁也得不到回答")
        return names

    def ask_and_answers(self, ask: Node | None, answers: Node | None) -> tuple[FollowUp | None, dict[str, str]]:
        follow_up: FollowUp | None = None
        variants: dict[str, str] = {}
        if isinstance(ask, Mapping) and len(ask.pairs) == 1 and isinstance(ask.pairs[0][1], Scalar):
            name, question = ask.pairs[0]
            follow_up = FollowUp(_one_line(name.value), self.text(question, "ask"))
            if not follow_up.question:
                self.error(ask.line, "追问应写成 ask: {city: 您在哪个城市？}，冒号前面是名字，后面是问题")
        elif isinstance(ask, Scalar) and (question_text := self.text(ask, "ask")):
            self.warn(ask.line, "追问应写成 ask: {city: 您在哪个城市？}，冒号前面是名字（已按这一个问题理解）")
            follow_up = FollowUp(_one_line(question_text), question_text)
        elif ask is not None:
            self.error(ask.line, "追问应写成 ask: {city: 您在哪个城市？}，只问一个问题")
        if isinstance(answers, Mapping):
            for key, value in self.pairs(answers):
                word = _one_line(key.value)
                word = "else" if word in key_names.ELSE_WORDS else word
                if word in variants:
                    self.error(key.line, f"“{key.value.strip()}”重复，上面已有同样意思的一项")
                elif text := self.text(value, "answers"):
                    variants[word] = text
                else:
                    self.warn(key.line, f"“{word}”下面没有答案")
        elif answers is not None:
            dashes = "，前面不要“- ”" if isinstance(answers, Sequence) else ""
            self.error(answers.line, f"answers 应写成“上海: 答案”，每种情况一行{dashes}")
            return follow_up, variants
        if variants and follow_up is None and ask is None:
            self.error(answers.line if answers else 1, "写了 answers 却没有 ask（追问什么）")
        return follow_up, variants


def parse_date(node: Node) -> date | None:
    match = _DATE.match(node.value.strip()) if isinstance(node, Scalar) else None
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def _one_line(name: str) -> str:
    """Return a name without line breaks: in a table and in the list of choices it has one line."""
    return _LINE_BREAKS.sub(" ", name).strip()


def _excerpt(node: Node) -> str:
    return f"（{node.value.strip()[:20]}）" if isinstance(node, Scalar) else ""


def _why_no_text(node: Node, key: str) -> str:
    if isinstance(node, Sequence) and key in _SINGLE_TEXT_KEYS:
        return "这里只能写一个，不能写成列表"
    if isinstance(node, Mapping) and node.flow and key == "answer":
        return "要按情况回答，请写 ask（追问）和 answers（答案按）；否则请给整句加上英文双引号"
    if not isinstance(node, Scalar) and node.flow:
        return "句子以 [ 或 { 开头时请给整句加上英文双引号"
    if isinstance(node, Mapping):
        return "句子里有“: ”时请给整句加上英文双引号，多行文字请先写 | 再另起一行"
    return "这里写成了列表，请先写 | 再另起一行，各行缩进两个空格"


def _looks_like_several(item: Node) -> bool:
    """Return True if an item of a list in brackets looks like several; a quoted one is single on purpose."""
    return isinstance(item, Scalar) and item.plain and re.search("[，、；;]", item.value) is not None


def _first_foreign_line(raw: bytes) -> int:
    foreign = len(raw)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        foreign = exc.start
    zero = raw.find(b"\0", 0, foreign)
    return raw.count(b"\n", 0, foreign if zero < 0 else zero) + 1


def _keys_in_language(allowed: dict[str, str], like: str) -> str:
    """Return the allowed keys in the language of `like`."""
    return "、".join(word for word in allowed if word.isascii() == like.isascii())
