"""What the YAML parser says → what HR can do about it, in plain Chinese."""

from __future__ import annotations

import re

from faqbot.knowledge import keys

# A line that is meant as a key, wherever it stands.
LOOKS_LIKE_KEY = re.compile(rf"^\s*({'|'.join(keys.ENTRY_KEYS)})\s*[:：]")

# What libyaml says → what HR can do about it. The first part found in the reason wins.
_EXPLANATIONS = (
    ("second document", "文件中间出现了“---”，一个文件只能有一份内容，请删掉这一行"),
    ("alias", "不支持用 *名字 引用另一段内容，请直接写出来；如果是加粗，请给整句加上英文双引号"),
    ("too deep", "缩进的层数太多了，请对照其他条目的写法"),
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
    ("undefined tag", "句子以 ! 开头时，请给整句加上英文双引号"),
)


def explain(reason: str, line: str) -> str:
    """Explain the parser's `reason` for refusing `line`."""
    if "mapping values are not allowed" in reason and LOOKS_LIKE_KEY.match(line):
        return "这一行的缩进不对，请和上一行的键对齐"
    for part, words in _EXPLANATIONS:
        if part in reason:
            return words
    return f"这一行 YAML 读不懂（{reason}），请对照其他条目的写法"
