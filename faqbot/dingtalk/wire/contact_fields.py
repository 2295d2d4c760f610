"""Convert the fields of a new contact from what people write to what DingTalk accepts. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

# By field: the name that messages use, and other names that are accepted.
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
# Characters (platform notes, user/create).
_MAX_LENGTHS = {
    "name": 80, "userid": 64, "job_number": 50, "title": 200, "email": 50, "org_email": 100, "telephone": 50,
    "work_place": 100, "remark": 2000, "extension": 2000,
}  # fmt: skip
_MAX_DEPARTMENTS = 100

# Digits. A shorter text is no mobile number, so masking it would hide only the mistake.
_MIN_MOBILE_DIGITS = 8
_MAINLAND = re.compile(r"1[3-9]\d{9}")
_FOREIGN = re.compile(r"\+\d{1,4}-\d{4,15}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T].*)?")
_YES, _NO = {"true", "yes", "1", "是"}, {"false", "no", "0", "否"}


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A person to add. `departments` are numbers or names; `optional` holds the other fields, ready to send."""

    name: str
    mobile: str
    departments: tuple[str, ...]
    userid: str = ""
    optional: Mapping[str, Any] = field(default_factory=dict)


def read_newcomer(fields: Mapping[str, Any], timezone: tzinfo) -> Newcomer | tuple[str, ...]:
    """Return the person, or a sentence for each problem. Empty fields count as not given."""
    problems: list[str] = []
    filled: dict[str, Any] = {}
    for name, value in fields.items():
        key = FIELD_NAMES.get(name)
        if key is None:
            problems.append(f"不认识的字段“{name}”")
        elif value not in (None, "", [], ()):
            filled[key] = value
    departments = _departments(filled.pop("departments", ()))
    texts = {key: _text(value) for key, value in filled.items()}
    texts = {key: text for key, text in texts.items() if text}
    mobile = _mobile(texts.get("mobile", ""))
    for key in ("name", "mobile"):
        if key not in texts:
            problems.append(f"缺少{_label(key)}")
    if not departments:
        problems.append("缺少部门")
    if len(departments) > _MAX_DEPARTMENTS:
        problems.append(f"部门最多 {_MAX_DEPARTMENTS} 个，这里有 {len(departments)} 个")
    if "mobile" in texts and not mobile:
        problems.append(f"手机号“{mask_mobile(texts['mobile'])}”不对：大陆的是 11 位数字，境外的写成 +852-91234567")
    for key, limit in _MAX_LENGTHS.items():
        if len(texts.get(key, "")) > limit:
            problems.append(f"{_label(key)}最多 {limit} 个字，这里有 {len(texts[key])} 个")
    optional = _optional(texts, timezone, problems)
    if problems:
        return tuple(problems)
    return Newcomer(texts["name"], mobile, departments, texts.get("userid", ""), optional)


def _optional(texts: Mapping[str, str], timezone: tzinfo, problems: list[str]) -> dict[str, Any]:
    """Return the optional fields as DingTalk wants them; add their mistakes to `problems`."""
    optional: dict[str, Any] = {}
    for key, text in texts.items():
        match key:
            case "name" | "mobile" | "userid":
                continue
            case "hired_date":
                optional[key] = _moment(text, timezone)
                hint = "写成 2026-03-01"
            case "hide_mobile":
                optional[key] = True if text.casefold() in _YES else False if text.casefold() in _NO else None
                hint = "写“是”或“否”"
            case "email" | "org_email":
                optional[key] = text if _EMAIL.fullmatch(text) else None
                hint = "应当形如 name@example.com"
            case "extension":
                optional[key] = text if _is_object(text) else None
                hint = "应当是一个 JSON 对象"
            case _:
                optional[key] = text
        if optional[key] is None:
            problems.append(f"{_label(key)}“{text[:40]}”不对：{hint}")
    return optional


def _label(key: str) -> str:
    return _FIELDS[key][0]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return str(value).strip()


def _departments(value: Any) -> tuple[str, ...]:
    """Read a list, or one text with commas such as `2,3` and `研发部、市场部`."""
    parts = value if isinstance(value, (list, tuple)) else [value]
    words = (word.strip() for part in parts for word in re.split(r"[,，、;；]", str(part)))
    return tuple(dict.fromkeys(word for word in words if word))


def _mobile(text: str) -> str:
    """Return the number as DingTalk writes it, mainland numbers without a country code; empty if it is no number."""
    text = re.sub(r"[\s()]", "", unicodedata.normalize("NFKC", text)).replace("—", "-").replace("–", "-")
    if text.startswith("00"):
        text = "+" + text[2:]
    mainland = text.removeprefix("+86").replace("-", "")
    if _MAINLAND.fullmatch(mainland):
        return mainland
    country, dash, number = text.partition("-")
    foreign = f"{country}{dash}{number.replace('-', '')}"
    return foreign if _FOREIGN.fullmatch(foreign) and country != "+86" else ""


def mask_mobile(mobile: str) -> str:
    """Hide the middle of a number, as messages about it are stored in records and logs."""
    return mobile if len(mobile) < _MIN_MOBILE_DIGITS else f"{mobile[:3]}****{mobile[-4:]}"


def _moment(text: str, timezone: tzinfo) -> int | None:
    """Return the start of a day in milliseconds; 13 digits are taken as such already. None for anything else."""
    if re.fullmatch(r"\d{13}", text):
        return int(text)
    match = _DATE.fullmatch(text)
    if not match:
        return None
    try:
        day = datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=timezone)
    except ValueError:
        return None
    return int(day.timestamp() * 1000)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
