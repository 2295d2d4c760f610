"""Execute the actions of rules: post notices, add contacts, make reports, call webhooks of other systems.

After a crash an action may be done twice; the keys of what it sends keep the repeat from being seen.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from faqbot.automation.payloads import (
    PeopleLookup,
    Request,
    build_digest_notices,
    build_notices,
    build_request,
    contact_fields,
)
from faqbot.errors import DeliveryError
from faqbot.outbox.outbox import Outbox
from faqbot.rules.definitions import Action, AddContact, AttendanceReport, Automations, Digest, Notify
from faqbot.rules.values import Values

_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
# The header by which the receiver recognises a repeat.
REQUEST_ID_HEADER = "X-Faqbot-Id"


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The result in words, if there is something to say, and the keys of the notices that were posted."""

    why: str = ""
    notices: tuple[str, ...] = ()


class ActionFailed(DeliveryError):
    """The action failed and a repeat cannot help; the text is for the run log and for HR."""

    def __init__(self, message: str, *, code: str = "refused") -> None:
        super().__init__(message, code=code, permanent=True)


@dataclass(frozen=True, slots=True)
class Task:
    """One action of a run: `key` names the run, `number` is the position of the action in it, counted from 1.

    Its notices expire at `expires` (epoch seconds); 0 leaves them the default.
    """

    action: Action
    key: str
    number: int
    values: Values
    expires: float = 0.0

    @property
    def action_key(self) -> str:
        """The prefix of the keys of everything that this action sends."""
        return f"job:{self.key}:{self.number}"


AddPerson = Callable[[dict[str, object], str], Awaitable[ActionResult]]
MakeReport = Callable[[AttendanceReport, str], Awaitable[ActionResult]]


@dataclass(frozen=True, slots=True)
class ActionExecutor:
    """`people` looks up userIds by name, `automations` returns the rules that are live.

    `add_person` and `report` do their actions under a key; `digest` returns title and markdown of the weekly digest.
    """

    outbox: Outbox
    session: aiohttp.ClientSession
    people: PeopleLookup
    automations: Callable[[], Automations]
    add_person: AddPerson
    report: MakeReport
    digest: Callable[[], Awaitable[tuple[str, str]]]

    async def do(self, task: Task) -> ActionResult:
        """Do one action.

        Raises MissingValue or a permanent DeliveryError if a repeat cannot help, another DeliveryError if it may, and
        StoreError.
        """
        match task.action:
            case Notify() as action:
                notices = build_notices(action, task.action_key, task.values, self.people, task.expires)
                await self.outbox.post(*notices)
                return ActionResult(notices=tuple(notice.key for notice in notices))
            case AddContact() as action:
                return await self.add_person(contact_fields(action, task.values), task.action_key)
            case AttendanceReport() as action:
                return await self.report(action, task.action_key)
            case Digest() as action:
                title, body = await self.digest()
                notices = build_digest_notices(action, task.action_key, title, body, self.people, task.expires)
                await self.outbox.post(*notices)
                return ActionResult(notices=tuple(notice.key for notice in notices))
            case action:
                request = build_request(action, task.values, self.automations().allow_http)
                return ActionResult(await self._post(request, task.action_key))

    async def _post(self, request: Request, key: str) -> str:
        """Post JSON; return the answer in words. Raises as `do`."""
        body = json.dumps(request.body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", REQUEST_ID_HEADER: key.encode().hex()[-64:]}
        try:
            async with self.session.post(
                request.url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as response:
                status = response.status
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as exc:
            raise DeliveryError("连不上要通知的系统", code="connect") from exc
        except (TimeoutError, aiohttp.ClientError) as exc:
            raise ActionFailed("对方没有回应，不知道有没有收到，没有再发", code="unknown") from exc
        if status < 300:
            return f"对方回答 HTTP {status}"
        if status == 429 or status >= 500:
            raise DeliveryError(f"对方回答 HTTP {status}", code=str(status))
        why = "要求转到别的地址，没有照办" if status < 400 else "没有接受"
        raise ActionFailed(f"对方{why}（HTTP {status}）", code=str(status))
