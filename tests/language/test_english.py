"""Which texts are questions in English, and what they are about in Chinese."""

from __future__ import annotations

import pytest

from faqbot.language.english import in_chinese, is_english_question


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("How many days of annual leave do I have?", "几天年假"),
        ("how do i reset my password", "重置密码"),
        ("When is payday?", "发工资"),
        ("where can I get an invoice", "发票"),
        ("CAN I WORK FROM HOME", "居家办公"),
        ("Is there a gym near us?", ""),
    ],
)
def test_a_question_in_english_is_about_chinese_words(text, words):
    assert is_english_question(text) and in_chinese(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "nianjia you ji tian", "gongzi shenme shihou fa", "VPN", "wifi password",
        "java.lang.NullPointerException: null",
        "OA login failed 403", "how 年假", "offer 怎么拿", "thank you", "", "?", "12345", "iPhone 15 Pro Max",
        "Error code 0x80070005",
        "gong pai diu le zen me ban", "https://example.com/how/to", "Windows 11 Pro",
    ],
)  # fmt: skip
def test_names_pinyin_and_messages_of_programs_are_none(text):
    assert not is_english_question(text)
