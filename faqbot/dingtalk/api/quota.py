"""Count API calls against the company's monthly quota and warn when it runs low; replies are never blocked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from faqbot.dingtalk.wire.error_codes import is_free
from faqbot.errors import StoreError
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics
from faqbot.store.protocol import ClaimStore, CounterStore

log = EventLog(__name__)

CALLS, MESSAGES = "calls", "messages"
_NAMES = {CALLS: "接口调用", MESSAGES: "Webhook 与 Stream"}
# Warns once a month, when this share is used.
_WARN_SHARE = 0.8
_REMEMBER_WARNING_SECONDS = 32 * 86400.0
# These calls are free of charge (platform notes, monthly quota).
_FREE_PATHS = (
    "/topapi/v2/user/", "/topapi/user/", "/topapi/v2/department/", "/v1.0/contact/", "/auth/", "/v1.0/oauth2/",
    "/gettoken",
)  # fmt: skip


class QuotaStore(ClaimStore, CounterStore, Protocol):
    """The roles of the store that hold counts, and claims to warn."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The calls of one kind of quota that were made this month, and the limit of the month."""

    used: int
    limit: int

    @property
    def share(self) -> float:
        return self.used / self.limit if self.limit else 0.0


class Quota:
    """Counts in memory and stores the counts every few seconds, so that counting does not delay a message.

    DingTalk does not document whether a question with its answer counts as one message or two; this counts two.
    """

    def __init__(
        self, store: QuotaStore, metrics: Metrics, *, calls: int, messages: int, today: Callable[[], date]
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._limits = {CALLS: calls, MESSAGES: messages}
        self._today = today
        self._messages = 0
        self._unsaved: Counter[str] = Counter()
        for kind, limit in self._limits.items():
            metrics.quota_limit.labels(kind).set(limit)

    def message(self, times: int = 1) -> None:
        """Count a bot message that was received or sent."""
        self._messages += times

    def call(self, path: str, code: str) -> None:
        """Count a call that DingTalk answered, unless it is free: refused for its rate, or for contacts or tokens."""
        if is_free(code) or f"/{path.lstrip('/')}".startswith(_FREE_PATHS):
            return
        self._unsaved[f"{self._today():%Y-%m}|{CALLS}"] += 1

    async def flush(self) -> None:
        """Store the counts; keep them for the next time if that fails. Raises StoreError."""
        if self._messages:
            self._unsaved[f"{self._today():%Y-%m}|{MESSAGES}"] += self._messages
            self._messages = 0
        amounts, self._unsaved = self._unsaved, Counter()
        if not amounts:
            return
        try:
            await self._store.count(amounts)
        except StoreError:
            self._unsaved.update(amounts)
            raise

    async def usage(self) -> Mapping[str, Usage]:
        """Return this month's usage by all replicas, by kind. Raises StoreError."""
        prefix = f"{self._today():%Y-%m}|"
        used = await self._store.counts(prefix)
        return {kind: Usage(used.get(f"{prefix}{kind}", 0), limit) for kind, limit in self._limits.items()}

    async def watch(self) -> None:
        """Store the counts, update the metrics, and warn once a month. Raises StoreError."""
        await self.flush()
        for kind, usage in (await self.usage()).items():
            self._metrics.quota_used.labels(kind).set(usage.used)
            if not usage.limit or usage.share < _WARN_SHARE:
                continue
            # Only one replica warns.
            if await self._store.claim(f"quota-warning:{self._today():%Y-%m}:{kind}", _REMEMBER_WARNING_SECONDS):
                log.critical(
                    "quota.nearly_used_up",
                    kind=kind,
                    used=usage.used,
                    limit=usage.limit,
                    what=f"本月{_NAMES[kind]}额度已用 {usage.share:.0%}：请到 开发者后台 > 资源管理 核对，"
                    "额度不同时用 FAQBOT_QUOTA_CALLS、FAQBOT_QUOTA_MESSAGES 设置",
                )
