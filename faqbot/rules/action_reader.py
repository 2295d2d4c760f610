"""Reads the `do:` of a rule into actions. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingABC
from dataclasses import replace
from urllib.parse import urlsplit

from faqbot.dingtalk.wire.contact_fields import FIELD_NAMES
from faqbot.rules import key_names
from faqbot.rules.definitions import Action, AddContact, AttendanceReport, Button, Digest, HttpPost, Notify
from faqbot.rules.templates import Template, TemplateError, read_template
from faqbot.yamltext.field_reader import FieldReader
from faqbot.yamltext.nodes import Mapping, Node, Scalar, Sequence

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
_MONTHS = {"last": "last", "上月": "last", "上个月": "last", "this": "this", "本月": "this"}
_EXAMPLE = "do: [{notify: {robot: 机器人的名字, text: 要说的话}}]"
_FORMS = ("text", "markdown", "link", "card")
_MAX_BUTTONS = 5

Fields = MappingABC[str, Node]


class ActionReader(FieldReader):
    """Reads actions and reports unreadable ones; `allowed_hosts` are those of `allow_http`."""

    __slots__ = ("allowed_hosts",)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.allowed_hosts: frozenset[str] = frozenset()

    def actions(self, node: Node | None, line: int) -> tuple[Action, ...]:
        """Read one action or a list of them; `line` is where the rule is, for a missing `do:`."""
        items = node.items if isinstance(node, Sequence) else [node] if isinstance(node, Mapping) else []
        if not items:
            self.error(node.line if node else line, f"没有写做什么：{_EXAMPLE}")
        actions: list[Action] = []
        for item in items:
            if not isinstance(item, Mapping):
                self.error(item.line, f"每个动作应写成“名字: {{…}}”，例如 {_EXAMPLE}")
                continue
            for key, (written_key, value) in self.known_pairs(item, key_names.ACTION, "do").items():
                if not isinstance(value, Mapping):
                    self.error(value.line, f"“{written_key.value.strip()}”后面应是 {{…}}，例如 {_EXAMPLE}")
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
        fields = self.known_values(node, key_names.NOTIFY, "notify")
        robots = tuple(self.texts(fields.get("robot"), "robot"))
        groups = tuple(self.texts(fields.get("group"), "groups"))
        people = self._templates(fields.get("person"), "person")
        if not (robots or groups or people):
            self.error(
                node.line, "notify 没有写发给谁：robot（机器人的名字）、group（群的 openConversationId）或 person"
            )
        forms = [form for form in _FORMS if form in fields]
        if len(forms) != 1:
            what = f"写了 {'、'.join(forms)}，只能有一种" if forms else "没有写要说什么"
            self.error(node.line, f"notify {what}：text（文字）、markdown、link（链接）或 card（卡片）")
            return None
        message = self._message(forms[0], fields)
        mobiles = self._templates(fields.get("at_mobiles"), "at_mobiles")
        userids = self._templates(fields.get("at_userids"), "at_userids")
        at_all = self.flag(fields.get("at_all"), "at_all")
        if (mobiles or userids or at_all) and not robots:
            self.warn(node.line, "只有群机器人（robot）发的消息能 @人，发给 group 和 person 的不会 @")
        if (mobiles or userids or at_all) and forms[0] == "link":
            self.warn(node.line, "link 消息不能 @人，请改用 markdown")
        if message is None:
            return None
        return replace(
            message,
            robots=robots,
            groups=groups,
            people=people,
            at_mobiles=mobiles,
            at_userids=userids,
            at_all=at_all,
        )

    def _message(self, form: str, fields: Fields) -> Notify | None:
        """Read the message of a notify, without its receivers."""
        node = fields[form]
        if form in ("text", "markdown"):
            body = self._template(node, form)
            if body is None and isinstance(node, Scalar) and not node.value.strip():
                self.error(node.line, f"“{form}”是空的，请写要说的话")
            title = self._template(fields.get("title"), "title")
            return Notify(form="text" if form == "text" else "markdown", title=title, body=body)
        if not isinstance(node, Mapping):
            self.error(node.line, f"“{form}”应写成 {{title: 标题, text: 正文, {_FORM_EXAMPLES[form]}}}")
            return None
        if form == "link":
            link = self.known_values(node, key_names.LINK, "link")
            title, body = self._template(link.get("title"), "title"), self._template(link.get("text"), "text")
            url, picture = self._url(link.get("url"), "url", node.line), self._template(link.get("picture"), "picture")
            if title is None:
                self.error(node.line, "link 没有标题（title）")
            return Notify(form="link", title=title, body=body, url=url, picture=picture)
        card = self.known_values(node, key_names.CARD, "card")
        title, body = self._template(card.get("title"), "title"), self._template(card.get("text"), "text")
        if title is None or body is None:
            self.error(node.line, "card 要有标题（title）和正文（text）")
        return Notify(form="card", title=title, body=body, buttons=self._buttons(card.get("buttons"), node.line))

    def _buttons(self, node: Node | None, line: int) -> tuple[Button, ...]:
        buttons: list[Button] = []
        items = node.items if isinstance(node, Sequence) else [] if node is None else [node]
        for item in items:
            fields = self.known_values(item, key_names.BUTTON, "按钮") if isinstance(item, Mapping) else {}
            title = self._template(fields.get("title"), "title")
            url = self._url(fields.get("url"), "url", item.line)
            if title is not None and url is not None:
                buttons.append(Button(title, url))
            elif title is None:
                self.error(item.line, "按钮应写成 {title: 按钮上的字, url: https://…}")
        if not 1 <= len(items) <= _MAX_BUTTONS:
            self.error(node.line if node else line, f"卡片要有 1 到 {_MAX_BUTTONS} 个按钮（buttons）")
        return tuple(buttons)

    def _url(self, node: Node | None, key: str, line: int) -> Template | None:
        url = self._template(node, key)
        if url is None or not url.parts[0].startswith(("http://", "https://", "dingtalk://")):
            self.error(node.line if node else line, f"“{key}”应是以 https:// 开头的网址")
            return None
        return url

    # -- other actions ------------------------------------------------------------------------

    def _contact(self, node: Mapping) -> AddContact:
        fields = self.known_values(node, FIELD_NAMES, "add_contact")
        departments = self._templates(fields.pop("departments", None), "departments")
        templates = {key: t for key, value in fields.items() if (t := self._template(value, key)) is not None}
        for key in ("name", "mobile"):
            if key not in templates:
                self.error(node.line, f'add_contact 没有 {key}，例如 {key}: "{{{key}}}"')
        if not departments:
            self.error(node.line, 'add_contact 没有部门，请写 departments: [1] 或 departments: ["{dept}"]')
        return AddContact(templates, departments)

    def _report(self, node: Mapping) -> AttendanceReport:
        fields = self.known_values(node, key_names.REPORT, "attendance_report")
        written_month = self.text(fields.get("month"), "month") or "last"
        month = _MONTHS.get(written_month.casefold(), written_month)
        if month not in ("last", "this") and not _MONTH.fullmatch(month):
            self.error(
                fields["month"].line,
                f"month 应是 last（上月）、this（本月）或 2026-01 这样，这里是“{written_month[:20]}”",
            )
        departments = tuple(self.texts(fields.get("departments"), "departments")) or ("1",)
        mention = self.text(fields.get("at"), "at")
        if mention not in ("", "supervisors", "主管"):
            self.error(fields["at"].line, f"at 只能是 supervisors（主管），这里是“{mention[:20]}”")
        return AttendanceReport(
            month,
            departments,
            robot=self.text(fields.get("robot"), "robot"),
            at_supervisors=bool(mention),
            hr=tuple(self.texts(fields.get("hr"), "groups")),
        )

    def _digest(self, node: Mapping) -> Digest:
        fields = self.known_values(node, key_names.DIGEST, "digest")
        digest = Digest(
            robots=tuple(self.texts(fields.get("robot"), "robot")),
            groups=tuple(self.texts(fields.get("group"), "groups")),
            people=tuple(self.texts(fields.get("person"), "people")),
        )
        if not (digest.robots or digest.groups or digest.people):
            self.error(node.line, "digest（周报）没有写发给谁：robot（机器人的名字）、group 或 person")
        return digest

    def _post(self, node: Mapping) -> HttpPost | None:
        fields = self.known_values(node, key_names.HTTP, "http")
        url = self._url(fields.get("url"), "url", node.line)
        if url is None:
            return None
        host = _host(url)
        if not {host, host.partition(":")[0]} & self.allowed_hosts:
            # A host that is filled in from a value counts as not allowed: it could be any.
            self.error(
                node.line, f"“{host or url.text[:40]}”不在 allow_http 里；请在文件里写 allow_http: [{host or '主机名'}]"
            )
        return HttpPost(url, self._body(fields.get("body")))

    def _body(self, node: Node | None) -> object:
        """Read a body into a tree of templates."""
        if isinstance(node, Mapping):
            return {key.value: self._body(value) for key, value in self.pairs(node)}
        if isinstance(node, Sequence):
            return [self._body(item) for item in node.items]
        return self._template(node, "body") if isinstance(node, Scalar) and node.value else None


_FORM_EXAMPLES = {"link": "url: https://…", "card": "buttons: [{title: 按钮, url: https://…}]"}


def _host(url: Template) -> str:
    """Return the host of a URL, with its port if it has one; empty unless it is written out in full."""
    if len(url.parts) > 1 and url.parts[0].count("/") < 3:
        return ""
    try:
        parts = urlsplit(url.parts[0])
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.hostname}{port}" if parts.scheme in ("http", "https") and parts.hostname else ""
