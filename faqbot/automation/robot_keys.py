"""Look up the keys of a group robot that automations.yaml names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from faqbot.dingtalk.api.group_robots import RobotKeys
from faqbot.errors import DeliveryError
from faqbot.rules.definitions import Automations


@dataclass(frozen=True, slots=True)
class RobotKeyLookup:
    """`automations` returns the live rules; `variable` reads an environment variable."""

    automations: Callable[[], Automations]
    variable: Callable[[str], str]

    def find(self, name: str) -> RobotKeys:
        """Read the keys of the robot of this name now. Raises DeliveryError.

        Both may be corrected while a notice waits: the name in the file, the variable in the environment.
        """
        robots = self.automations().robots
        if name not in robots:
            known = f"，有的是：{'、'.join(robots)}" if robots else "，一个机器人也没有写"
            raise DeliveryError(f"automations.yaml 里没有叫“{name}”的机器人{known}", code="no_robot")
        robot = robots[name]
        if why_not := robot.blocked_reason(self.variable):
            raise DeliveryError(why_not, code="no_keys")
        return RobotKeys.read(robot.token.resolve(self.variable), robot.secret.resolve(self.variable))
