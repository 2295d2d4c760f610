"""The command 我的年假: the asker's own balance of annual leave, in a single chat only."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection
from dataclasses import astuple

from faqbot.access.authorization import not_possible, only_alone
from faqbot.attendance.report_texts import format_amount
from faqbot.dingtalk.api import attendance
from faqbot.dingtalk.api.attendance import LeaveType
from faqbot.dingtalk.api.client import OpenApi
from faqbot.errors import DeliveryError, NeedsAdmin
from faqbot.model.commands import Command, CommandResult
from faqbot.model.messages import Message
from faqbot.store.protocol import NoteStore

# The names that companies give to annual leave, the likeliest first.
_ANNUAL_LEAVE_NAMES = ("年假", "年休假", "带薪年假", "法定年假", "年休")
_TYPE_KEY = "leave-type:annual"
_TYPE_SECONDS = 86400.0
# Each balance costs a call of the company's quota, so an answer is repeated for this long.
_BALANCE_SECONDS = 600.0
_ELSEWHERE = "您也可以在钉钉「考勤打卡 → 假期余额」里看。"


class LeaveCommand:
    """Asks in the name of the first of `admins` who administers attendance: DingTalk tells balances to nobody else."""

    def __init__(
        self, api: OpenApi, notes: NoteStore, admins: Collection[str], clock: Callable[[], float] = time.time
    ) -> None:
        self._api = api
        self._notes = notes
        self._admins = tuple(sorted(admins))
        self._clock = clock

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        if refused := only_alone(message, "我的年假"):
            return refused
        key = f"my-leave:{message.staff_id}"
        body = await self._notes.note(key)
        if body is None:
            try:
                body = await self._look_up(message.staff_id)
            except NeedsAdmin:
                return not_possible("查年假", f"机器人还没有看假期余额的权限，请联系 HR。{_ELSEWHERE}")
            except DeliveryError as exc:
                return not_possible("查年假", f"{exc}。{_ELSEWHERE}")
            await self._notes.put_note(key, body, _BALANCE_SECONDS)
        return CommandResult("我的年假", body)

    async def _look_up(self, userid: str) -> str:
        operator, annual = await self._annual()
        balance = await attendance.balance(self._api, operator, annual, userid, self._clock())
        if balance is None:
            return f"钉钉里没有您的{annual.name}余额，可能还没有发放，请问 HR。"
        return (
            f"您的{annual.name}：共 {format_amount(balance.granted)} {annual.unit}，"
            f"已用 {format_amount(balance.used)} {annual.unit}，"
            f"还剩 **{format_amount(balance.left)} {annual.unit}**。以钉钉「假期余额」为准。"
        )

    async def _annual(self) -> tuple[str, LeaveType]:
        """Return the userId of an administrator who may ask, and the annual leave. Raises DeliveryError, NeedsAdmin."""
        stored = await self._notes.note(_TYPE_KEY)
        if stored is not None:
            operator, *values = json.loads(stored)
            return operator, LeaveType(*values)
        refusal: DeliveryError | None = None
        for operator in self._admins:
            try:
                types = await attendance.leave_types(self._api, operator)
            except NeedsAdmin:
                raise
            except DeliveryError as exc:
                if not exc.permanent:
                    raise
                refusal = exc
                continue
            for name in _ANNUAL_LEAVE_NAMES:
                if annual := next((t for t in types if t.name == name), None):
                    await self._notes.put_note(_TYPE_KEY, json.dumps([operator, *astuple(annual)]), _TYPE_SECONDS)
                    return operator, annual
            raise DeliveryError("钉钉的假期类型里没有年假", code="no_annual_leave", permanent=True)
        raise NeedsAdmin("FAQBOT_ADMINS 里没有考勤管理员，查不了假期余额", code="no_operator") from refusal
