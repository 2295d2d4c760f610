"""Doing what a rule says: notices into the outbox, people into the contacts, reports, JSON to a company address.

Each action may be done twice after a kill; the keys of what it sends keep the repeat from showing.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import aiohttp

from faqbot.automation.payloads import People, Request, contact_of, digest_notices, notices_of, request_of
from faqbot.errors import DeliveryError
from faqbot.model.notices import Notice
from faqbot.rules.definitions import Action, AddContact, AttendanceReport, Automations, Digest, Notify
from faqbot.rules.values import Values

_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
# The receiver knows a repeat by it.
REQUEST_ID = "X-Faqbot-Id"


class Outbox(Protocol):
    async def post(self, *notices: Notice) -> None: ...


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What an action did, in words where there is something to say, and the keys of the notices it posted."""

    why: str = ""
    notices: tuple[str, ...] = ()


class ActionFailed(DeliveryError):
    """The action did not do what it should, and a repeat cannot help; the text is for the record and for HR."""

    def __init__(self, message: str, *, code: str = "refused") -> None:
        super().__init__(message, code=code, permanent=True)


@dataclass(frozen=True, slots=True)
class Task:
    """One action at one time: `key` names the run, `number` the place of the action in it; `until` bounds notices."""

    action: Action
    key: str
    number: int
    values: Values
    until: float = 0.0

    @property
    def name(self) -> str:
        """What everything that this action sends is named by."""
        return f"job:{self.key}:{self.number}"


AddPerson = Callable[[dict[str, object], str], Awaitable[ActionResult]]
Report = Callable[[AttendanceReport, str], Awaitable[ActionResult]]


@dataclass(frozen=True, slots=True)
class ActionExecutor:
    """What the actions work with; `add_person` and `report` get the name of the run's action too.

    `digest` gives title and markdown of the week's questions.
    """

    outbox: Outbox
    session: aiohttp.ClientSession
    people: People
    automations: Callable[[], Automations]
    add_person: AddPerson
    report: Report
    digest: Callable[[], Awaitable[tuple[str, str]]]

    async def do(self, task: Task) -> ActionResult:
        """Do one action. Raises MissingValue and permanent DeliveryErrors for good, others for now; StoreError."""
        match task.action:
            case Notify() as action:
                notices = notices_of(action, task.name, task.values, self.people, task.until)
                await self.outbox.post(*notices)
                return ActionResult(notices=tuple(notice.key for notice in notices))
            case AddContact() as action:
                return await self.add_person(contact_of(action, task.values), task.name)
            case AttendanceReport() as action:
                return await self.report(action, task.name)
            case Digest() as action:
                title, body = await self.digest()
                notices = digest_notices(action, task.name, title, body, self.people, task.until)
                await self.outbox.post(*notices)
                return ActionResult(notices=tuple(notice.key for notice in notices))
            case action:
                request = request_of(action, task.values, self.automations().allow_http)
                return ActionResult(await self._post(request, task.name))

    async def _post(self, request: Request, name: str) -> str:
        body = json.dumps(request.body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", REQUEST_ID: name.encode().hex()[-64:]}
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
