"""Reads the settings from environment variables; all problems are reported together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from faqbot.errors import SettingsError

SECRET_NAMES = (
    "DINGTALK_CLIENT_ID",
    "DINGTALK_CLIENT_SECRET",
    "FAQBOT_CONSOLE_PASSWORD",
    "FAQBOT_HOOK_SECRET",
    "FAQBOT_EMBEDDINGS_KEY",
)
# Name, default as people read it, and meaning. The README has the same table; a test compares the two.
TABLE: tuple[tuple[str, str, str], ...] = (
    ("DINGTALK_CLIENT_ID", "", "应用的 Client ID（AppKey）；`run` 必填"),
    ("DINGTALK_CLIENT_SECRET", "", "应用的 Client Secret（AppSecret）；`run` 必填"),
    ("DINGTALK_ROBOT_CODE", "同 Client ID", "机器人编码，主动发消息时用"),
    ("DINGTALK_OPENAPI_ENDPOINT", "https://api.dingtalk.com", "新版接口和 Stream 网关"),
    ("DINGTALK_OAPI_ENDPOINT", "https://oapi.dingtalk.com", "旧版接口和群机器人"),
    ("FAQBOT_KNOWLEDGE", "knowledge", "知识目录，里面有 `faq/*.yaml`"),
    (
        "FAQBOT_STORE",
        "sqlite:///faqbot.db",
        "`sqlite:///相对路径`、`sqlite:////绝对路径`；多副本用 `redis://…`",
    ),
    ("FAQBOT_HOST", "127.0.0.1", "控制台、回调和健康检查监听的地址"),
    ("FAQBOT_PORT", "8080", "端口；没有时看 `PORT`；0 为任意空闲端口"),
    ("FAQBOT_CONSOLE_PASSWORD", "", "控制台密码；没有密码时控制台只给本机用"),
    ("FAQBOT_HOOK_SECRET", "", "外部事件的签名密钥；没有时不接收事件"),
    ("FAQBOT_ADMINS", "", "可以在聊天里下指令的 userId，逗号分隔"),
    ("FAQBOT_STRICTNESS", "balanced", "把握多大才直接回答：`strict` 严格、`balanced` 均衡、`lenient` 宽松"),
    ("FAQBOT_MEANING", "auto", "`auto` 装了 `meaning` 就用内置编码器比较含义，`off` 不用；设了向量接口时用接口"),
    ("FAQBOT_GROUP_TAPS", "no", "`yes`：群里的列表可以点；先用 `doctor` 说的办法试一下，点了真能送到才打开"),
    ("FAQBOT_EMBEDDINGS_URL", "", "可选：OpenAI 兼容的向量接口"),
    ("FAQBOT_EMBEDDINGS_MODEL", "", "向量模型名"),
    ("FAQBOT_EMBEDDINGS_KEY", "", "向量接口的密钥"),
    ("FAQBOT_KEEP_DAYS", "180", "问题原文保留天数"),
    ("FAQBOT_QUOTA_CALLS", "5000", "公司每月的接口调用额度"),
    ("FAQBOT_QUOTA_MESSAGES", "3000", "公司每月的 Webhook 与 Stream 额度"),
    ("FAQBOT_QPS", "20", "每个钉钉接口每秒最多调用几次（标准版 20）"),
    ("FAQBOT_TIMEZONE", "Asia/Shanghai", "定时任务、有效期和报表的时区"),
    ("FAQBOT_LOG_FORMAT", "text", "`text` 或 `json`"),
    ("FAQBOT_LOG_LEVEL", "INFO", "`DEBUG`、`INFO`、`WARNING`、`ERROR`"),
)
Strictness = Literal["strict", "balanced", "lenient"]
_STRICTNESS: dict[str, Strictness] = {
    "strict": "strict", "balanced": "balanced", "lenient": "lenient",
    "严格": "strict", "均衡": "balanced", "宽松": "lenient",
}  # fmt: skip
_MEANINGS: dict[str, Literal["auto", "off"]] = {"auto": "auto", "off": "off"}
_YES_NO = {"yes": True, "no": False}
_LOG_FORMATS: dict[str, Literal["text", "json"]] = {"text": "text", "json": "json"}
_LOG_LEVELS = {name: name for name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one process; TABLE has the meaning of each."""

    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    robot_code: str = ""
    openapi_endpoint: str = "https://api.dingtalk.com"
    oapi_endpoint: str = "https://oapi.dingtalk.com"
    knowledge: Path = Path("knowledge")
    store: str = field(default="sqlite:///faqbot.db", repr=False)  # a Redis URL may contain a password
    host: str = "127.0.0.1"
    port: int = 8080
    console_password: str = field(default="", repr=False)
    hook_secret: str = field(default="", repr=False)
    admins: frozenset[str] = frozenset()
    strictness: Strictness = "balanced"
    meaning: Literal["auto", "off"] = "auto"
    group_taps: bool = False
    embeddings_url: str = ""
    embeddings_model: str = ""
    embeddings_key: str = field(default="", repr=False)
    keep_days: int = 180
    quota_calls: int = 5000
    quota_messages: int = 3000
    qps: int = 20
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    log_format: Literal["text", "json"] = "text"
    log_level: str = "INFO"
    environ: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def variable(self, name: str) -> str:
        """Return the environment variable that a knowledge file names as `$NAME`, or the content of the file NAME_FILE.

        Empty if there is neither. The file is read each time, so that a change takes effect at once.
        """
        value = self.environ.get(name, "").strip()
        path = self.environ.get(f"{name}_FILE", "").strip()
        if value or not path:
            return value
        try:
            return Path(path).read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    @property
    def local(self) -> bool:
        """True if both endpoints are on this machine, such as the sandbox: they are called without a proxy."""
        hosts = {urlsplit(e).hostname for e in (self.openapi_endpoint, self.oapi_endpoint)}
        return hosts <= {"127.0.0.1", "localhost", "::1"}

    @property
    def secrets(self) -> tuple[str, ...]:
        """All secret values; they must never appear in a log, a page or a message."""
        password = urlsplit(self.store).password or ""
        values = (
            self.client_secret,
            self.console_password,
            self.hook_secret,
            self.embeddings_key,
            password,
            unquote(password),
        )
        return tuple(dict.fromkeys(value for value in values if value))

    @classmethod
    def load(cls, environ: Mapping[str, str], *, need_credentials: bool = False) -> Settings:
        """Read the settings from `environ`; with `need_credentials`, client id and secret are required.

        Raises SettingsError with all problems; its text contains no secret value.
        """
        reader = _Reader(environ)
        only_port = not reader.has("FAQBOT_HOST") and not reader.has("FAQBOT_PORT") and reader.has("PORT")
        client_id = reader.text("DINGTALK_CLIENT_ID")
        settings = cls(
            client_id=client_id,
            client_secret=reader.text("DINGTALK_CLIENT_SECRET"),
            robot_code=reader.text("DINGTALK_ROBOT_CODE") or client_id,
            openapi_endpoint=reader.endpoint("DINGTALK_OPENAPI_ENDPOINT", "https://api.dingtalk.com"),
            oapi_endpoint=reader.endpoint("DINGTALK_OAPI_ENDPOINT", "https://oapi.dingtalk.com"),
            knowledge=Path(reader.text("FAQBOT_KNOWLEDGE", "knowledge")),
            store=reader.store("FAQBOT_STORE", "sqlite:///faqbot.db"),
            # A platform that sets only PORT expects the server on every interface.
            host=reader.text("FAQBOT_HOST", "0.0.0.0" if only_port else "127.0.0.1"),
            port=reader.number("FAQBOT_PORT" if reader.has("FAQBOT_PORT") else "PORT", 8080, 0, 65535),
            console_password=reader.text("FAQBOT_CONSOLE_PASSWORD"),
            hook_secret=reader.text("FAQBOT_HOOK_SECRET"),
            admins=frozenset(filter(None, re.split(r"[,，\s]+", reader.text("FAQBOT_ADMINS")))),
            strictness=reader.choice("FAQBOT_STRICTNESS", "balanced", _STRICTNESS),
            meaning=reader.choice("FAQBOT_MEANING", "auto", _MEANINGS),
            group_taps=reader.choice("FAQBOT_GROUP_TAPS", False, _YES_NO),
            embeddings_url=reader.endpoint("FAQBOT_EMBEDDINGS_URL", ""),
            embeddings_model=reader.text("FAQBOT_EMBEDDINGS_MODEL"),
            embeddings_key=reader.text("FAQBOT_EMBEDDINGS_KEY"),
            keep_days=reader.number("FAQBOT_KEEP_DAYS", 180, 1, 36500),
            quota_calls=reader.number("FAQBOT_QUOTA_CALLS", 5000, 0),
            quota_messages=reader.number("FAQBOT_QUOTA_MESSAGES", 3000, 0),
            qps=reader.number("FAQBOT_QPS", 20, 1, 1000),
            timezone=reader.zone("FAQBOT_TIMEZONE", "Asia/Shanghai"),
            log_format=reader.choice("FAQBOT_LOG_FORMAT", "text", _LOG_FORMATS),
            log_level=reader.choice("FAQBOT_LOG_LEVEL", "INFO", _LOG_LEVELS, upper=True),
            environ=dict(environ),
        )
        if need_credentials:
            reader.require("DINGTALK_CLIENT_ID", client_id)
            reader.require("DINGTALK_CLIENT_SECRET", settings.client_secret)
        if reader.problems:
            raise SettingsError(reader.problems)
        return settings


