"""The words a knowledge file may use as keys, in English and in Chinese, and the nearest one to a misspelling."""

from __future__ import annotations

from rapidfuzz import fuzz, process

ENTRY_KEYS = {
    "id": "id", "编号": "id",
    "question": "question", "问": "question", "问题": "question",
    "also": "also", "也问": "also", "相似问": "also",
    "not": "not", "不是": "not",
    "answer": "answer", "答": "answer", "答案": "answer",
    "answers": "answers", "答案按": "answers",
    "ask": "ask", "追问": "ask",
    "topic": "topic", "主题": "topic",
    "owner": "owner", "负责人": "owner",
    "source": "source", "来源": "source",
    "related": "related", "相关": "related",
    "valid": "valid", "有效期": "valid",
    "review": "review", "复核": "review",
    "groups": "groups", "群": "groups",
    "departments": "departments", "部门": "departments",
    "private": "private", "私聊": "private",
    "draft": "draft", "草稿": "draft",
}  # fmt: skip

ENTRIES_KEYS = {"entries": "entries", "条目": "entries"}
SHARED_KEYS = ("topic", "owner", "source", "groups", "departments", "private", "review")
FILE_KEYS = ENTRIES_KEYS | {word: key for word, key in ENTRY_KEYS.items() if key in SHARED_KEYS}

PERIOD_KEYS = {"from": "from", "从": "from", "until": "until", "到": "until"}
ELSE_WORDS = frozenset({"else", "其他", "其它", "否则"})

YES = frozenset({"true", "yes", "on", "1", "y", "是", "对", "真"})
NO = frozenset({"false", "no", "off", "0", "n", "否", "不", "假", ""})


def nearest(word: str, allowed: dict[str, str]) -> str:
    """The allowed key most like `word`, or an empty text when none is."""
    # Two characters of which one is right are a likely slip; two letters of four are not.
    cutoff = 60 if word.isascii() else 50
    found = process.extractOne(word.casefold(), list(allowed), scorer=fuzz.ratio, score_cutoff=cutoff)
    return found[0] if found else ""
