"""Generates the JSON Schema (draft 2020-12) of the files under `faq/`, for completion in editors. Pure.

Only `check` knows all that can be wrong in a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from faqbot.yamltext import key_names

Schema = dict[str, Any]

_DATE = r"^\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?$"
# An editor reads 0571 as a number and 是 as a text; both are texts here.
_TEXT: Schema = {"type": ["string", "number", "boolean"]}
_LIST: Schema = {"anyOf": [{"type": "array", "items": _TEXT}, _TEXT]}
_DAY: Schema = {"anyOf": [{"type": "string", "pattern": _DATE}, {"type": "null"}]}
_FLAG: Schema = {"enum": [True, False, 1, 0, *sorted(key_names.YES | key_names.NO)]}

# The type of each key, and what an editor shows about it.
_VALUES: dict[str, tuple[Schema, str]] = {
    "id": (_TEXT, "不重复的名字，给“相关”引用；不写就由问题生成"),
    "question": (_TEXT, "标准问法，写成员工会打的一句话，例如：年假有几天？"),
    "also": (_LIST, "同一件事的其他问法，三到五种，例如：[年休假天数, 一年能休几天年假]"),
    "not": (_LIST, "看着像、其实不是问这一条的问法"),
    "answer": (_TEXT, "发给员工的原文，可以用 Markdown；多行时先写 |，再另起一行，各行缩进"),
    "answers": (
        {"type": "object", "additionalProperties": _TEXT, "minProperties": 1},
        "每种情况的答案，一行一种，例如“上海: 158 天”；“其他”（else）是兜底。和“追问”一起用，代替“答案”",
    ),
    "ask": (
        {"type": "object", "additionalProperties": _TEXT, "minProperties": 1, "maxProperties": 1},
        "答案取决于什么，只问一个问题，例如 {city: 您在哪个城市？}",
    ),
    "topic": (_TEXT, "主题，「帮助」里按它分组"),
    "owner": (_TEXT, "谁负责保证答案正确：名字或 userId"),
    "source": (_TEXT, "依据，显示在答案下面，例如：《员工手册》第 5 章"),
    "related": (_LIST, "相关条目的编号"),
    "valid": ({"$ref": "#/$defs/period"}, "有效期，含头尾两天，可以只写一头；有效期外不回答"),
    "review": (_DAY, "哪天该再看一遍，例如 2026-12-01"),
    "groups": (_LIST, "只在这些会话里回答，写会话编号（cid 开头）"),
    "departments": (_LIST, "只给这些部门的人，写部门编号"),
    "private": (_FLAG, "是：涉及个人，不在群里发答案"),
    "draft": (_FLAG, "是：草稿，不回答"),
    "entries": ({"type": "array", "items": {"$ref": "#/$defs/entry"}}, "这个文件的所有条目，每条以“- ”开头"),
    "from": (_DAY, "从哪天起（含这天），例如 2026-01-01"),
    "until": (_DAY, "到哪天止（含这天），例如 2026-12-31"),
}


def schema() -> Schema:
    """Return the schema with the English and the Chinese keys."""
    file = _object(key_names.FILE_KEYS, "一个文件：开头是对所有条目都有效的内容，下面是条目")
    file["anyOf"] = _one_of(key_names.ENTRIES_KEYS, "entries")
    entry = _object(key_names.ENTRY_KEYS, "一条问答")
    entry["allOf"] = [
        {"anyOf": _one_of(key_names.ENTRY_KEYS, "question")},
        {"anyOf": _one_of(key_names.ENTRY_KEYS, "answer", "answers")},
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "faqbot 知识文件",
        "description": "放在知识目录 faq/ 下的 .yaml 文件",
        "anyOf": [
            {"$ref": "#/$defs/file"},
            {"type": "array", "items": {"$ref": "#/$defs/entry"}, "description": "也可以只写条目"},
            {"type": "null"},
        ],
        "$defs": {"file": file, "entry": entry, "period": _object(key_names.PERIOD_KEYS, "有效期")},
    }


def _object(words: Mapping[str, str], description: str) -> Schema:
    """Return the schema of a mapping with these keys and no others."""
    properties = {
        word: {"description": description_of, **value}
        for word, meant in words.items()
        for value, description_of in [_VALUES[meant]]
    }
    return {"type": "object", "description": description, "properties": properties, "additionalProperties": False}


def _one_of(words: Mapping[str, str], *meant: str) -> list[Schema]:
    return [{"required": [word]} for word in _words(words, meant)]


def _words(words: Mapping[str, str], meant: Iterable[str]) -> list[str]:
    keys = set(meant)
    return [word for word, key in words.items() if key in keys]
