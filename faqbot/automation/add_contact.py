"""The `add_contact` of a rule: a new colleague into the contacts, and HR told where that did not work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from faqbot.automation.executor import ActionFailed, ActionResult, Outbox
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.dingtalk.api.onboarding import add_contact
from faqbot.model.notice_keys import part_key
from faqbot.model.notices import Address, Notice


@dataclass(frozen=True, slots=True)
class AddContactAction:
    """`hr` are the userIds of those who can mend what DingTalk refuses."""

    directory: ContactsCache
    outbox: Outbox
    timezone: tzinfo
    hr: tuple[str, ...]

    async def add(self, fields: Mapping[str, object], name: str) -> ActionResult:
        """Add the colleague; nobody is created twice. Raises DeliveryError, ActionFailed, StoreError."""
        outcome = await add_contact(self.directory, fields, self.timezone)
        if outcome.result in ("created", "updated", "present"):
            return ActionResult(outcome.line)
        # Plain text: names and fields are another system's.
        told = [
            Notice(
                part_key(name, "hr", userid),
                Address("person", userid),
                "有一位新同事需要处理",
                outcome.line,
                shape="text",
            )
            for userid in self.hr
        ]
        await self.outbox.post(*told)
        if outcome.result == "invited":
            return ActionResult(outcome.line, tuple(notice.key for notice in told))
        raise ActionFailed(outcome.line, code=outcome.code or "refused")
