"""Structured logging: lines with an event name and fields, as text or JSON, with secrets masked."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Literal, TextIO

# The values of these query parameters and JSON keys are credentials. A session webhook is a URL with `session=`.
_SECRET_VALUES = re.compile(
    r"""(?ix)
    ( (?:session|access_token|ticket|sign|appsecret|client_?secret|access-?token|appSecret|token)
      ["']?\s*[=:]\s*["']? )
    ( [^\s"'&,;<>]{4,} )
    """
)
_NEEDS_QUOTES = re.compile(r'[\s"=]')
_SECRET_WORDS = ("session", "token", "ticket", "sign", "secret")
MASK = "***"
# At DEBUG these loggers print parameters and tickets, so they stay at INFO or above.
_NO_DEBUG = ("websockets", "websockets.client", "aiohttp", "urllib3", "asyncio", "dingtalk_stream")


# The id of the message that is being handled; every line that is logged meanwhile carries it.
_message_id: ContextVar[str] = ContextVar("message_id", default="")


@contextmanager
def about_message(message_id: str) -> Iterator[None]:
    """Add the id of a message to every line that is logged inside."""
    token = _message_id.set(message_id)
    try:
        yield
    finally:
        _message_id.reset(token)


class EventLog:
    """A logger whose calls name an event and give it fields: `log.info("reply.sent", ms=3)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, **fields: Any) -> None:
        self._log(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Any) -> None:
        self._log(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._log(logging.WARNING, event, fields)

    def error(self, event: str, *, cause: BaseException | None = None, **fields: Any) -> None:
        """Log a failure; with `cause` its traceback too."""
        self._log(logging.ERROR, event, fields, cause)

    def critical(self, event: str, **fields: Any) -> None:
        """Log what a person must act on now."""
        self._log(logging.CRITICAL, event, fields)

    def _log(self, level: int, event: str, fields: dict[str, Any], cause: BaseException | None = None) -> None:
        if self._logger.isEnabledFor(level):
            if (message_id := _message_id.get()) and "id" not in fields:
                fields = {"id": message_id, **fields}
            self._logger.log(level, event, exc_info=cause, extra={"fields": fields})


class Masker:
    """Replaces known secret values, and the values of everything that looks like a credential parameter."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({s for s in secrets if len(s) >= 4}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(MASK, text)
        # Most lines contain none of these words, and looking for them is much faster than matching the pattern.
        lowered = text.lower()
        if not any(word in lowered for word in _SECRET_WORDS):
            return text
        return _SECRET_VALUES.sub(rf"\1{MASK}", text)


@lru_cache(maxsize=4)
def _format_second(created: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(created))


class _Formatter(logging.Formatter):
    def __init__(self, masker: Masker, *, as_json: bool) -> None:
        super().__init__()
        self._mask = masker
        self._json = as_json

    def format(self, record: logging.LogRecord) -> str:
        values: dict[str, Any] = getattr(record, "fields", {})
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        time_text = f"{_format_second(int(record.created))}.{int(record.msecs):03d}"
        if self._json:
            line: dict[str, Any] = {"time": time_text, "level": record.levelname, "logger": record.name}
            line["event"] = record.getMessage()
            line |= {key: _plain(value) for key, value in values.items()}
            if trace:
                line["traceback"] = trace
            return json.dumps({key: self._masked(value) for key, value in line.items()}, ensure_ascii=False)
        fields = " ".join(f"{key}={_quoted(value)}" for key, value in values.items())
        text = f"{time_text} {record.levelname:<7} {record.getMessage()}{' ' + fields if fields else ''}"
        return self._mask(f"{text}\n{trace}" if trace else text)

    def _masked(self, value: Any) -> Any:
        return self._mask(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _quoted(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or _NEEDS_QUOTES.search(text) else text


def setup_logging(
    level: str, style: Literal["text", "json"], secrets: Iterable[str], stream: TextIO | None = None
) -> None:
    """Send every log line of the process through one handler that masks `secrets`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Formatter(Masker(secrets), as_json=style == "json"))
    # No line shows these, and looking them up takes longer than writing the line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _NO_DEBUG:
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger().level))
