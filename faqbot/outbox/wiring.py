"""Builds the outbox with its three channels: people, groups, custom group robots."""

from __future__ import annotations

from collections.abc import Callable

from faqbot.dingtalk.api.group_robots import RobotKeys
from faqbot.dingtalk.wiring import DingTalkClients
from faqbot.model.notices import Address
from faqbot.outbox.channels import GroupChannel, PersonChannel, RobotChannel
from faqbot.outbox.lane_sender import Channel
from faqbot.outbox.outbox import Outbox
from faqbot.runtime.resources import Resources


def open_outbox(
    resources: Resources,
    dingtalk: DingTalkClients,
    *,
    robot_keys: Callable[[str], RobotKeys],
    postpone: Callable[[Address, float], float],
) -> Outbox:
    """Build the outbox; nothing is sent before its run().

    `robot_keys` finds the keys of a group robot by its name, or raises DeliveryError. `postpone` returns the earliest
    time (epoch seconds) at which a notice that is due then may go to an address.
    """
    metrics = resources.metrics
    channels: dict[str, Channel] = {
        "person": PersonChannel(dingtalk.robot, metrics),
        "group": GroupChannel(dingtalk.robot, metrics),
        "robot": RobotChannel(dingtalk.group_robots, robot_keys, metrics, dingtalk.quota),
    }
    return Outbox(resources.store, channels, earliest=postpone, clock=resources.clock)
