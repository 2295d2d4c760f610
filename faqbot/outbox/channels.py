"""The ways a notice goes out: to people and into groups as the app's robot, and by a custom group robot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from faqbot.dingtalk.api.group_robots import GroupRobots, RobotKeys, robot_body
from faqbot.dingtalk.api.quota import Quota
from faqbot.dingtalk.api.robot import MOST_PEOPLE, Robot, content_of
from faqbot.errors import DeliveryError
from faqbot.model.notices import Notice
from faqbot.outbox.merging import digest, fitting_in
from faqbot.runtime.metrics import Metrics

_T = TypeVar("_T")

# Twenty a minute are allowed, counted on a clock that is not ours; one more blocks the robot for ten minutes.
ROBOT_GAP = 3.2
# While more comes in than goes out, fewer and longer messages disturb a group less.
_BUSY_GAP = 6.4
# So few go out one after the other, each in its own shape; more are merged.
_FEW = 3


@dataclass(frozen=True, slots=True)
class PersonChannel:
    """Into single chats; what has the same text goes to several people in one call, which the quota counts as one."""

    robot: Robot
    metrics: Metrics
    remembers: bool = False

    def gap(self, notices: Sequence[Notice]) -> float:
        return 0.0

    def together(self, waiting: Sequence[Notice]) -> Sequence[Notice]:
        content = content_of(waiting[0])
        # The same person twice in one call would get it once.
        same = {n.to.id: n for n in reversed(waiting) if content_of(n) == content}
        return sorted(same.values(), key=waiting.index)[:MOST_PEOPLE]

    async def send(self, notices: Sequence[Notice], uuid: str) -> Mapping[str, DeliveryError]:
        first = notices[0]
        people = [notice.to.id for notice in notices]
        refused = await _counted(self.metrics, "person", self.robot.post_to_people(people, content_of(first)))
        return {notice.key: refused[notice.to.id] for notice in notices if notice.to.id in refused}


@dataclass(frozen=True, slots=True)
class GroupChannel:
    """Into a group as the app's robot."""

    robot: Robot
    metrics: Metrics
    remembers: bool = False

    def gap(self, notices: Sequence[Notice]) -> float:
        return 0.0

    def together(self, waiting: Sequence[Notice]) -> Sequence[Notice]:
        return waiting[:1]

    async def send(self, notices: Sequence[Notice], uuid: str) -> Mapping[str, DeliveryError]:
        (notice,) = notices
        await _counted(self.metrics, "group", self.robot.post_to_group(notice.to.id, content_of(notice)))
        return {}


@dataclass(frozen=True, slots=True)
class RobotChannel:
    """Into a group by a custom robot, whose keys are looked up by its name when it is used.

    `keys` raises DeliveryError where the robot cannot be used.
    """

    robots: GroupRobots
    keys: Callable[[str], RobotKeys]
    metrics: Metrics
    quota: Quota
    remembers: bool = True

    def gap(self, notices: Sequence[Notice]) -> float:
        return ROBOT_GAP if len(notices) == 1 else _BUSY_GAP

    def together(self, waiting: Sequence[Notice]) -> Sequence[Notice]:
        return waiting[:1] if len(waiting) <= _FEW else waiting[: fitting_in(waiting)]

    async def send(self, notices: Sequence[Notice], uuid: str) -> Mapping[str, DeliveryError]:
        keys = self.keys(notices[0].to.id)
        await _counted(self.metrics, "robot", self.robots.send(keys, robot_body(digest(notices)), uuid))
        self.quota.message()
        return {}


async def _counted(metrics: Metrics, way: str, call: Awaitable[_T]) -> _T:
    try:
        answer = await call
    except DeliveryError as exc:
        metrics.sends.labels(way, exc.code).inc()
        raise
    metrics.sends.labels(way, "ok").inc()
    return answer
