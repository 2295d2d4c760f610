"""Explains YAML syntax errors in plain Chinese: the line to look at, and the correction."""

from __future__ import annotations

import re
from collections.abc import Sequence

from faqbot.yamltext import key_names

_KEYS = "|".join(sorted({*key_names.ENTRY_KEYS, *key_names.FILE_KEYS}, key=len, reverse=True))
# A line that is meant as a key, in whatever column.
LOOKS_LIKE_KEY = re.compile(rf"^\s*({'|'.join(key_names.ENTRY_KEYS)})\s*[:：]")
# 问题: 年假有几天 答案: 五天
ANSWER_ON_THE_LINE = re.compile(r"\S[\s,，;；。]+(answer|答案)\s*[:：]\s*\S")
_KEY = re.compile(rf"^(\s*)((?:-\s+)?)({_KEYS})\s*:(?:\s+(.*))?$")
_KEY_WITHOUT_COLON = re.compile(rf"^\s*(?:-\s*)?({_KEYS})(?:\s*[=＝,，、]\s*|\s+|$)(?!\s*[:：])")
_WIDE_COLON = re.compile(r"^\s*(?:-\s*)?([^\s:：,，。]{1,10})\s*：")
_NEW_ENTRY = re.compile(rf"^(\s*)-\s*(?:{_KEYS})\s*[:：]")

# Parts of libyaml's messages, and what HR can do about them. The first part that occurs in the reason wins.
_EXPLANATIONS = (
    ("second document", "文件中间出现了“---”，一个文件只能有一份内容，请删掉这一行"),
    ("alias", "不支持用 *名字 引用另一段内容，请直接写出来；如果是加粗，请给整句加上英文双引号"),
    ("too deep", "缩进的层数太多了，请对照其他条目的写法"),
    ("maximum nesting depth", "缩进的层数太多了，请对照其他条目的写法"),
    ("complex key", "键只能是一个词，不能以 ? 或 [ 开头"),
    ("special character", "有看不见的控制字符，请删掉这一行重新输入"),
    ("control characters are not allowed", "有看不见的控制字符，请删掉这一行重新输入"),
    ("found character '\\t'", "这一行用了制表符（Tab），请改成空格"),
    ("tab character", "这一行用了制表符（Tab），请改成空格"),
    ("mapping values are not allowed", "这一行多了一个冒号；句子里有“: ”时，请给整句加上英文双引号"),
    ("could not find expected ':'", "这一行少了冒号；应写成“键: 内容”，或者检查上一行的引号有没有写完"),
    ("did not find expected alphabetic or numeric", "句子以 * 或 & 开头时，请给整句加上英文双引号"),
    ("cannot start any token", "句子以特殊符号开头（如 @ ` %），请给整句加上英文双引号"),
    ("did not find expected ',' or ']'", "方括号 [ ] 没有写完整，或各项之间少了英文逗号"),
    ("did not find expected ',' or '}'", "花括号 { } 没有写完整，或各项之间少了英文逗号"),
    ("did not find expected '-' indicator", "这一行的缩进和上面的“- ”没有对齐"),
    ("unexpected end of stream", "引号没有写完，请在句子末尾补上同样的引号"),
    ("unknown escape character", "双引号里有单独的反斜杠 \\，请改用单引号"),
    ("did not find expected key", "这一行没有和上面的键对齐，或者上一行的引号没有成对"),
    ("did not find expected node content", "这里少了内容，请检查方括号、花括号和逗号"),
    ("block sequence entries are not allowed", "“- ”要另起一行写"),
    ("block collections are not allowed", "这里的内容要另起一行，并缩进两个空格"),
    ("expected comment or line break", "“|”后面不能写字：内容要另起一行，并缩进两个空格"),
    ("undefined tag", "句子以 ! 开头时，请给整句加上英文双引号"),
    (
        "did not find expected <document start>",
        "从这一行起不是“键: 内容”的写法；普通的文字可以在控制台的「粘贴」里拆成条目",
    ),
)

ErrorExplanation = tuple[int, str]


def explain_error(reason: str, lines: Sequence[str], line: int, context_line: int = 0) -> ErrorExplanation:
    """Return the line to look at (from 1) and a message for HR.

    reason: the parser's message for refusing `line`.
    context_line: where the bracket or quote was opened that the parser was reading; 0 if there is none.
    """
    if "could not find expected ':'" in reason and 0 < context_line <= len(lines):
        # The parser notices it only at the next line.
        line = context_line
    for cause in (
        _two_keys,
        _open_quote,
        _open_bracket,
        _missing_colon,
        _sentence_without_indent,
        _not_aligned,
        _text_after_end,
    ):
        if explanation := cause(reason, lines, line, context_line):
            return explanation
    for part, message in _EXPLANATIONS:
        if part in reason:
            return line, message
    return line, "这一行读不懂，请对照其他条目的写法；也可以删掉这一行重新输入"


def explain_missing_colon(line: str) -> str:
    """Explain `question 年假` and `question = 年假`; return an empty text for any other line."""
    match = _KEY_WITHOUT_COLON.match(line)
    return f"“{match[1]}”后面少了英文冒号，应写成“{match[1]}: 内容”" if match else ""


