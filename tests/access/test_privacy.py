"""Numbers that say who somebody is are not kept; every other number stays as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.language.masking import mask_numbers

MOBILE, ID, CARD = "〔手机号〕", "〔证件号〕", "〔卡号〕"

MOBILES = [
    "13800138000", "138 0013 8000", "138-0013-8000", "138–0013–8000", "138—0013—8000", "138·0013·8000",
    "138  0013  8000", "138 - 0013 - 8000", "138\u00a00013\u00a08000", "138　0013　8000", "1380013 8000",
    "138 00138000", "1380 013 8000", "138-001-38000", "138 00 13 80 00", "8613800138000", "86 13800138000",
    "+8613800138000", "+86 138 0013 8000", "+86-138-0013-8000", "008613800138000", "0086 138 0013 8000",
    "＋８６１３８００１３８０００", "１３８００１３８０００", "１３８　００１３　８０００",
    "１３８－００１３－８０００", "19912345678", "16612345678", "١٣٨٠٠١٣٨٠٠٠",
]  # fmt: skip
ID_CARDS = [
    "110101199003077571", "11010119900307757X", "11010119900307757x", "11010119900307757Ｘ", "11010119900307757ｘ",
    "110101 19900307 7571", "110101 1990 0307 757X", "110101 1990 03 07 7571", "110101-19900307-757x",
    "1101 0119 9003 0775 71", "1101 0119 9003 0775 7X", "１１０１０１１９９００３０７７５７１",
]  # fmt: skip
BANK_CARDS = [
    "6222021234567890", "62220212345678901", "6222021234567890123", "6222 0212 3456 7890", "6222 0212 3456 7890 1",
    "6222 0212 3456 7890 123", "6222-0212-3456-7890-123", "622202 1234567890123",
    "62220212 34567890", "4512 3456 7890 1234", "６２２２　０２１２　３４５６　７８９０", "110101900307757",
]  # fmt: skip
PLACES = ["{}", "我的号是{}，谢谢", "打{}找我", "（{}）", "号码:{}。", "a {} b", "{}\n{}", "第1位{}第2位"]


@pytest.mark.parametrize(
    ("number", "mask"), [(n, m) for ns, m in ((MOBILES, MOBILE), (ID_CARDS, ID), (BANK_CARDS, CARD)) for n in ns]
)
def test_a_number_that_names_somebody_is_masked_however_it_is_written(number: str, mask: str) -> None:
    for place in PLACES:
        assert mask_numbers(place.replace("{}", number)) == place.replace("{}", mask)


@pytest.mark.parametrize("text", ["tel13800138000", "TEL:13800138000a", "微信同号13800138000mm"])
def test_a_mobile_is_found_right_beside_letters(text: str) -> None:
    assert mask_numbers(text) == text.replace("13800138000", MOBILE)


STAY = [
    "", "年假有几天", "2026 年", "2026年1月1日到2026年12月31日", "2026-01-01", "20260101", "2026-01-01 2026-12-31",
    "2026-01-01—2026-12-31", "2026-01-01 - 2026-12-31", "2026 01 01 2026 12 31", "2025-12-18 2026-01-05 1天",
    "20260101 20261231", "2026-01-01 09:30:00", "20260101093000", "1769851697611", "2023 2024 2025 2026", "9:00-18:00",
    "工资 8000 9000 10000 12000 元", "报销 1380.50 元", "13,800,138,000 元", "满 1 年不满 10 年 5 天",
    "1 2 3 4 5 6 7 8 9 10 11 12 13",
    "400-820-8820", "400 820 8820", "4008208820", "800-820-8820", "400-820-8820-12345", "400-820-8820 转 8001",
    "010-12345678", "0571-88888888", "0571-88888888-8001", "010-12345678-1234", "021 6888 8888", "分机 8001",
    "8001-8002", "95588", "10086", "12306", "订单 1234567890", "12345678901", "10012345678", "11012345678",
    "12012345678", "23800138000", "工号 100234", "A123456789", "邮编 310000", "91330100MA27XXXX5Y",
    "DD20260101123456789", "SF1234567890123456", "192.168.100.200", "3.14159265358979", "½²³", "⑪⑫⑬",
]  # fmt: skip


@pytest.mark.parametrize("text", STAY)
def test_other_numbers_stay(text: str) -> None:
    assert mask_numbers(text) == text


@pytest.mark.parametrize("digits", [20, 21, 24, 28, 32])
@pytest.mark.parametrize("start", ["6222", "1101", "1380", "2026"])
def test_an_unbroken_run_of_twenty_digits_or_more_is_an_order_and_stays(digits: int, start: str) -> None:
    text = f"订单{(start + '0123456789' * 4)[:digits]}退款"
    assert mask_numbers(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("13800138000 13900139000", f"{MOBILE} {MOBILE}"),
        ("13800138000/13900139000", f"{MOBILE}/{MOBILE}"),
        ("138 0013 8000 139 0013 9000", f"{MOBILE} {MOBILE}"),
        ("张三13800138000李四11010119900307757X卡6222 0212 3456 7890", f"张三{MOBILE}李四{ID}卡{CARD}"),
        ("6222 0212 3456 7890 138 0013 8000", f"{CARD} {MOBILE}"),
        ("11010119900307757X13800138000", f"{ID}{MOBILE}"),
        ("6222021234567890-13800138000", f"{CARD}-{MOBILE}"),
        ("11010119900307757X,6222021234567890123,+8613800138000", f"{ID},{CARD},{MOBILE}"),
        ("2026-01-01 起打 13800138000 转 8001", f"2026-01-01 起打 {MOBILE} 转 8001"),
        ("12 13800138000", f"12 {MOBILE}"),
    ],
)
def test_several_in_one_text_are_masked_each_as_what_it_is(text: str, masked: str) -> None:
    assert mask_numbers(text) == masked


def test_nothing_of_a_longer_spaced_row_that_begins_like_a_card_leaves_the_card_readable() -> None:
    assert mask_numbers("6222 0210 0111 2223 3344") == f"{CARD} 3344"


def test_a_very_long_text_is_masked_whole() -> None:
    assert mask_numbers("打 13800138000，" * 500) == f"打 {MOBILE}，" * 500


PIECES = st.sampled_from(
    [*MOBILES, *ID_CARDS, *BANK_CARDS, *STAY, " ", "-", "+", "86", "1", "0", "X", "年", "〔", "〕"]
)
TEXTS = (
    st.text(max_size=60)
    | st.text("0123456789 -+xX１２３8613年", max_size=60)
    | st.lists(PIECES, max_size=6).map("".join)
)


@given(TEXTS)
def test_masking_a_masked_text_changes_nothing(text: str) -> None:
    masked = mask_numbers(text)
    assert mask_numbers(masked) == masked


@given(TEXTS)
def test_masking_makes_a_text_shorter_or_leaves_it(text: str) -> None:
    masked = mask_numbers(text)
    assert masked == text or len(masked) < len(text)


@given(st.text(st.characters(exclude_categories=["Nd"]), max_size=60))
def test_a_text_without_digits_stays(text: str) -> None:
    assert mask_numbers(text) == text


@given(st.text(max_size=20), st.sampled_from(MOBILES[:3] + ID_CARDS[:3] + BANK_CARDS[:3]), st.text(max_size=20))
def test_what_stands_around_a_number_is_kept(before: str, number: str, after: str) -> None:
    masked = mask_numbers(f"{before}，{number}，{after}")
    assert number not in masked
    assert masked.startswith(f"{mask_numbers(before)}，〔") and masked.endswith(f"〕，{mask_numbers(after)}")
