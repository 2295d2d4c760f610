"""The fields of a person to be added to the contacts, as somebody wrote them → as DingTalk takes them. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

# What may be written for each field, and how it is called when something is wrong with it.
_FIELDS = {
    "userid": ("用户编号", "userId", "user_id"),
    "name": ("姓名",),
    "mobile": ("手机号", "手机"),
    "departments": ("部门", "department", "dept_id_list"),
    "title": ("职位",),
    "job_number": ("工号",),
    "email": ("邮箱",),
    "org_email": ("企业邮箱",),
    "telephone": ("分机",),
    "work_place": ("办公地点",),
    "remark": ("备注",),
    "extension": ("扩展字段",),
    "hired_date": ("入职日期",),
    "manager_userid": ("主管",),
    "hide_mobile": ("隐藏手机号",),
}
FIELD_NAMES = {name: key for key, others in _FIELDS.items() for name in (key, *others)}
# In characters (platform notes, user/create).
_LONGEST = {
    "name": 80, "userid": 64, "job_number": 50, "title": 200, "email": 50, "org_email": 100, "telephone": 50,
    "work_place": 100, "remark": 2000, "extension": 2000,
}  # fmt: skip
_MOST_DEPARTMENTS = 100

# Shorter than this it is nobody's number.
_SHORT_MOBILE = 8
_MAINLAND = re.compile(r"1[3-9]\d{9}")
_ABROAD = re.compile(r"\+\d{1,4}-\d{4,15}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T].*)?")
_YES, _NO = {"true", "yes", "1", "是"}, {"false", "no", "0", "否"}


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody to add. `departments` as written, numbers or names; `more` are the optional fields, ready to send."""

    name: str
    mobile: str
    departments: tuple[str, ...]
    userid: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


def read_newcomer(fields: Mapping[str, Any], timezone: tzinfo) -> Newcomer | tuple[str, ...]:
    """The person, or all that is wrong with the fields, one sentence each. Empty fields count as not given."""
    wrong: list[str] = []
    given: dict[str, Any] = {}
    for name, value in fields.items():
        key = FIELD_NAMES.get(name)
        if key is None:
            wrong.append(f"不认识的字段“{name}”")
        elif value not in (None, "", [], ()):
            given[key] = value
    departments = _departments(given.pop("departments", ()))
    texts = {key: _text(value) for key, value in given.items()}
    texts = {key: text for key, text in texts.items() if text}
    mobile = _mobile(texts.get("mobile", ""))
    for key in ("name", "mobile"):
        if key not in texts:
            wrong.append(f"缺少{_label(key)}")
    if not departments:
        wrong.append("缺少部门")
    if len(departments) > _MOST_DEPARTMENTS:
        wrong.append(f"部门最多 {_MOST_DEPARTMENTS} 个，这里有 {len(departments)} 个")
    if "mobile" in texts and not mobile:
        wrong.append(f"手机号“{masked(texts['mobile'])}”不对：大陆的是 11 位数字，境外的写成 +852-91234567")
    for key, longest in _LONGEST.items():
        if len(texts.get(key, "")) > longest:
            wrong.append(f"{_label(key)}最多 {longest} 个字，这里有 {len(texts[key])} 个")
    more = _optional(texts, timezone, wrong)
    if wrong:
        return tuple(wrong)
    return Newcomer(texts["name"], mobile, departments, texts.get("userid", ""), more)


def _optional(texts: Mapping[str, str], timezone: tzinfo, wrong: list[str]) -> dict[str, Any]:
    """The fields that may be left out, as DingTalk wants them; what is wrong is added to `wrong`."""
    more: dict[str, Any] = {}
    for key, text in texts.items():
        match key:
            case "name" | "mobile" | "userid":
                continue
            case "hired_date":
                more[key] = _moment(text, timezone)
                hint = "写成 2026-03-01"
            case "hide_mobile":
                more[key] = True if text.casefold() in _YES else False if text.casefold() in _NO else None
                hint = "写“是”或“否”"
            case "email" | "org_email":
                more[key] = text if _EMAIL.fullmatch(text) else None
                hint = "应当形如 name@example.com"
            case "extension":
                more[key] = text if _is_object(text) else None
                hint = "应当是一个 JSON 对象"
            case _:
                more[key] = text
        if more[key] is None:
            wrong.append(f"{_label(key)}“{text[:40]}”不对：{hint}")
    return more


def _label(key: str) -> str:
    return _FIELDS[key][0]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return str(value).strip()


def _departments(value: Any) -> tuple[str, ...]:
    """A list, or one text with commas: `2,3` and `研发部、市场部`."""
    parts = value if isinstance(value, (list, tuple)) else [value]
    words = (word.strip() for part in parts for word in re.split(r"[,，、;；]", str(part)))
    return tuple(dict.fromkeys(word for word in words if word))


def _mobile(text: str) -> str:
    """The number as DingTalk writes it; empty if it is none. Mainland numbers go without a country code."""
    text = re.sub(r"[\s()]", "", unicodedata.normalize("NFKC", text)).replace("—", "-").replace("–", "-")
    if text.startswith("00"):
        text = "+" + text[2:]
    mainland = text.removeprefix("+86").replace("-", "")
    if _MAINLAND.fullmatch(mainland):
        return mainland
    country, dash, number = text.partition("-")
    abroad = f"{country}{dash}{number.replace('-', '')}"
    return abroad if _ABROAD.fullmatch(abroad) and country != "+86" else ""


def masked(mobile: str) -> str:
    """Enough to recognise a number by: what is said about it is kept in records and logs."""
    return mobile if len(mobile) < _SHORT_MOBILE else f"{mobile[:3]}****{mobile[-4:]}"


def _moment(text: str, timezone: tzinfo) -> int | None:
    """The start of a day in ms; a number of 13 digits is one already."""
    if re.fullmatch(r"\d{13}", text):
        return int(text)
    found = _DATE.fullmatch(text)
    if not found:
        return None
    try:
        day = datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=timezone)
    except ValueError:
        return None
    return int(day.timestamp() * 1000)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
