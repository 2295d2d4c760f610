"""Builds the clients of DingTalk's APIs and the stream connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import aiohttp

from faqbot.dingtalk.api.client import OpenApi
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.dingtalk.api.group_robots import GroupRobotSender
from faqbot.dingtalk.api.quota import Quota
from faqbot.dingtalk.api.robot import Robot
from faqbot.dingtalk.api.session_webhook import SessionWebhook
from faqbot.dingtalk.api.tokens import AccessTokens
from faqbot.dingtalk.stream.connection import StreamConnection
from faqbot.dingtalk.stream.frames import Receive, ReceiveEvent
from faqbot.runtime.metrics import Metrics
from faqbot.runtime.resources import Resources
from faqbot.settings import Settings
from faqbot.store.protocol import ClaimStore, NoteStore, SlotStore


@dataclass(frozen=True, slots=True)
class DingTalkClients:
    """One client for each family of calls; `quota` counts what they use."""

    api: OpenApi
    contacts: ContactsCache
    robot: Robot
    group_robots: GroupRobotSender
    webhook: SessionWebhook
    quota: Quota


def open_dingtalk(resources: Resources) -> DingTalkClients:
    settings, session, store = resources.settings, resources.session, resources.store
    quota = Quota(
        store,
        resources.metrics,
        calls=settings.quota_calls,
        messages=settings.quota_messages,
        today=resources.today,
    )
    api = open_api(settings, session, store, resources.metrics, quota)
    return DingTalkClients(
        api=api,
        contacts=ContactsCache(api, store),
        robot=Robot(api, settings.robot_code),
        group_robots=GroupRobotSender(session, settings.oapi_endpoint, clock=resources.clock),
        webhook=SessionWebhook(session, (settings.openapi_endpoint, settings.oapi_endpoint)),
        quota=quota,
    )


class ApiStore(ClaimStore, NoteStore, SlotStore, Protocol):
    """The roles of the store through which replicas share a token and a rate limit."""


@dataclass(frozen=True, slots=True)
class _CallCounter:
    """Counts calls in the metrics and in the monthly quota."""

    metrics: Metrics
    quota: Quota | None

    def called(self, path: str, code: str) -> None:
        self.metrics.api_calls.labels(path, code).inc()
        if self.quota is not None:
            self.quota.call(path, code)

    def refreshed(self, result: str) -> None:
        self.metrics.tokens.labels(result).inc()


def open_api(
    settings: Settings, session: aiohttp.ClientSession, store: ApiStore, metrics: Metrics, quota: Quota | None = None
) -> OpenApi:
    """Build the client of DingTalk's server API; without `quota` its calls are not counted there."""
    counter = _CallCounter(metrics, quota)
    openapi, oapi = settings.openapi_endpoint, settings.oapi_endpoint
    tokens = AccessTokens(
        session, openapi, settings.client_id, settings.client_secret, store, refreshed=counter.refreshed
    )
    return OpenApi(session, openapi, oapi, tokens, store, qps=settings.qps, called=counter.called)


def open_stream(
    resources: Resources, receive: Receive, *, wants_events: Callable[[], bool], receive_event: ReceiveEvent
) -> StreamConnection:
    """Build the connection that passes bot messages to `receive` and, while wanted, events to `receive_event`.

    Nothing is connected before its run().
    """
    settings = resources.settings
    return StreamConnection(
        resources.session,
        settings.openapi_endpoint,
        settings.client_id,
        settings.client_secret,
        receive,
        resources.metrics,
        proxied=not settings.local,
        wants_events=wants_events,
        receive_event=receive_event,
    )
