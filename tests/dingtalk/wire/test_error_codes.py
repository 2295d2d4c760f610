"""Each answer DingTalk can give: what it means, whether a repeat can help, and what a person reads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.dingtalk.wire.error_codes import is_free, new_error, old_error, webhook_error
from faqbot.errors import (
    ContentRefused,
    DeliveryError,
    NeedsAdmin,
    OutcomeUnknown,
    SessionGone,
    Throttled,
    TokenRefused,
)

OLD = [old_error, webhook_error]
ALL = [old_error, webhook_error, new_error]
DENIED = "Forbidden.AccessDenied."


def verdict(error: DeliveryError | None) -> tuple[type, str, bool]:
    assert error is not None
    assert str(error) and "None" not in str(error)
    return type(error), error.code, error.permanent


# errcode, class of the error, whether it is permanent
BOTH_OLD: list[tuple[int, type[DeliveryError], bool]] = [
    (-1, DeliveryError, False),
    (15, OutcomeUnknown, False),
    (22, DeliveryError, True),
    (33012, DeliveryError, True),
    (40001, TokenRefused, False),
    (40014, TokenRefused, False),
    (40035, DeliveryError, True),
    (40089, NeedsAdmin, True),
    (41001, TokenRefused, False),
    (42001, TokenRefused, False),
    (43004, DeliveryError, True),
    (50002, DeliveryError, True),
    (50004, DeliveryError, True),
    (60011, NeedsAdmin, True),
    (60020, NeedsAdmin, True),
    (60121, DeliveryError, True),
    (90001, Throttled, False),
    (90002, Throttled, False),
    (90003, Throttled, False),
    (90004, Throttled, False),
    (90005, Throttled, False),
    (90006, Throttled, False),
    (90018, Throttled, False),
    (90020, NeedsAdmin, True),
    (101002, ContentRefused, True),
    (130101, Throttled, False),
    (310000, DeliveryError, True),
    (400002, DeliveryError, True),
    (400105, DeliveryError, True),
    (410100, Throttled, False),
    (430101, ContentRefused, True),
    (430102, ContentRefused, True),
    (430103, ContentRefused, True),
    (430104, ContentRefused, True),
    (460101, ContentRefused, True),
    (999999, DeliveryError, True),
]


@pytest.mark.parametrize("read", OLD)
@pytest.mark.parametrize("form", [int, str, float])
@pytest.mark.parametrize(("code", "kind", "permanent"), BOTH_OLD)
def test_each_errcode_has_its_meaning_however_it_is_written(
    read: Any, form: Any, code: int, kind: type, permanent: bool
) -> None:
    error = read(200, {"errcode": form(code), "errmsg": "说明"})
    assert verdict(error) == (kind, str(code), permanent)


@pytest.mark.parametrize("code", [300001, 300005])
@pytest.mark.parametrize("form", [int, str])
def test_only_for_a_webhook_is_a_session_gone(code: int, form: Any) -> None:
    answer = {"errcode": form(code), "errmsg": "session 不存在"}
    assert verdict(webhook_error(200, answer)) == (SessionGone, str(code), True)
    assert verdict(old_error(200, answer)) == (DeliveryError, str(code), True)


@pytest.mark.parametrize("read", OLD)
@pytest.mark.parametrize("zero", [0, "0", " 0 ", 0.0])
def test_zero_is_good_however_it_is_written(read: Any, zero: object) -> None:
    assert read(200, {"errcode": zero, "errmsg": "ok"}) is None


@pytest.mark.parametrize("read", OLD)
@pytest.mark.parametrize("odd", [None, "", "ok", [], {}, False, True, 0.5, float("nan"), float("inf"), "1e3", "0x0"])
def test_an_errcode_that_is_no_number_is_never_taken_for_good(read: Any, odd: object) -> None:
    assert verdict(read(200, {"errcode": odd})) == (DeliveryError, "bad_errcode", True)


# sub_code, class, code
UNDER_88: list[tuple[dict[str, Any], type, str]] = [
    ({"sub_code": "60011", "sub_msg": "没有权限"}, NeedsAdmin, "60011"),
    ({"sub_code": 60020}, NeedsAdmin, "60020"),
    ({"sub_code": "90018"}, Throttled, "90018"),
    ({"sub_code": 40014}, TokenRefused, "40014"),
    ({"sub_code": "50002"}, DeliveryError, "50002"),
    ({"sub_code": "invalid-token"}, TokenRefused, "88"),
    ({"sub_code": None}, TokenRefused, "88"),
    ({"sub_code": 0}, TokenRefused, "88"),
    ({"sub_code": "88"}, TokenRefused, "88"),
    ({}, TokenRefused, "88"),
]


@pytest.mark.parametrize(("more", "kind", "code"), UNDER_88)
def test_errcode_88_hides_the_reason_in_its_sub_code(more: dict[str, Any], kind: type, code: str) -> None:
    found, shown, _ = verdict(old_error(200, {"errcode": 88, "errmsg": "ding talk error"} | more))
    assert (found, shown) == (kind, code)


# HTTP status, code, class, whether it is permanent
NEW: list[tuple[int, str, type[DeliveryError], bool]] = [
    (400, "InvalidAuthentication", TokenRefused, False),
    (400, "invalidClientIdOrSecret", NeedsAdmin, True),
    (400, "Missingbody", DeliveryError, True),
    (400, "invalid.client", DeliveryError, True),
    (400, "unsupported.grant.type", DeliveryError, True),
    (401, "unauthorized.client", DeliveryError, True),
    (403, DENIED + "AccessTokenPermissionDenied", NeedsAdmin, True),
    (403, DENIED + "IpNotInWhiteList", NeedsAdmin, True),
    (403, DENIED + "QpsLimitForAppkeyAndApi", Throttled, False),
    (403, DENIED + "QpmLimitForAppkeyAndApi", Throttled, False),
    (403, DENIED + "QpsLimitForApi", Throttled, False),
    (403, DENIED + "QpsLimitForSuitekeyAndApi", Throttled, False),
    (403, DENIED + "QpsLimitForCorpAndApi", Throttled, False),
    (403, DENIED + "ApiCountLimitForOrg", NeedsAdmin, True),
    (403, DENIED + "SomethingNew", DeliveryError, True),
    (400, "invalidParameter.robotCode.auth", DeliveryError, True),
    (400, "invalidParameter.robotCode.notExsit", DeliveryError, True),
    (400, "invalidParameter.msgKey.invalid", DeliveryError, True),
    (400, "invalidParameter.msgParam.invalid", DeliveryError, True),
    (400, "invalidParameter.msgParam.tooLong", ContentRefused, True),
    (400, "invalidParameter.msg.unsupport", DeliveryError, True),
    (400, "invalidParameter.userIds.empty", DeliveryError, True),
    (400, "invalidParameter.userIds.overMax", DeliveryError, True),
    (400, "staffId.notExisted", DeliveryError, True),
    (400, "invalid.openConversationId", DeliveryError, True),
    (400, "miss.openConversationId", DeliveryError, True),
    (400, "conversation.org.notMatch", DeliveryError, True),
    (400, "group.disbanded", DeliveryError, True),
    (400, "bot.stopped", DeliveryError, True),
    (400, "resource.not.found", DeliveryError, True),
    (400, "chatbotId.notAllow.sendOTO", DeliveryError, True),
    (400, "robot.oto.notExist", DeliveryError, True),
    (400, "send.too.fast", Throttled, False),
    (400, "too.many.group", Throttled, False),
    (400, "too.many.people", Throttled, False),
    (400, "contain.unsafe.url", ContentRefused, True),
    (400, "contain.notAllowed.text", ContentRefused, True),
    (400, "contain.notAllowed.picture", ContentRefused, True),
    (400, "contain.notAllowed.content", ContentRefused, True),
    (400, "unknown.send.result", OutcomeUnknown, False),
    (500, "unknown.send.result", OutcomeUnknown, False),
    (500, "system.error", OutcomeUnknown, False),
    (504, "gateway.timeout", OutcomeUnknown, False),
    (500, "ServiceUnavailable", DeliveryError, False),
    (503, "busy", DeliveryError, False),
    (408, "RequestTimeout", DeliveryError, False),
    (429, "TooManyRequests", DeliveryError, False),
    (302, "moved", DeliveryError, True),
]


@pytest.mark.parametrize(("status", "code", "kind", "permanent"), NEW)
def test_each_code_of_the_new_api_has_its_meaning(status: int, code: str, kind: type, permanent: bool) -> None:
    error = new_error(status, {"code": code, "message": "说明", "requestid": "r"})
    assert verdict(error) == (kind, code, permanent)


@pytest.mark.parametrize("answer", [{}, {"processQueryKey": "k"}, {"invalidStaffIdList": ["u"]}])
def test_the_new_api_says_that_it_is_good_by_the_status(answer: dict[str, Any]) -> None:
    assert new_error(200, answer) is None


# HTTP status, class, whether it is permanent; the body is no JSON object: HTML, a list, nothing
UNREADABLE: list[tuple[int, type, bool]] = [
    (200, DeliveryError, False),
    (204, DeliveryError, False),
    (301, DeliveryError, True),
    (302, DeliveryError, True),
    (307, DeliveryError, True),
    (400, DeliveryError, True),
    (403, DeliveryError, True),
    (404, DeliveryError, True),
    (408, DeliveryError, False),
    (413, DeliveryError, True),
    (429, DeliveryError, False),
    (500, DeliveryError, False),
    (502, DeliveryError, False),
    (503, DeliveryError, False),
    (504, OutcomeUnknown, False),
]


@pytest.mark.parametrize("read", ALL)
@pytest.mark.parametrize(("status", "kind", "permanent"), UNREADABLE)
def test_a_body_that_is_no_object_leaves_the_status_to_judge_by(
    read: Any, status: int, kind: type, permanent: bool
) -> None:
    error = read(status, None)
    assert verdict(error) == (kind, f"http_{status}", permanent)
    assert str(status) in str(error)


@pytest.mark.parametrize("read", ALL)
@pytest.mark.parametrize("status", [403, 404, 500, 502, 504])
def test_an_object_of_somebody_else_is_as_good_as_none(read: Any, status: int) -> None:
    answer = {"detail": "Not Found", "time": 1}
    assert verdict(read(status, answer)) == verdict(read(status, None))


@pytest.mark.parametrize("read", OLD)
def test_an_old_answer_without_an_errcode_is_never_taken_for_good(read: Any) -> None:
    assert verdict(read(200, {})) == (DeliveryError, "http_200", False)


@pytest.mark.parametrize("read", ALL)
@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_ban_of_the_address_is_waited_for(read: Any, status: int) -> None:
    answer = {"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "u"}
    error = read(status, answer)
    assert verdict(error) == (Throttled, "ip_banned", False)
    assert error.wait == 300 and "IP" in str(error)


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (old_error(200, {"errcode": 410100}), 3.0),
        (old_error(200, {"errcode": 130101}), 3.0),
        (old_error(200, {"errcode": 90018}), 1.0),
        (old_error(200, {"errcode": 90002}), 5.0),
        (new_error(403, {"code": DENIED + "QpsLimitForAppkeyAndApi"}), 1.0),
        (new_error(403, {"code": DENIED + "QpsLimitForApi"}), 5.0),
        (new_error(400, {"code": "send.too.fast"}), 1.0),
    ],
)
def test_the_pause_fits_the_limit(error: DeliveryError, wait: float) -> None:
    assert isinstance(error, Throttled) and error.wait == wait


def test_calls_refused_for_their_rate_are_free_and_others_are_not() -> None:
    rate = [e for s, c, kind, _ in NEW if kind is Throttled and (e := new_error(s, {"code": c})) and c[0] == "F"]
    rate += [
        e
        for c, kind, _ in BOTH_OLD
        if kind is Throttled and 90000 < c < 90100 and (e := old_error(200, {"errcode": c}))
    ]
    assert len(rate) == 12 and all(is_free(e.code) for e in rate) and is_free("ip_banned")
    assert not any(
        is_free(c) for c in ("ok", "90020", DENIED + "ApiCountLimitForOrg", "http_500", "send.too.fast", "-1")
    )


# -- what a person reads -----------------------------------------------------------------------

PERMISSION = DENIED + "AccessTokenPermissionDenied"
SCOPED = {"code": PERMISSION, "accessdenieddetail": {"requiredScopes": ["qyapi_robot_sendmsg", "Card.Instance.Write"]}}


@pytest.mark.parametrize(
    ("error", "names"),
    [
        (new_error(403, SCOPED), "qyapi_robot_sendmsg、Card.Instance.Write"),
        (new_error(403, {"code": PERMISSION, "message": "尚未开通所需的权限：[qyapi_get_member]"}), "qyapi_get_member"),
        (new_error(403, {"code": PERMISSION, "message": "点击申请qyapi_get_member权限"}), "qyapi_get_member"),
        (old_error(200, {"errcode": 60011, "errmsg": "缺少 qyapi_get_member"}), "qyapi_get_member"),
        (old_error(200, {"errcode": 88, "sub_code": "60011", "sub_msg": "[qyapi_get_member]"}), "qyapi_get_member"),
        (new_error(403, {"code": PERMISSION}), ""),
        (new_error(403, {"code": PERMISSION, "message": "[没有权限]"}), ""),
        (new_error(403, {"code": PERMISSION, "accessdenieddetail": {"requiredScopes": None}}), ""),
        (new_error(403, {"code": PERMISSION, "accessdenieddetail": "x", "message": "无"}), ""),
    ],
)
def test_a_missing_permission_is_named_with_where_to_click(error: DeliveryError, names: str) -> None:
    assert str(error).startswith(f"应用缺少接口权限 {names}：" if names else "应用缺少接口权限：")
    assert "权限管理" in str(error) and "发布" in str(error)


IP = DENIED + "IpNotInWhiteList"


@pytest.mark.parametrize(
    ("message", "address"),
    [
        ("访问ip不在白名单之中，request ip=203.0.113.7", "203.0.113.7"),
        ("request ip=203.0.113.7.", "203.0.113.7"),
        ("IP203.0.113.7不在白名单", "203.0.113.7"),
        ("访问ip（203.0.113.7）不在白名单之中", "203.0.113.7"),
        ("访问ip是2001:db8:0:1::7，不在白名单", "2001:db8:0:1::7"),
        ("12:30:59 访问ip不在白名单之中", ""),
        ("版本 1.2.3.4.5.6", ""),
        ("", ""),
    ],
)
@pytest.mark.parametrize("new", [True, False])
def test_the_address_to_add_is_taken_from_the_message(message: str, address: str, new: bool) -> None:
    old = {"errcode": 60020, "errmsg": message}
    error = new_error(403, {"code": IP, "message": message}) if new else old_error(200, old)
    assert isinstance(error, NeedsAdmin)
    assert str(error).startswith("服务器出口") and "安全设置" in str(error)
    assert (f"IP {address} 不在白名单" if address else "IP 不在白名单") in str(error)


@pytest.mark.parametrize(
    "error", [new_error(403, {"code": DENIED + "ApiCountLimitForOrg"}), old_error(200, {"errcode": 90020})]
)
def test_a_used_up_quota_says_where_to_look(error: DeliveryError) -> None:
    assert "额度" in str(error) and "资源管理" in str(error)


@pytest.mark.parametrize(
    "error", [new_error(400, {"code": "invalidClientIdOrSecret"}), old_error(200, {"errcode": 40089})]
)
def test_wrong_credentials_name_the_settings(error: DeliveryError) -> None:
    assert "DINGTALK_CLIENT_ID" in str(error) and "DINGTALK_CLIENT_SECRET" in str(error)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"errcode": -1, "errmsg": "系统繁忙"}, "钉钉没有接收：系统繁忙（-1）"),
        ({"errcode": "-1", "errmsg": ""}, "钉钉没有接收（-1）"),
        ({"errcode": -1}, "钉钉没有接收（-1）"),
        ({"errcode": 88, "errmsg": "外", "sub_code": 50002, "sub_msg": "内"}, "钉钉没有接收：内（50002）"),
    ],
)
def test_other_refusals_are_said_in_dingtalks_words_with_the_code(answer: dict[str, Any], text: str) -> None:
    assert str(old_error(200, answer)) == text


SECRET = "a1b2c3d4e5f6a7b8"


@pytest.mark.parametrize("read", ALL)
@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize("code", [0, -1, 88, 40014, 60011, 60020, 90020, 300001, 430101, 777])
def test_nothing_but_the_message_of_an_answer_is_ever_shown(read: Any, status: int, code: int) -> None:
    names = {40014: "InvalidAuthentication", 60011: PERMISSION, 60020: IP}
    answer = {"errcode": code, "code": names.get(code, "odd"), "errmsg": "m", "message": "m", "requestid": "r"}
    answer |= {"accessToken": SECRET, "access_token": SECRET, "url": f"https://x/?session={SECRET}", "data": [SECRET]}
    error = read(status, answer)
    assert SECRET not in str(error) and SECRET not in getattr(error, "code", "")


@pytest.mark.parametrize("read", ALL)
def test_a_very_long_message_is_cut(read: Any) -> None:
    error = read(400, {"errcode": 777, "code": "odd", "errmsg": "长" * 9000, "message": "长" * 9000})
    assert len(str(error)) < 300


# -- odd answers -------------------------------------------------------------------------------

ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
CODES = st.sampled_from([c for c, _, _ in BOTH_OLD] + [0, 88, 300001])
NAMES = st.sampled_from(
    ["errcode", "errmsg", "sub_code", "sub_msg", "code", "message", "requestid", "accessdenieddetail", "punish", "wait"]
)
ANSWERS = st.none() | st.dictionaries(
    NAMES | st.text(max_size=5), CODES | CODES.map(str) | st.sampled_from([c for _, c, _, _ in NEW]) | ODD, max_size=6
)


@given(status=st.integers(100, 599), answer=ANSWERS)
def test_no_answer_however_odd_makes_reading_it_fail(status: int, answer: dict[str, Any] | None) -> None:
    for read in (old_error, webhook_error, new_error):
        error = read(status, answer)
        assert error is None or (isinstance(error, DeliveryError) and error.code and str(error))
        if status != 200 or answer is None:
            assert error is not None or read is not new_error
