"""Recognises files that are not YAML before they are parsed: Office, web pages, CSV, merge conflicts."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CONFLICT = re.compile(r"<{7}(\s|$)")
_CONFLICT_END = re.compile(r">{7}(\s|$)")
# Column names are short. Searching a whole letter on one line for them would take the pattern hours.
_MAX_HEADINGS_LENGTH = 200
_WEB_PAGE = re.compile(r"<(!doctype|!--|\?xml|html|head|body|meta|div|span|p|table|h\d|br|ul|ol|a)\b", re.IGNORECASE)
_TABLE_HEAD = re.compile(r"(?i)(问|question).*[,，;\t|].*(答|answer)")
_OFFICE = {b"PK\x03\x04": "Word 或 Excel 文件", b"\xd0\xcf\x11\xe0": "Word 或 Excel 文件", b"%PDF": "PDF 文件"}


def office_program(raw: bytes) -> str:
    """Return the kind of document these bytes are, in words for HR; an empty text if they are none."""
    return next((name for start, name in _OFFICE.items() if raw.startswith(start)), "")


def find_foreign_content(lines: Sequence[str]) -> tuple[int, str] | None:
    """Return the line (from 1) and a message for HR if the text is not a knowledge file; None if it may be one."""
    conflict_line = next((n for n, line in enumerate(lines, 1) if _CONFLICT.match(line)), 0)
    if conflict_line and any(_CONFLICT_END.match(line) for line in lines[conflict_line:]):
        return conflict_line, "这里有合并冲突的标记（<<<<<<< ======= >>>>>>>）：请留下要的那一份内容，并删掉这几行标记"
    number, first = next(((n, line.strip()) for n, line in enumerate(lines, 1) if line.strip()), (0, ""))
    if _WEB_PAGE.match(first):
        return number, "这是网页（HTML）的内容，不是知识文件；请只粘贴文字，并照其他文件的样子写成条目"
    headings = _TABLE_HEAD.search(first[:_MAX_HEADINGS_LENGTH])
    if headings and ":" not in first and "：" not in first and not first.startswith(("#", "-")):
        return number, "这是表格（CSV）的内容，不是知识文件；表格要用导入的办法，不能只改文件名"
    if first.startswith("```"):
        return number, "这一行“```”是聊天或 Markdown 里的代码框，请把开头和末尾的“```”都删掉"
    return None
