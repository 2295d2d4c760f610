"""Map DingTalk's responses to errors that tell the caller what to do next. Pure.

Sources: platform notes, errors of the session webhook, access tokens and general codes, sending from the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from faqbot.errors import (
    ContentRefused,
    DeliveryError,
    NeedsAdmin,
    OutcomeUnknown,
    SessionGone,
    Throttled,
    TokenRefused,
)

# The pause between two messages in a conversation, in which DingTalk allows at least twenty a minute.
CONVERSATION_GAP_SECONDS = 3.0
# A group robot that sends too fast is blocked for this long.
ROBOT_BLOCK_SECONDS = 600.0
_BANNED_SECONDS = 300.0

_BUSY = {-1}
_SESSION_GONE = {300001, 300005}
_TOO_FAST = {410100, 130101}
_TOKEN = {40001, 40014, 41001, 42001, 88}
_CREDENTIALS = {40089}
_APP_TOO_FAST = {90001, 90003, 90004, 90005, 90006, 90018}
_API_TOO_FAST = {90002}
_QUOTA, _PERMISSION, _IP = {90020}, {60011}, {60020}
_UNSURE = {15}
_CONTENT = {430101, 430102, 430103, 430104, 460101, 101002}
_SECURITY = 310000
_WHERE = "请到 群设置 > 机器人"
_ROBOT_GONE = {
    400013: "群机器人所在的群已经解散：请在新的群里添加机器人，换上它的 token 和 secret",
    400101: f"钉钉不认识这个群机器人的 token：{_WHERE} 打开它，重新复制 Webhook 地址里的 access_token",
    300001: f"钉钉不认识这个群机器人的 token：{_WHERE} 打开它，重新复制 Webhook 地址里的 access_token",
    300005: f"钉钉不认识这个群机器人的 token：{_WHERE} 打开它，重新复制 Webhook 地址里的 access_token",
    400102: f"这个群机器人被停用了：{_WHERE} 打开它并启用",
    400106: f"这个群机器人已经不在群里：{_WHERE} 重新添加，换上新的 token 和 secret",
}
_IN_SUB_CODE = 88
_FREE_CODES = {str(code) for code in _APP_TOO_FAST | _API_TOO_FAST} | {"ip_banned"}

_NEW_TOO_FAST = re.compile(r"QpsLimit|QpmLimit|^send\.too\.fast$|^too\.many\.(?:group|people)$")
_NEW_CONTENT = re.compile(r"^contain\.(?:unsafe|notAllowed)\.|\.msgParam\.tooLong$")
_NEW_UNSURE = {"unknown.send.result", "system.error"}
# Lookarounds instead of \b, which finds no boundary between a digit and a Chinese character.
_ADDRESS = re.compile(
    r"(?<![\d.:])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)|(?<![\w.:])[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,7}(?![\w:])",
    re.ASCII | re.IGNORECASE,
)


def webhook_error(status: int, answer: Mapping[str, Any] | None) -> DeliveryError | None:
    """Return the error in an answer of a session webhook. Errors come with HTTP 200 too."""
    if answer is not None and "errcode" in answer and _number(answer["errcode"]) in _SESSION_GONE:
        return SessionGone(_refusal_text(answer["errcode"], answer), code=str(_number(answer["errcode"])))
    return old_error(status, answer)


def old_error(status: int, answer: Mapping[str, Any] | None) -> DeliveryError | None:
    """Return the error in an answer of the old API, which is in `errcode`."""
    if answer is None or "errcode" not in answer:
        return _unreadable(status, answer)
    code = _number(answer["errcode"])
    if code == _IN_SUB_CODE:
        # Authorisation failed. Without a code of its own for the reason, the token is the cause.
        code = _number(answer.get("sub_code")) or _IN_SUB_CODE
    if code is None:
        return DeliveryError("钉钉返回的 errcode 不是数字", code="bad_errcode", permanent=True)
    text = _refusal_text(code, answer)
    if code == 0:
        return None
    if code in _TOO_FAST:
        return Throttled(text, code=str(code), wait=CONVERSATION_GAP_SECONDS)
    if code in _APP_TOO_FAST:
        return Throttled(text, code=str(code), wait=1.0)
    if code in _API_TOO_FAST:
        return Throttled(text, code=str(code), wait=5.0)
    if code in _TOKEN:
        return TokenRefused(text, code=str(code))
    if code in _QUOTA:
        return NeedsAdmin(_quota(), code=str(code))
    if code in _CREDENTIALS:
        return NeedsAdmin(_credentials(), code=str(code))
    if code in _PERMISSION:
        return NeedsAdmin(_permission(_scopes(answer)), code=str(code))
    if code in _IP:
        return NeedsAdmin(_ip(_message(answer)), code=str(code))
    if code in _UNSURE:
        return OutcomeUnknown(text, code=str(code))
    if code in _CONTENT:
        return ContentRefused(text, code=str(code))
    return DeliveryError(text, code=str(code), permanent=code not in _BUSY)


def robot_error(status: int, answer: Mapping[str, Any] | None, *, signed: bool = True) -> DeliveryError | None:
    """Return the error in an answer of a custom group robot; `signed` is True if the call had a signature."""
    code = _number(answer["errcode"]) if answer is not None and "errcode" in answer else None
    if answer is None or code is None:
        return old_error(status, answer)
    if code == _SECURITY:
        return NeedsAdmin(_security(_message(answer), signed), code=str(code))
    if code in _TOO_FAST:
        return Throttled(_refusal_text(code, answer), code=str(code), wait=ROBOT_BLOCK_SECONDS)
    if code in _ROBOT_GONE:
        return NeedsAdmin(_ROBOT_GONE[code], code=str(code))
    return old_error(status, answer)


def new_error(status: int, answer: Mapping[str, Any] | None) -> DeliveryError | None:
    """Return the error in an answer of the new API, which is in the HTTP status and `code`."""
    if status == 200 and answer is not None and "punish" not in answer:
        return None
    code = str(answer.get("code") or "") if answer is not None else ""
    if answer is None or not code:
        return _unreadable(status, answer)
    text = _refusal_text(code, answer)
    if code == "InvalidAuthentication":
        return TokenRefused(text, code=code)
    if _NEW_TOO_FAST.search(code):
        return Throttled(text, code=code, wait=5.0 if code.endswith("QpsLimitForApi") else 1.0)
    if code.endswith("ApiCountLimitForOrg"):
        return NeedsAdmin(_quota(), code=code)
    if code.endswith("AccessTokenPermissionDenied"):
        return NeedsAdmin(_permission(_scopes(answer)), code=code)
    if code.endswith("IpNotInWhiteList"):
        return NeedsAdmin(_ip(_message(answer)), code=code)
    if code == "invalidClientIdOrSecret":
        return NeedsAdmin(_credentials(), code=code)
    if _NEW_CONTENT.search(code):
        return ContentRefused(text, code=code)
    if code in _NEW_UNSURE or status == 504:
        return OutcomeUnknown(text, code=code)
    return DeliveryError(text, code=code, permanent=_permanent(status))


def is_free(code: str) -> bool:
    """Return True for the codes of a refused rate: DingTalk does not count such calls in the quota."""
    return "QpsLimit" in code or "QpmLimit" in code or code in _FREE_CODES


def _unreadable(status: int, answer: Mapping[str, Any] | None) -> DeliveryError:
    """Return the error for an answer that is not of the API: a ban, a proxy's page, a gateway's error."""
    if answer is not None and "punish" in answer:
        return Throttled("钉钉暂时封了这个 IP（调用太频繁），五分钟后再试", code="ip_banned", wait=_BANNED_SECONDS)
    text = f"钉钉返回了 HTTP {status}，不是预期的 JSON"
    if status == 504:
        return OutcomeUnknown(text, code="http_504")
    return DeliveryError(text, code=f"http_{status}", permanent=_permanent(status))


def _permanent(status: int) -> bool:
    """Return True if a repeat cannot help: redirects are never followed, and only two of the 4xx are temporary."""
    return 300 <= status < 500 and status not in (408, 429)


def _refusal_text(code: object, answer: Mapping[str, Any]) -> str:
    message = _message(answer)
    return f"钉钉没有接收：{message}（{code}）" if message else f"钉钉没有接收（{code}）"


def _message(answer: Mapping[str, Any]) -> str:
    return str(answer.get("sub_msg") or answer.get("errmsg") or answer.get("message") or "")[:200]


def _scopes(answer: Mapping[str, Any]) -> str:
    detail = answer.get("accessdenieddetail")
    scopes = detail.get("requiredScopes") if isinstance(detail, Mapping) else None
    if isinstance(scopes, list) and scopes:
        return "、".join(map(str, scopes))[:200]
    match = re.search(r"\[([\w.,\s]+)\]|(qyapi_\w+)", _message(answer), re.ASCII)
    return (match.group(1) or match.group(2)) if match else ""


def _security(message: str, signed: bool) -> str:
    """Name the one of a group robot's three security settings that refused a message, and the place to change it."""
    lowered, where = message.lower(), f"{_WHERE} > 这个机器人 > 安全设置"
    wrong_time = any(word in lowered for word in ("timestamp", "时间", "过期"))
    mismatch = any(word in lowered for word in ("not match", "签名不匹配"))
    if "keyword" in lowered or "关键词" in lowered:
        return f"群机器人设了自定义关键词，而消息里一个也没有：{where} 看有哪些关键词，写进消息，或改用加签"
    if (mismatch or wrong_time) and not signed:
        return f"群机器人设了加签，而这里没有它的密钥：{where} > 加签，复制以 SEC 开头的密钥，写到它的 secret"
    if wrong_time and not mismatch:
        return "群机器人说签名的时间不对（相差超过一小时）：请校准这台机器的时钟"
    if "sign" in lowered or "签名" in lowered:
        return f"群机器人的签名不匹配：{where} > 加签，重新复制以 SEC 开头的密钥"
    if "ip" in lowered or "whitelist" in lowered or "白名单" in lowered:
        match = _ADDRESS.search(message)
        address = f" {match.group()}" if match else ""
        return f"群机器人设了 IP 地址段，而本机的出口 IP{address} 不在里面：{where} > IP地址段 加上它"
    return f"群机器人的安全设置（关键词、加签或 IP 地址段）没有放行：{where} 核对。钉钉的原话：{message}"


def _credentials() -> str:
    return "钉钉不认识这对 Client ID 和 Client Secret：请核对 DINGTALK_CLIENT_ID 和 DINGTALK_CLIENT_SECRET"


def _permission(scopes: str) -> str:
    return (
        f"应用缺少接口权限{f' {scopes}' if scopes else ''}：请到 开发者后台 > 应用 > 权限管理 搜索并开通，"
        "再在 版本管理与发布 里发布新版本"
    )


def _ip(message: str) -> str:
    match = _ADDRESS.search(message)
    address = f" {match.group()}" if match else ""
    return f"服务器出口 IP{address} 不在白名单：请到 开发者后台 > 应用 > 开发配置 > 安全设置 > 服务器出口IP 里加上"


def _quota() -> str:
    return "公司本月的接口调用额度已用完：请到 开发者后台 > 资源管理 查看或购买，下月自动恢复"


def _number(value: Any) -> int | None:
    """Read an integer, which DingTalk sends as text in places; return None for fractions, booleans and other values."""
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
