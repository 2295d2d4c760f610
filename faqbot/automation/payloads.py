"""A rule's action with the values of this time → exactly what will be sent. Pure; a dry run shows the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from faqbot.markup.notice_markdown import as_markdown
from faqbot.model.notice_keys import receiver_key
from faqbot.model.notices import Address, Link, Notice
from faqbot.rules.definitions import AddContact, Digest, Notify, Post
from faqbot.rules.templates import Template, as_is, in_markdown, in_text, in_url
from faqbot.rules.values import MissingValue, Values, look_up, shown

_TITLE_LENGTH = 40
_MARKUP = re.compile(r"^[#>\s]+|\*\*")

# userIds behind a name of `groups.yaml`, or the userId itself; none where nobody is known.
People = Callable[[str], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Request:
    """JSON to post to an address."""

    url: str
    body: object


def moment_values(moment: datetime) -> dict[str, object]:
    """What a rule that the clock starts may use; Monday is weekday 1."""
    return {
        "date": moment.date().isoformat(),
        "time": moment.strftime("%H:%M"),
        "year": moment.year,
        "month": moment.month,
        "day": moment.day,
        "weekday": moment.isoweekday(),
    }


def notices_of(action: Notify, key: str, values: Values, people: People, until: float = 0.0) -> tuple[Notice, ...]:
    """One notice per receiver, each with a key of its own under `key`. Raises MissingValue."""
    escape = in_text if action.form in ("text", "link") else in_markdown
    body = action.body.fill(values, escape) if action.body else ""
    title = _one_line(action.title.fill(values, in_text)) if action.title else _title_from(body)
    spoken = Notice(
        key=key,
        to=Address("robot", ""),
        title=title,
        body=body,
        at_mobiles=_filled(action.at_mobiles, values),
        at_userids=_filled(action.at_userids, values),
        at_all=action.at_all,
        until=until,
        shape=action.form,
        links=_links(action, title, values),
    )
    # Single chats and groups get markdown and mention nobody, whatever the form.
    plain = replace(spoken, body=action.body.fill(values, in_markdown) if action.body else "", shape="markdown")
    plain = replace(plain, body=as_markdown(plain), links=(), at_mobiles=(), at_userids=(), at_all=False)
    addresses = [Address("robot", name) for name in action.robots]
    addresses += [Address("group", group) for group in action.groups]
    addresses += [Address("person", userid) for t in action.people for userid in _userids(t, values, people)]
    return tuple(
        replace(spoken if to.kind == "robot" else plain, key=receiver_key(key, to), to=to)
        for to in dict.fromkeys(addresses)
    )


def digest_notices(action: Digest, key: str, title: str, body: str, people: People, until: float) -> tuple[Notice, ...]:
    """The digest for each receiver, with a key of its own under `key`. Raises MissingValue."""
    addresses = [Address("robot", name) for name in action.robots]
    addresses += [Address("group", group) for group in action.groups]
    for name in action.people:
        if not (known := people(name)):
            raise MissingValue(_nobody(name))
        addresses += [Address("person", userid) for userid in known]
    return tuple(Notice(receiver_key(key, to), to, title, body, until=until) for to in dict.fromkeys(addresses))


def contact_of(action: AddContact, values: Values) -> dict[str, object]:
    """The fields of a new colleague, by the names `add_contact` knows. Raises MissingValue."""
    fields: dict[str, object] = {name: template.fill(values, as_is) for name, template in action.fields.items()}
    return {**fields, "departments": list(_filled(action.departments, values))}


def request_of(action: Post, values: Values, allowed: frozenset[str]) -> Request:
    """What is posted where. Raises MissingValue, also for an address that `allow_http` does not name."""
    url = action.url.fill(values, in_url)
    parts = urlsplit(url)
    hosts = {(parts.hostname or "").casefold(), parts.netloc.casefold()}
    if parts.scheme not in ("http", "https") or parts.username or not hosts & allowed:
        raise MissingValue(f"“{parts.hostname}”不在 allow_http 里，没有发送")
    return Request(url, dict(values) if action.body is None else _tree(action.body, values))


def _tree(node: object, values: Values) -> object:
    if isinstance(node, Template):
        # A value that stands alone keeps its kind: a number stays a number.
        alone = _alone(node, values)
        return node.fill(values, as_is) if alone is None else alone
    if isinstance(node, Mapping):
        return {key: _tree(value, values) for key, value in node.items()}
    return [_tree(item, values) for item in node] if isinstance(node, list) else node


def _links(action: Notify, title: str, values: Values) -> tuple[Link, ...]:
    if action.form == "link" and action.url:
        picture = action.picture.fill(values, in_url) if action.picture else ""
        return (Link(title, action.url.fill(values, in_url), picture),)
    return tuple(Link(_one_line(b.title.fill(values, in_text)), b.url.fill(values, in_url)) for b in action.buttons)


def _filled(templates: tuple[Template, ...], values: Values) -> tuple[str, ...]:
    return tuple(text for template in templates for text in _each(template, values) if text)


def _each(template: Template, values: Values) -> list[str]:
    """The filled text; a value that stands alone and is a list (`{userId}` of DingTalk's events) is several."""
    alone = _alone(template, values)
    if isinstance(alone, list):
        return [as_is(shown(template.text, item)) for item in alone]
    return [template.fill(values, as_is)]


def _alone(template: Template, values: Values) -> object:
    """The value itself where nothing else stands in the template."""
    stands_alone = template.parts[0] == "" and template.parts[2:] == ("",)
    return look_up(template.parts[1], values) if stands_alone else None


def _userids(template: Template, values: Values, people: People) -> list[str]:
    found: list[str] = []
    for name in _each(template, values):
        if not (known := people(name)):
            raise MissingValue(_nobody(name))
        found += known
    return found


def _nobody(name: str) -> str:
    return f"不知道“{name}”是谁：请写 userId，或在 groups.yaml 的 people 里写上他们"


def _title_from(body: str) -> str:
    """The first words, for the list of chats and the notification."""
    first = next((line for line in body.splitlines() if line.strip()), "")
    return _one_line(_MARKUP.sub("", first)) or "通知"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TITLE_LENGTH else line[: _TITLE_LENGTH - 1] + "…"
