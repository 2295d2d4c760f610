"""Builds the monthly attendance report over the contacts, the store and the outbox."""

from __future__ import annotations

from faqbot.attendance.collector import Collector
from faqbot.attendance.report import AttendanceReports
from faqbot.dingtalk.wiring import DingTalkClients
from faqbot.outbox.outbox import Outbox
from faqbot.runtime.resources import Resources


def open_reports(resources: Resources, dingtalk: DingTalkClients, outbox: Outbox) -> AttendanceReports:
    settings, store, clock = resources.settings, resources.store, resources.clock
    collector = Collector(dingtalk.contacts, store, dingtalk.quota, settings.timezone, clock=clock)
    return AttendanceReports(
        dingtalk.contacts,
        collector,
        store,
        outbox,
        timezone=settings.timezone,
        admins=settings.admins,
        clock=clock,
    )
