"""Looks up an asker's departments in the contacts, only if an entry is limited to departments."""

from __future__ import annotations

import time
from collections.abc import Callable

from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.errors import DeliveryError, NeedsAdmin, StoreError
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.model.messages import Message
from faqbot.runtime.log import EventLog

log = EventLog(__name__)

# The store caches the contacts for a day; this cache only saves reading the store.
_CACHE_SECONDS = 600.0
_MAX_CACHED = 5000
NO_DEPARTMENTS: frozenset[str] = frozenset()


class AskerDepartments:
    """Looks up departments. If that fails the asker has none, so entries limited to departments are hidden."""

    def __init__(
        self, knowledge: KnowledgeBase, contacts: ContactsCache, clock: Callable[[], float] = time.time
    ) -> None:
        self._knowledge = knowledge
        self._contacts = contacts
        self._clock = clock
        self._cached: dict[str, tuple[float, frozenset[str]]] = {}
        self._blocked_until = 0.0

    async def departments(self, message: Message) -> frozenset[str]:
        """Return the asker's departments and all their parents; none if no entry needs them or they are unknown."""
        if not self._knowledge.current.index.by_department or not message.staff_id:
            return NO_DEPARTMENTS
        now = self._clock()
        expires_at, departments = self._cached.get(message.staff_id, (0.0, NO_DEPARTMENTS))
        if now < expires_at or now < self._blocked_until:
            return departments
        try:
            departments = frozenset(map(str, await self._contacts.departments_of(message.staff_id)))
        except NeedsAdmin:
            # No lookup succeeds until an administrator grants the permission; asking for each message only takes time.
            self._blocked_until = now + _CACHE_SECONDS
            return departments
        except (DeliveryError, StoreError) as exc:
            log.warning("audience.unknown", code=exc.code if isinstance(exc, DeliveryError) else "store")
            return departments
        except (KeyError, TypeError, ValueError) as exc:
            # A response in an unknown shape must not prevent the answers that are for everybody.
            log.error("audience.odd_answer", cause=exc)
            return departments
        if len(self._cached) >= _MAX_CACHED:
            self._cached.clear()
        self._cached[message.staff_id] = (now + _CACHE_SECONDS, departments)
        return departments
