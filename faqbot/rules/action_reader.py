"""The `do:` of a rule → its actions. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingABC
from urllib.parse import urlsplit

from faqbot.dingtalk.wire.contact_fields import FIELD_NAMES
from faqbot.rules import key_names
from faqbot.rules.definitions import Action, AddContact, AttendanceReport, Button, Digest, Notify, Post
from faqbot.rules.templates import Template, TemplateError, read_template
from faqbot.yamltext.field_reader import FieldReader
from faqbot.yamltext.nodes import Mapping, Node, Scalar, Sequence

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
_MONTHS = {"last": "last", "上月": "last", "上个月": "last", "this": "this", "本月": "this"}
_EXAMPLE = "do: [{notify: {robot: 机器人的名字, text: 要说的话}}]"
_FORMS = ("text", "markdown", "link", "card")
_MOST_BUTTONS = 5

Found = MappingABC[str, Node]


class ActionReader(FieldReader):
    """Reads what a rule does; `allowed` are the hosts of `allow_http`."""

    __slots__ = ("allowed",)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.allowed: frozenset[str] = frozenset()

    def deeds(self, node: Node | None, line: int) -> tuple[Action, ...]:
        items = node.items if isinstance(node, Sequence) else [node] if isinstance(node, Mapping) else []
        if not items:
            self.error(node.line if node else line, f"没有写做什么：{_EXAMPLE}")
        actions: list[Action] = []
        for item in items:
            if not isinstance(item, Mapping):
                self.error(item.line, f"每个动作应写成“名字: {{…}}”，例如 {_EXAMPLE}")
                continue
            for key, (word, value) in self.known_pairs(item, key_names.ACTION, "do").items():
                if not isinstance(value, Mapping):
                    self.error(value.line, f"“{word.value.strip()}”后面应是 {{…}}，例如 {_EXAMPLE}")
                elif (action := self._action(key, value)) is not None:
                    actions.append(action)
        return tuple(actions)

    def _action(self, key: str, node: Mapping) -> Action | None:
        if key == "notify":
            return self._notify(node)
        if key == "add_contact":
            return self._contact(node)
        if key == "digest":
            return self._digest(node)
        return self._report(node) if key == "attendance_report" else self._post(node)

    def _found(self, node: Mapping, allowed: dict[str, str], where: str) -> dict[str, Node]:
        return {key: value for key, (_, value) in self.known_pairs(node, allowed, where).items()}

    def _template(self, node: Node | None, key: str) -> Template | None:
        text = self.text(node, key)
        if node is None or not text:
            return None
        try:
            return read_template(text)
        except TemplateError as exc:
            self.error(node.line, f"“{key}”里{exc}")
            return None

    def _templates(self, node: Node | None, key: str) -> tuple[Template, ...]:
        items = node.items if isinstance(node, Sequence) else [] if node is None else [node]
        return tuple(t for item in items if (t := self._template(item, key)) is not None)

    # -- notify ------------------------------------------------------------------------------

    def _notify(self, node: Mapping) -> Notify | None:
        found = self._found(node, key_names.NOTIFY, "notify")
        robots = tuple(self.texts(found.get("robot"), "robot"))
        groups = tuple(self.texts(found.get("group"), "groups"))
        people = self._templates(found.get("person"), "person")
        if not (robots or groups or people):
            self.error(
                node.line, "notify 没有写发给谁：robot（机器人的名字）、group（群的 openConversationId）或 person"
            )
        forms = [form for form in _FORMS if form in found]
        if len(forms) != 1:
            what = f"写了 {'、'.join(forms)}，只能有一种" if forms else "没有写要说什么"
            self.error(node.line, f"notify {what}：text（文字）、markdown、link（链接）或 card（卡片）")
            return None
        said = self._said(forms[0], found)
        mobiles = self._templates(found.get("at_mobiles"), "at_mobiles")
        userids = self._templates(found.get("at_userids"), "at_userids")
        at_all = self.flag(found.get("at_all"), "at_all")
        if (mobiles or userids or at_all) and not robots:
            self.warn(node.line, "只有群机器人（robot）发的消息能 @人，发给 group 和 person 的不会 @")
        if (mobiles or userids or at_all) and forms[0] == "link":
            self.warn(node.line, "link 消息不能 @人，请改用 markdown")
        return said and Notify(
            robots, groups, people, said.form, said.title, said.body, said.url, said.picture, said.buttons,
            mobiles, userids, at_all,
        )  # fmt: skip

    def _said(self, form: str, found: Found) -> Notify | None:
        node = found[form]
        if form in ("text", "markdown"):
            body = self._template(node, form)
            if body is None and isinstance(node, Scalar) and not node.value.strip():
                self.error(node.line, f"“{form}”是空的，请写要说的话")
            title = self._template(found.get("title"), "title")
            return Notify(form="text" if form == "text" else "markdown", title=title, body=body)
        if not isinstance(node, Mapping):
            self.error(node.line, f"“{form}”应写成 {{title: 标题, text: 正文, {_REST[form]}}}")
            return None
        if form == "link":
            link = self._found(node, key_names.LINK, "link")
            title, body = self._template(link.get("title"), "title"), self._template(link.get("text"), "text")
            url, picture = self._url(link.get("url"), "url", node.line), self._template(link.get("picture"), "picture")
            if title is None:
                self.error(node.line, "link 没有标题（title）")
            return Notify(form="link", title=title, body=body, url=url, picture=picture)
        card = self._found(node, key_names.CARD, "card")
        title, body = self._template(card.get("title"), "title"), self._template(card.get("text"), "text")
        if title is None or body is None:
            self.error(node.line, "card 要有标题（title）和正文（text）")
        return Notify(form="card", title=title, body=body, buttons=self._buttons(card.get("buttons"), node.line))

    def _buttons(self, node: Node | None, line: int) -> tuple[Button, ...]:
        buttons: list[Button] = []
        items = node.items if isinstance(node, Sequence) else [] if node is None else [node]
        for item in items:
            found = self._found(item, key_names.BUTTON, "按钮") if isinstance(item, Mapping) else {}
            title = self._template(found.get("title"), "title")
            url = self._url(found.get("url"), "url", item.line)
            if title is not None and url is not None:
                buttons.append(Button(title, url))
            elif title is None:
                self.error(item.line, "按钮应写成 {title: 按钮上的字, url: https://…}")
        if not 1 <= len(items) <= _MOST_BUTTONS:
            self.error(node.line if node else line, f"卡片要有 1 到 {_MOST_BUTTONS} 个按钮（buttons）")
        return tuple(buttons)

    def _url(self, node: Node | None, key: str, line: int) -> Template | None:
        url = self._template(node, key)
        if url is None or not url.parts[0].startswith(("http://", "https://", "dingtalk://")):
            self.error(node.line if node else line, f"“{key}”应是以 https:// 开头的网址")
            return None
        return url

    # -- the others --------------------------------------------------------------------------

    def _contact(self, node: Mapping) -> AddContact:
        found = self._found(node, FIELD_NAMES, "add_contact")
        departments = self._templates(found.pop("departments", None), "departments")
        fields = {key: t for key, value in found.items() if (t := self._template(value, key)) is not None}
        for key in ("name", "mobile"):
            if key not in fields:
                self.error(node.line, f'add_contact 没有 {key}，例如 {key}: "{{{key}}}"')
        if not departments:
            self.error(node.line, 'add_contact 没有部门，请写 departments: [1] 或 departments: ["{dept}"]')
        return AddContact(fields, departments)

    def _report(self, node: Mapping) -> AttendanceReport:
        found = self._found(node, key_names.REPORT, "attendance_report")
        written = self.text(found.get("month"), "month") or "last"
        month = _MONTHS.get(written.casefold(), written)
        if month not in ("last", "this") and not _MONTH.fullmatch(month):
            self.error(
                found["month"].line, f"month 应是 last（上月）、this（本月）或 2026-01 这样，这里是“{written[:20]}”"
            )
        departments = tuple(self.texts(found.get("departments"), "departments")) or ("1",)
        at = self.text(found.get("at"), "at")
        if at not in ("", "supervisors", "主管"):
            self.error(found["at"].line, f"at 只能是 supervisors（主管），这里是“{at[:20]}”")
        return AttendanceReport(
            month,
            departments,
            robot=self.text(found.get("robot"), "robot"),
            at_supervisors=bool(at),
            hr=tuple(self.texts(found.get("hr"), "groups")),
        )

    def _digest(self, node: Mapping) -> Digest:
        found = self._found(node, key_names.DIGEST, "digest")
        to = Digest(
            robots=tuple(self.texts(found.get("robot"), "robot")),
            groups=tuple(self.texts(found.get("group"), "groups")),
            people=tuple(self.texts(found.get("person"), "people")),
        )
        if not (to.robots or to.groups or to.people):
            self.error(node.line, "digest（周报）没有写发给谁：robot（机器人的名字）、group 或 person")
        return to

    def _post(self, node: Mapping) -> Post | None:
        found = self._found(node, key_names.HTTP, "http")
        url = self._url(found.get("url"), "url", node.line)
        if url is None:
            return None
        host = _host(url)
        if not {host, host.partition(":")[0]} & self.allowed:
            # A value in the host's place could lead anywhere.
            self.error(
                node.line, f"“{host or url.text[:40]}”不在 allow_http 里；请在文件里写 allow_http: [{host or '主机名'}]"
            )
        return Post(url, self._body(found.get("body")))

    def _body(self, node: Node | None) -> object:
        """A tree of templates; numbers and flags written without quotes go out as such."""
        if isinstance(node, Mapping):
            return {key.value: self._body(value) for key, value in self.pairs(node)}
        if isinstance(node, Sequence):
            return [self._body(item) for item in node.items]
        return self._template(node, "body") if isinstance(node, Scalar) and node.value else None


_REST = {"link": "url: https://…", "card": "buttons: [{title: 按钮, url: https://…}]"}


def _host(url: Template) -> str:
    """The host (with its port, if it has one) of an address; empty unless all of it is written out."""
    if len(url.parts) > 1 and url.parts[0].count("/") < 3:
        return ""
    try:
        parts = urlsplit(url.parts[0])
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.hostname}{port}" if parts.scheme in ("http", "https") and parts.hostname else ""
