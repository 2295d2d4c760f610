"""Build the payload of an action from its templates; sending and dry run use the same one. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from faqbot.markup.notice_markdown import as_markdown
from faqbot.model.notice_keys import receiver_key
from faqbot.model.notices import Address, Link, Notice
from faqbot.rules.definitions import AddContact, Digest, HttpPost, Notify
from faqbot.rules.templates import Template, escape_for_markdown, escape_for_text, escape_for_url, strip_controls
from faqbot.rules.values import MissingValue, Values, format_value, look_up

_MAX_TITLE_LENGTH = 40
_MARKUP = re.compile(r"^[#>\s]+|\*\*")

# Returns the userIds behind a name in `groups.yaml`, or the name itself if it is a userId; none if nobody is known.
PeopleLookup = Callable[[str], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Request:
    """JSON to post to an address."""

    url: str
    body: object


def moment_values(moment: datetime) -> dict[str, object]:
    """Return the values that a timed rule may use; Monday is weekday 1."""
    return {
        "date": moment.date().isoformat(),
        "time": moment.strftime("%H:%M"),
        "year": moment.year,
        "month": moment.month,
        "day": moment.day,
        "weekday": moment.isoweekday(),
    }


def build_notices(
    action: Notify, key: str, values: Values, people: PeopleLookup, expires: float = 0.0
) -> tuple[Notice, ...]:
    """Return one notice per receiver, each with a key of its own under `key`. Raises MissingValue.

    They expire at `expires` (epoch seconds); 0 leaves them the default.
    """
    escape = escape_for_text if action.form in ("text", "link") else escape_for_markdown
    body = action.body.fill(values, escape) if action.body else ""
    title = _one_line(action.title.fill(values, escape_for_text)) if action.title else _title_from(body)
    to_robot = Notice(
        key=key,
        to=Address("robot", ""),
        title=title,
        body=body,
        at_mobiles=_filled(action.at_mobiles, values),
        at_userids=_filled(action.at_userids, values),
        at_all=action.at_all,
        until=expires,
        shape=action.form,
        links=_links(action, title, values),
    )
    # Single chats and groups get markdown without mentions, whatever the form.
    to_chat = replace(
        to_robot, body=action.body.fill(values, escape_for_markdown) if action.body else "", shape="markdown"
    )
    to_chat = replace(to_chat, body=as_markdown(to_chat), links=(), at_mobiles=(), at_userids=(), at_all=False)
    addresses = [Address("robot", name) for name in action.robots]
    addresses += [Address("group", group) for group in action.groups]
    addresses += [Address("person", userid) for t in action.people for userid in _userids(t, values, people)]
    return tuple(
        replace(to_robot if to.kind == "robot" else to_chat, key=receiver_key(key, to), to=to)
        for to in dict.fromkeys(addresses)
    )


def build_digest_notices(
    action: Digest, key: str, title: str, body: str, people: PeopleLookup, expires: float
) -> tuple[Notice, ...]:
    """Return the weekly digest as one notice per receiver, with keys as in `build_notices`. Raises MissingValue."""
    addresses = [Address("robot", name) for name in action.robots]
    addresses += [Address("group", group) for group in action.groups]
    addresses += [Address("person", userid) for name in action.people for userid in _known(name, people)]
    return tuple(Notice(receiver_key(key, to), to, title, body, until=expires) for to in dict.fromkeys(addresses))


def contact_fields(action: AddContact, values: Values) -> dict[str, object]:
    """Return the fields of a new colleague by the names that `add_contact` reads. Raises MissingValue."""
    fields: dict[str, object] = {
        name: template.fill(values, strip_controls) for name, template in action.fields.items()
    }
    return {**fields, "departments": list(_filled(action.departments, values))}


def build_request(action: HttpPost, values: Values, allowed: frozenset[str]) -> Request:
    """Return the JSON and the address to post it to. Raises MissingValue, also for a host that is not `allowed`."""
    url = action.url.fill(values, escape_for_url)
    parts = urlsplit(url)
    hosts = {(parts.hostname or "").casefold(), parts.netloc.casefold()}
    if parts.scheme not in ("http", "https") or parts.username or not hosts & allowed:
        raise MissingValue(f"“{parts.hostname}”不在 allow_http 里，没有发送")
    return Request(url, dict(values) if action.body is None else _fill_tree(action.body, values))


def _fill_tree(node: object, values: Values) -> object:
    if isinstance(node, Template):
        # A value that is the whole template keeps its type: a number stays a number.
        value = _only_value(node, values)
        return node.fill(values, strip_controls) if value is None else value
    if isinstance(node, Mapping):
        return {key: _fill_tree(value, values) for key, value in node.items()}
    return [_fill_tree(item, values) for item in node] if isinstance(node, list) else node


def _links(action: Notify, title: str, values: Values) -> tuple[Link, ...]:
    if action.form == "link" and action.url:
        picture = action.picture.fill(values, escape_for_url) if action.picture else ""
        return (Link(title, action.url.fill(values, escape_for_url), picture),)
    return tuple(
        Link(_one_line(b.title.fill(values, escape_for_text)), b.url.fill(values, escape_for_url))
        for b in action.buttons
    )


def _filled(templates: tuple[Template, ...], values: Values) -> tuple[str, ...]:
    return tuple(text for template in templates for text in _each(template, values) if text)


def _each(template: Template, values: Values) -> list[str]:
    """Return the filled text, or one text per item if the template is a single list value (DingTalk's `{userId}`)."""
    value = _only_value(template, values)
    if isinstance(value, list):
        return [strip_controls(format_value(template.text, item)) for item in value]
    return [template.fill(values, strip_controls)]


def _only_value(template: Template, values: Values) -> object:
    """Return the value itself if the template consists of nothing else; None otherwise."""
    is_only = template.parts[0] == "" and template.parts[2:] == ("",)
    return look_up(template.parts[1], values) if is_only else None


def _userids(template: Template, values: Values, people: PeopleLookup) -> list[str]:
    return [userid for name in _each(template, values) for userid in _known(name, people)]


def _known(name: str, people: PeopleLookup) -> tuple[str, ...]:
    if not (userids := people(name)):
        raise MissingValue(f"不知道“{name}”是谁：请写 userId，或在 groups.yaml 的 people 里写上他们")
    return userids


def _title_from(body: str) -> str:
    """Return the first line, which DingTalk shows in the list of chats and in the notification."""
    first = next((line for line in body.splitlines() if line.strip()), "")
    return _one_line(_MARKUP.sub("", first)) or "通知"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_TITLE_LENGTH else line[: _MAX_TITLE_LENGTH - 1] + "…"
