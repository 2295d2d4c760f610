"""Keys permitted in knowledge files, in English and in Chinese, and suggestions for misspelt ones."""

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

# The advice for words that people bring from other tables: the key to write instead.
_SUGGESTIONS = {
    "“question”（问题）": ("q", "标题", "title", "问题描述", "标准问", "标准问题"),
    "“answer”（答案）": ("a", "回答", "答复", "回复", "内容", "content", "reply"),
    "“also”（也问）": ("问法", "其他问法", "同义问", "关键词", "关键字", "keywords"),
    "“topic”（主题）": ("分类", "类别", "标签", "category", "tag", "tags"),
}
_COMMENTS = ("备注", "注", "注释", "说明", "note", "notes", "remark", "comment")
FOREIGN_KEYS = {word: f"请改成{use}" for use, words in _SUGGESTIONS.items() for word in words} | dict.fromkeys(
    _COMMENTS, "只给自己看的话请写成以 # 开头的一行"
)


def nearest_key(word: str, allowed: dict[str, str]) -> str:
    """Return the allowed key most like `word`, or an empty text if none is similar."""
    word = unicodedata.normalize("NFKC", word).casefold()
    # One right character of two makes a typo likely; two right letters of four do not.
    cutoff = 60 if word.isascii() else 50
    nearest = process.extractOne(word, list(allowed), scorer=fuzz.ratio, score_cutoff=cutoff)
    return nearest[0] if nearest else ""


def certain_key(word: str, allowed: dict[str, str]) -> str:
    """Return the allowed key that `word` certainly means, or an empty text if it may mean anything else."""
    folded = unicodedata.normalize("NFKC", word).casefold().strip()
    distances = {key: OSA.distance(folded, key) for key in allowed}
    least = min(distances.values())
    candidates = [key for key, distance in distances.items() if distance == least]
    if len({allowed[key] for key in candidates}) > 1:
        return ""
    return next((key for key in candidates if _is_typo(folded, key, least)), "")


def _is_typo(word: str, key: str, distance: int) -> bool:
    """Return True if whoever typed `word` can only have meant `key`: `nto` is a typo of `not`, `note` is not."""
    if distance == 0:
        return True
    if not key.isascii():
        return (len(key) > 2 and distance == 1) or (len(key) > 1 and _pinyin(word) == _pinyin(key))
    if len(key) < 4:
        return distance == 1 and sorted(word) == sorted(key)
    return distance <= (1 if len(key) < 6 else 2)


def _pinyin(word: str) -> list[str]:
    return [of_character(character) for character in word]
