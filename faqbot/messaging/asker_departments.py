"""Which departments an asker belongs to, asked of the contacts only where an entry depends on it."""

from __future__ import annotations

import time
from collections.abc import Callable

from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.errors import DeliveryError, NeedsAdmin, StoreError
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.model.messages import Message
from faqbot.runtime.log import EventLog

log = EventLog(__name__)

# The contacts themselves are remembered for a day; this only spares the way to the store.
_KEEP_SECONDS = 600.0
_REMEMBERED = 5000
NOBODY: frozenset[str] = frozenset()


class AskerDepartments:
    """Who cannot be looked up is in no department: what is for some departments is then as if it did not exist."""

    def __init__(
        self, library: KnowledgeBase, directory: ContactsCache, clock: Callable[[], float] = time.time
    ) -> None:
        self._library = library
        self._directory = directory
        self._clock = clock
        self._known: dict[str, tuple[float, frozenset[str]]] = {}
        self._closed_until = 0.0

    async def departments(self, message: Message) -> frozenset[str]:
        """The asker's departments with all that they belong to; none where nothing depends on it or it is not known."""
        if not self._library.current.index.by_department or not message.staff_id:
            return NOBODY
        now = self._clock()
        until, found = self._known.get(message.staff_id, (0.0, NOBODY))
        if now < until or now < self._closed_until:
            return found
        try:
            found = frozenset(map(str, await self._directory.departments_of(message.staff_id)))
        except NeedsAdmin:
            # Nobody can be looked up until somebody mends it: asking for each message would only take time.
            self._closed_until = now + _KEEP_SECONDS
            return found
        except (DeliveryError, StoreError) as exc:
            log.warning("audience.unknown", code=exc.code if isinstance(exc, DeliveryError) else "store")
            return found
        except (KeyError, TypeError, ValueError) as exc:
            # An answer in another shape must not take the answers away that are for everybody.
            log.error("audience.odd_answer", cause=exc)
            return found
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[message.staff_id] = (now + _KEEP_SECONDS, found)
        return found