_T = TypeVar("_T")


class _Reader:
    """Reads single values; one that is wrong is put into `problems` and replaced by its default."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def has(self, name: str) -> bool:
        return bool(self._environ.get(name, "").strip())

    def require(self, name: str, value: str) -> None:
        """Report that `name` is missing if `value` is empty, unless another problem of it is reported already."""
        if not value and not any(name in problem for problem in self.problems):
            self.problems.append(f"缺少 {name}：请填在环境变量或 .env 里，值在开发者后台“凭证与基础信息”")

    def text(self, name: str, default: str = "") -> str:
        value = self._environ.get(name, "").strip()
        if name not in SECRET_NAMES:
            return value or default
        path = self._environ.get(f"{name}_FILE", "").strip()
        if value and path:
            self.problems.append(f"{name} 和 {name}_FILE 只能设置一个")
        elif path:
            try:
                value = Path(path).read_text(encoding="utf-8-sig").strip()
            except (OSError, UnicodeDecodeError) as exc:
                reason = exc.strerror if isinstance(exc, OSError) else "不是 UTF-8 文本"
                # The path is not repeated: somebody may have put the secret itself there.
                self.problems.append(f"{name}_FILE 指的文件读不出来：{reason}")
            else:
                if not value:
                    self.problems.append(f"{name}_FILE 指的文件是空的")
        return value or default

    def number(self, name: str, default: int, least: int, maximum: int | None = None) -> int:
        value = self._environ.get(name, "").strip()
        if not value:
            return default
        if not re.fullmatch(r"[+-]?[0-9]+", value):
            self.problems.append(f"{name}={value!r} 不是整数")
            return default
        number = int(value[:20])
        if number < least or (maximum is not None and number > maximum):
            bounds = f"{least} 到 {maximum} 之间" if maximum is not None else f"{least} 或更大"
            self.problems.append(
                f"{name}={value!r} 应在 {bounds}" if maximum is not None else f"{name}={value!r} 应为 {bounds}"
            )
            return default
        return number

    def choice(self, name: str, default: _T, allowed: Mapping[str, _T], *, upper: bool = False) -> _T:
        value = self._environ.get(name, "").strip()
        if not value:
            return default
        chosen = allowed.get(value.upper() if upper else value.lower())
        if chosen is None:
            self.problems.append(f"{name}={value!r} 不认识，可以是 {'、'.join(allowed)}")
            return default
        return chosen

    def endpoint(self, name: str, default: str) -> str:
        value = self._environ.get(name, "").strip().rstrip("/")
        if not value:
            return default
        try:
            parts = urlsplit(value)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
            valid = valid and (parts.port is None or parts.port > 0)
        except ValueError:
            valid = False
        if not valid:
            # A value with an @ may contain a password, so it is not repeated.
            setting = name if "@" in value else f"{name}={value!r}"
            self.problems.append(f"{setting} 应是 http:// 或 https:// 开头的地址，不带用户名和密码")
            return default
        return value

    def store(self, name: str, default: str) -> str:
        value = self._environ.get(name, "").strip()
        if not value:
            return default
        try:
            valid = re.match(r"^(sqlite:///.+|rediss?://.+)$", value) is not None and urlsplit(value).port != 0
        except ValueError:
            valid = False
        if not valid:
            # The value may contain a password, so it is not repeated.
            self.problems.append(f"{name} 应是 sqlite:///相对路径、sqlite:////绝对路径 或 redis://…")
            return default
        return value

    def zone(self, name: str, default: str) -> ZoneInfo:
        value = self._environ.get(name, "").strip() or default
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.problems.append(f"{name}={value!r} 不是时区名，例如 Asia/Shanghai")
            return ZoneInfo(default)
