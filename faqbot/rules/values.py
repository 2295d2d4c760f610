"""What an event or a firing carries, found by dotted names and shown the way a person writes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from faqbot.errors import FaqbotError

Values = Mapping[str, object]


class MissingValue(FaqbotError):
    """A name that a rule uses stands for nothing here; the text says which and what there is."""


def look_up(name: str, values: Values) -> object:
    """The value of `name`; `customer.owner` and `items.0.id` go into what is nested. Raises MissingValue."""
    found: object = values
    done: list[str] = []
    for part in name.split("."):
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdecimal() and int(part[:9]) < len(found):
            found = found[int(part[:9])]
        else:
            raise MissingValue(_missing(name, done, found))
        done.append(part)
    return found


def shown(name: str, value: object) -> str:
    """The value as text: no number grows a “.0”, a list is a line. Raises MissingValue for a group of values."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, Mapping):
        raise MissingValue(f"{{{name}}} 是一组值，不是一个值；请写 {{{name}.…}}，里面有：{_names(value)}")
    if isinstance(value, list):
        return "、".join(shown(f"{name}.{number}", item) for number, item in enumerate(value))
    return str(value)


def _missing(name: str, done: Sequence[str], where: object) -> str:
    inside = f"“{'.'.join(done)}”里" if done else ""
    if isinstance(where, Mapping) and where:
        return f"没有“{name}”这个值：{inside}有的是 {_names(where)}"
    return f"没有“{name}”这个值" + (f"：“{'.'.join(done)}”里面没有别的值" if done else "")


def _names(values: Mapping[str, object]) -> str:
    names = [str(name)[:30] for name in values][:12]
    return "、".join(names) + (" 等" if len(values) > len(names) else "")
