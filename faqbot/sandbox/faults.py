"""What goes wrong on demand: the knobs of the stand-in, set from Python or from the chat page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

WEBHOOK_FAULTS = ("none", "500", "html", "busy", "throttled", "expired", "refused", "reset", "hang")


@dataclass(slots=True)
class Faults:
    """Times are seconds. `webhook_fail_next` counts down; -1 means every call from now on."""

    deliver_times: int = 1
    redeliver_after: float = 60.0
    webhook_delay: float = 0.0
    webhook_fail_next: int = 0
    webhook_fault: str = "none"
    webhook_lifetime: float = 5400.0
    open_status: int = 200
    open_delay: float = 0.0
    tap_carries_at: bool = False

    def take_webhook_fault(self) -> str:
        """The fault for the call that just came, or `none`."""
        if self.webhook_fail_next == 0 or self.webhook_fault == "none":
            return "none"
        if self.webhook_fail_next > 0:
            self.webhook_fail_next -= 1
        return self.webhook_fault

    def update(self, values: Mapping[str, Any]) -> None:
        """Set some knobs from JSON. Raises ValueError, in words for the page, before anything is changed."""
        kinds = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        checked: dict[str, Any] = {}
        for name, value in values.items():
            kind = kinds.get(name)
            if kind is None:
                raise ValueError(f"没有“{name}”这个开关")
            if kind is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if type(value) is not kind:
                raise ValueError(f"“{name}”的值不对：{value!r}")
            checked[name] = value
        if checked.get("webhook_fault", "none") not in WEBHOOK_FAULTS:
            raise ValueError(f"没有“{checked['webhook_fault']}”这种出错方式")
        if not 1 <= checked.get("deliver_times", 1) <= 20 or not 0 <= checked.get("webhook_delay", 0.0) <= 60:
            raise ValueError("次数应在 1 到 20 之间，延迟应在 0 到 60 秒之间")
        for name, value in checked.items():
            setattr(self, name, value)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
