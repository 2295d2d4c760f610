"""Delivery channels: the app's robot to people and to groups, and custom group robots."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from faqbot.dingtalk.api.group_robots import GroupRobotSender, RobotKeys, robot_body
from faqbot.dingtalk.api.quota import Quota
from faqbot.dingtalk.api.robot import MAX_PEOPLE, Robot, notice_content
from faqbot.errors import DeliveryError
from faqbot.model.notices import Notice
from faqbot.outbox.merging import count_that_fit, merge
from faqbot.runtime.metrics import Metrics

_T = TypeVar("_T")

# DingTalk allows a custom robot 20 messages a minute, counted by its own clock; one more blocks it for ten minutes.
ROBOT_INTERVAL_SECONDS = 3.2
# While notices arrive faster than they are sent, fewer and longer messages disturb a group less.
_MERGED_INTERVAL_SECONDS = 6.4
# Up to this many notices are sent one by one, each in its own shape; more are merged into one message.
_MAX_UNMERGED = 3


@dataclass(frozen=True, slots=True)
class PersonChannel:
    """Single chats. Notices with the same text go to several people in one call, which the quota counts as one."""

    robot: Robot
    metrics: Metrics
    deduplicates: bool = False

    def min_interval(self, notices: Sequence[Notice]) -> float:
        return 0.0

    def batch(self, waiting: Sequence[Notice]) -> Sequence[Notice]:
        content = notice_content(waiting[0])
        # One notice for each person: somebody named twice in a call would get the message only once.
        by_person = {n.to.id: n for n in reversed(waiting) if notice_content(n) == content}
        return sorted(by_person.values(), key=waiting.index)[:MAX_PEOPLE]

    async def send(self, notices: Sequence[Notice], uuid: str) -> Mapping[str, DeliveryError]:
        people = [notice.to.id for notice in notices]
        failures = await _counted(self.metrics, "person", self.robot.post_to_people(people, notice_content(notices[0])))
        return {notice.key: failures[notice.to.id] for notice in notices if notice.to.id in failures}


@dataclass(frozen=True, slots=True)
class GroupChannel:
    """Group chats, as the app's robot."""

    robot: Robot
    metrics: Metrics
    deduplicates: bool = False

    def min_interval(self, notices: Sequence[Notice]) -> float:
        return 0.0

    def batch(self, waiting: Sequence[Notice]) -> Sequence[Notice]:
        return waiting[:1]

    async def send(self, notices: Sequence[Notice], uuid: str) -> Mapping[str, DeliveryError]:
        (notice,) = notices
        await _counted(self.metrics, "group", self.robot.post_to_group(notice.to.id, notice_content(notice)))
        return {}


@dataclass(frozen=True, slots=True)
class RobotChannel:
    """Group chats, by a custom robot.

    `keys` looks up a robot by name at each send, since its configuration may change while notices wait; it raises
    DeliveryError if the robot cannot be used.
    """

    robots: GroupRobotSender
    keys: Callable[[str], RobotKeys]
    metrics: Metrics
    quota: Quota
    deduplicates: bool = True

    def min_interval(self, notices: Sequence[Notice]) -> float:
        return ROBOT_INTERVAL_SECONDS if len(notices) == 1 else _MERGED_INTERVAL_SECONDS

    def batch(self, waiting: Sequence[Notice]) -> Sequence[Notice]:
        return waiting[:1] if len(waiting) <= _MAX_UNMERGED else waiting[: count_that_fit(waiting)]

    async def send(self, notices: Sequence[Notice], uuid: str) -> Mapping[str, DeliveryError]:
        keys = self.keys(notices[0].to.id)
        await _counted(self.metrics, "robot", self.robots.send(keys, robot_body(merge(notices)), uuid))
        self.quota.message()
        return {}


async def _counted(metrics: Metrics, channel: str, call: Awaitable[_T]) -> _T:
    """Await a call that sends, and count it by channel and DingTalk's code."""
    try:
        result = await call
    except DeliveryError as exc:
        metrics.sends.labels(channel, exc.code).inc()
        raise
    metrics.sends.labels(channel, "ok").inc()
    return result
