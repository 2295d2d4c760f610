"""The action `add_contact`: add a new colleague to the contacts, and tell HR if that did not work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from faqbot.automation.executor import ActionFailed, ActionResult
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.dingtalk.api.onboarding import add_contact
from faqbot.model.notice_keys import part_key
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox


@dataclass(frozen=True, slots=True)
class AddContactAction:
    """`hr` are the userIds of the people who can correct what DingTalk refuses."""

    contacts: ContactsCache
    outbox: Outbox
    timezone: tzinfo
    hr: tuple[str, ...]

    async def add(self, fields: Mapping[str, object], key: str) -> ActionResult:
        """Add the colleague; a repeat creates nobody twice. Notices to HR get keys under `key`.

        Raises DeliveryError, ActionFailed, StoreError.
        """
        outcome = await add_contact(self.contacts, fields, self.timezone)
        if outcome.result in ("created", "updated", "present"):
            return ActionResult(outcome.line)
        # Plain text, since names and fields come from another system.
        notices = [
            Notice(
                part_key(key, "hr", userid),
                Address("person", userid),
                "有一位新同事需要处理",
                outcome.line,
                shape="text",
            )
            for userid in self.hr
        ]
        await self.outbox.post(*notices)
        if outcome.result == "invited":
            return ActionResult(outcome.line, tuple(notice.key for notice in notices))
        raise ActionFailed(outcome.line, code=outcome.code or "refused")
