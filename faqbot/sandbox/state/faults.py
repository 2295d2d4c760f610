"""Fault injection: the faults that tests or the chat page switch on in the fake DingTalk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

WEBHOOK_FAULTS = (
    "none", "500", "http_403", "html", "redirect", "busy", "throttled", "throttled2", "expired", "refused",
    "unsafe_link", "too_long", "reset", "hang", "late",
)  # fmt: skip
API_FAULTS = (
    "none", "qps", "api_qps", "quota", "permission", "ip", "auth", "busy", "500", "unknown", "gateway_timeout", "html",
    "punish", "undelivered", "unsafe", "disbanded", "reset", "hang",
)  # fmt: skip
# How the content of a quoted message comes: as an object, as JSON in a string, without text as that of cards, or not at
# all.
QuoteShape = Literal["object", "string", "no_text", "nothing"]
# A call that hangs gets no answer for this long.
HANG_SECONDS = 30.0

_CHOICES = {"webhook_fault": WEBHOOK_FAULTS, "api_fault": API_FAULTS, "quote_shape": get_args(QuoteShape)}
_RANGES: dict[str, tuple[float, float]] = {
    "deliver_times": (1, 20),
    "webhook_delay": (0, 60),
    "webhook_per_minute": (0, 100_000),
    "throttle_window": (0.01, 3600),
    "api_delay": (0, 60),
    "ping_seconds": (0.01, 3600),
    "disconnect_close_after": (0, 600),
}


@dataclass(slots=True)
class Faults:
    """Times are seconds. `…_fail_next` is how many of the next calls fail; -1 means all.

    `redeliver_after`: below 0 means never.
    `deliver_to_all`: each push goes to every connection instead of to one.
    `api_unknown_delivers`: a server-side send that ends in 500, unknown, gateway_timeout or reset is delivered anyway.
    `mute_pings`: no ping is sent or answered.
    """

    deliver_times: int = 1
    deliver_to_all: bool = False
    redeliver_after: float = 60.0
    ping_seconds: float = 25.0
    mute_pings: bool = False
    disconnect_close_after: float = 10.0
    webhook_delay: float = 0.0
    webhook_fail_next: int = 0
    webhook_fault: str = "none"
    webhook_lifetime: float = 5400.0
    webhook_per_minute: int = 0
    throttle_window: float = 60.0
    api_delay: float = 0.0
    api_fail_next: int = 0
    api_fault: str = "none"
    api_unknown_delivers: bool = False
    token_lifetime: float = 7200.0
    open_status: int = 200
    open_delay: float = 0.0
    tap_carries_at: bool = False
    quote_shape: QuoteShape = "object"

    def take_webhook_fault(self) -> str:
        """Return the fault for the present webhook call, or `none`, and count it."""
        if not self.webhook_fail_next or self.webhook_fault == "none":
            return "none"
        self.webhook_fail_next = _count_down(self.webhook_fail_next)
        return self.webhook_fault

    def take_api_fault(self) -> str:
        """Return the fault for the present server-side call, or `none`, and count it."""
        if not self.api_fail_next or self.api_fault == "none":
            return "none"
        self.api_fail_next = _count_down(self.api_fail_next)
        return self.api_fault

    def update(self, values: Mapping[str, Any]) -> None:
        """Set switches from JSON. Raises ValueError with words for the page before anything is changed."""
        kinds = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        checked = {name: _checked(name, kinds.get(name), value) for name, value in values.items()}
        for name, value in checked.items():
            setattr(self, name, value)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _count_down(remaining: int) -> int:
    return remaining - 1 if remaining > 0 else remaining


def _checked(name: str, kind: type | None, value: Any) -> Any:
    """Return the value in the type of the switch. Raises ValueError."""
    if kind is None:
        raise ValueError(f"没有“{name}”这个开关")
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise ValueError(f"“{name}”的值不对：{value!r}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ValueError(f"没有“{value}”这种出错方式")
    _check_range(name, value)
    return value


def _check_range(name: str, value: Any) -> None:
    if name in _RANGES:
        low, high = _RANGES[name]
        if not low <= value <= high:
            raise ValueError(f"“{name}”应在 {low} 到 {high} 之间")