def explain_two_keys(line: str) -> str:
    """Explain a question and its answer on one line; return an empty text for any other line."""
    match, key = ANSWER_ON_THE_LINE.search(line), LOOKS_LIKE_KEY.match(re.sub(r"^(\s*)-", r"\1 ", line))
    if not match or not key or key_names.ENTRY_KEYS[key[1]] != "question":
        return ""
    return f"这一行写了两项：“{match[1]}”要另起一行，和“{key[1]}”对齐"


def _two_keys(reason: str, lines: Sequence[str], line: int, context_line: int) -> ErrorExplanation | None:
    message = explain_two_keys(lines[line - 1]) if "mapping values are not allowed" in reason else ""
    return (line, message) if message else None


def _open_quote(reason: str, lines: Sequence[str], line: int, context_line: int) -> ErrorExplanation | None:
    """Find a quote that was not closed: it swallows the keys below it, and the parser fails at the next quote."""
    for number in range(1, line):
        match = _KEY.match(lines[number - 1])
        value = (match[4] or "").strip() if match else ""
        if value[:1] not in ("'", '"') or value.count(value[0]) != 1:
            continue
        for below in lines[number:line]:
            if _KEY.match(below):
                return number, "引号没有写完，请在句子末尾补上同样的引号"
            if value[0] in below:
                break
    return None


def _open_bracket(reason: str, lines: Sequence[str], line: int, context_line: int) -> ErrorExplanation | None:
    if "did not find expected ','" not in reason or not 0 < context_line < line:
        return None
    is_key = _KEY.match(lines[line - 1]) or lines[line - 1].lstrip().startswith("- ")
    sign = "方括号 [ ]" if "']'" in reason else "花括号 { }"
    return (context_line, f"{sign} 没有写完整，请补上后一半") if is_key else None


def _missing_colon(reason: str, lines: Sequence[str], line: int, context_line: int) -> ErrorExplanation | None:
    """Find a key without its colon, which the parser notices on its line or only at the next key."""
    text = lines[line - 1]
    if "could not find expected ':'" in reason:
        if message := explain_missing_colon(text):
            return line, message
        if match := _WIDE_COLON.match(text):
            return line, (
                f"“{match[1]}”后面是全角冒号：如果它是键，请改成半角冒号加空格；如果是上一句的下半句，请多缩进两个空格"
            )
    if "mapping values are not allowed" not in reason or not _KEY.match(text):
        return None
    above = [(n, lines[n - 1]) for n in range(1, line) if lines[n - 1].strip() and lines[n - 1].lstrip()[0] != "#"]
    number, text = above[-1] if above else (0, ":")
    if message := explain_missing_colon(text):
        return number, message
    if ":" not in text and not any(_KEY.match(other) for _, other in above):
        return number, "这一行不是“键: 内容”的写法；如果是说明，请在最前面加 #"
    return None


def _sentence_without_indent(
    reason: str, lines: Sequence[str], line: int, context_line: int
) -> ErrorExplanation | None:
    text = lines[line - 1]
    opened = next((match for n in range(line - 1, 0, -1) if (match := _KEY.match(lines[n - 1]))), None)
    bold = "alphabetic or numeric" in reason and opened is not None and (opened[4] or "").startswith(("|", ">"))
    if not bold and not any(part in reason for part in ("could not find expected ':'", "did not find expected key")):
        return None
    if _KEY.match(text) or text.lstrip().startswith("- "):
        return None
    above = next((match for n in range(line - 1, 0, -1) if (match := _KEY.match(lines[n - 1]))), None)
    if above is None:
        return None
    if (above[4] or "").startswith(("|", ">")):
        return line, f"“{above[3]}: |”下面的各行都要比“{above[3]}”多缩进两个空格"
    explanation = f"这一行没有冒号；如果是上面“{above[3]}”的下半句，"
    if key_names.ENTRY_KEYS.get(above[3]) == "answer":
        return line, f"{explanation}请写成“{above[3]}: |”，内容从下一行开始，各行比“{above[3]}”多缩进两个空格"
    return line, f"{explanation}请比“{above[3]}”多缩进两个空格"


def _not_aligned(reason: str, lines: Sequence[str], line: int, context_line: int) -> ErrorExplanation | None:
    text = lines[line - 1]
    column = len(text) - len(text.lstrip(" "))
    if _NEW_ENTRY.match(text):
        columns = [len(match[1]) for above in lines[: line - 1] if (match := _NEW_ENTRY.match(above))]
        if columns and columns[-1] != column:
            return line, f"这一条的“- ”没有和上面的“- ”对齐，前面应该有 {columns[-1]} 个空格"
        return None
    if not LOOKS_LIKE_KEY.match(text):
        return None
    above = next((match for n in range(line - 1, 0, -1) if (match := _KEY.match(lines[n - 1]))), None)
    right_column = len(above[1]) + len(above[2]) if above else column
    if right_column == column:
        return None
    return line, f"这一行没有对齐：缩进不对，应和上面的键对齐，前面应该有 {right_column} 个空格"


def _text_after_end(reason: str, lines: Sequence[str], line: int, context_line: int) -> ErrorExplanation | None:
    match = _KEY.match(lines[line - 1])
    if "did not find expected key" in reason and match and (match[4] or "")[:1] in tuple("[{\"'"):
        return line, "括号或引号已经结束，后面却还有字；请检查这一行的括号和引号"
    return None
