"""The words a knowledge file may use as keys, in English and in Chinese, and the nearest one to a misspelling."""

from __future__ import annotations

import unicodedata

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from faqbot.language.pinyin import of_character

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

# `groups.yaml`: at its top, and for one conversation.
GROUPS_KEYS = {"people": "people", "人员": "people", "groups": "groups", "群": "groups"}
GROUP_KEYS = {
    "topics": "topics", "topic": "topics", "主题": "topics",
    "greeting": "greeting", "问候": "greeting", "欢迎语": "greeting",
    "contact": "contact", "联系人": "contact",
    "quiet": "quiet", "quiet hours": "quiet", "quiet_hours": "quiet", "安静": "quiet",
    "安静时段": "quiet", "免打扰": "quiet",
}  # fmt: skip

PERIOD_KEYS = {"from": "from", "从": "from", "until": "until", "到": "until"}
ELSE_WORDS = frozenset({"else", "其他", "其它", "否则"})

YES = frozenset({"true", "yes", "on", "1", "y", "是", "对", "真"})
NO = frozenset({"false", "no", "off", "0", "n", "否", "不", "假", ""})

# Words people bring from other tables, and what to write instead.
_USE = {
    "“question”（问题）": ("q", "标题", "title", "问题描述", "标准问", "标准问题"),
    "“answer”（答案）": ("a", "回答", "答复", "回复", "内容", "content", "reply"),
    "“also”（也问）": ("问法", "其他问法", "同义问", "关键词", "关键字", "keywords"),
    "“topic”（主题）": ("分类", "类别", "标签", "category", "tag", "tags"),
}
_COMMENTS = ("备注", "注", "注释", "说明", "note", "notes", "remark", "comment")
MEANT_ELSEWHERE = {word: f"请改成{use}" for use, words in _USE.items() for word in words} | dict.fromkeys(
    _COMMENTS, "只给自己看的话请写成以 # 开头的一行"
)


def nearest(word: str, allowed: dict[str, str]) -> str:
    """The allowed key most like `word`, or an empty text when none is."""
    word = unicodedata.normalize("NFKC", word).casefold()
    # Two characters of which one is right are a likely slip; two letters of four are not.
    cutoff = 60 if word.isascii() else 50
    found = process.extractOne(word, list(allowed), scorer=fuzz.ratio, score_cutoff=cutoff)
    return found[0] if found else ""


def surely(word: str, allowed: dict[str, str]) -> str:
    """The allowed key of which `word` is a slip of the keyboard, or an empty text where anything else may be meant."""
    folded = unicodedata.normalize("NFKC", word).casefold().strip()
    distances = {other: OSA.distance(folded, other) for other in allowed}
    least = min(distances.values())
    likely = [other for other, distance in distances.items() if distance == least]
    if len({allowed[other] for other in likely}) > 1:
        return ""
    return next((other for other in likely if _is_slip(folded, other, least)), "")


def _is_slip(word: str, meant: str, distance: int) -> bool:
    """Whether somebody who typed `word` can only have meant `meant`: `note` is no slip of `not`, `nto` is."""
    if distance == 0:
        return True
    if not meant.isascii():
        return (len(meant) > 2 and distance == 1) or (len(meant) > 1 and _sound(word) == _sound(meant))
    if len(meant) < 4:
        return distance == 1 and sorted(word) == sorted(meant)
    return distance <= (1 if len(meant) < 6 else 2)


def _sound(word: str) -> list[str]:
    return [of_character(character) for character in word]
