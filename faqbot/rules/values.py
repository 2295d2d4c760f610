"""Values of an event or a firing: lookup by dotted name, and formatting for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from faqbot.errors import FaqbotError

Values = Mapping[str, object]


class MissingValue(FaqbotError):
    """A rule uses a name that has no value; the message says which, and which names there are."""


def look_up(name: str, values: Values) -> object:
    """Return the value of `name`; `customer.owner` and `items.0.id` go into nested values. Raises MissingValue."""
    value: object = values
    path: list[str] = []
    for part in name.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part[:9]) < len(value):
            value = value[int(part[:9])]
        else:
            raise MissingValue(_missing_message(name, path, value))
        path.append(part)
    return value


def format_value(name: str, value: object) -> str:
    """Return the value as text: a whole number without “.0”, a list on one line.

    Raises MissingValue for a mapping, which is a group of values.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, Mapping):
        raise MissingValue(f"{{{name}}} 是一组值，不是一个值；请写 {{{name}.…}}，里面有：{_names(value)}")
    if isinstance(value, list):
        return "、".join(format_value(f"{name}.{number}", item) for number, item in enumerate(value))
    return str(value)


def _missing_message(name: str, path: Sequence[str], parent: object) -> str:
    inside = f"“{'.'.join(path)}”里" if path else ""
    if isinstance(parent, Mapping) and parent:
        return f"没有“{name}”这个值：{inside}有的是 {_names(parent)}"
    return f"没有“{name}”这个值" + (f"：“{'.'.join(path)}”里面没有别的值" if path else "")


def _names(values: Mapping[str, object]) -> str:
    names = [str(name)[:30] for name in values][:12]
    return "、".join(names) + (" 等" if len(values) > len(names) else "")
