"""Settings come from the environment; every wrong one is told at once and no secret is ever repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from faqbot.errors import SettingsError
from faqbot.settings import SECRET_NAMES, TABLE, Settings

SECRET = "hunter2-do-not-show"


def problems(environ, **options):
    with pytest.raises(SettingsError) as caught:
        Settings.load(environ, **options)
    return caught.value.problems


def test_without_anything_the_defaults_hold():
    s = Settings.load({})
    assert (s.client_id, s.client_secret, s.robot_code) == ("", "", "")
    assert s.openapi_endpoint == "https://api.dingtalk.com"
    assert s.oapi_endpoint == "https://oapi.dingtalk.com"
    assert (s.knowledge, s.store) == (Path("knowledge"), "sqlite:///faqbot.db")
    assert (s.host, s.port) == ("127.0.0.1", 8080)
    assert (s.console_password, s.hook_secret, s.admins) == ("", "", frozenset())
    assert s.strictness == "balanced" and s.group_taps is False
    assert (s.meaning, s.embeddings_url, s.embeddings_model, s.embeddings_key) == ("auto", "", "", "")
    assert (s.keep_days, s.quota_calls, s.quota_messages) == (180, 5000, 3000)
    assert s.timezone.key == "Asia/Shanghai"
    assert (s.log_format, s.log_level) == ("text", "INFO")
    assert s == Settings()


def test_every_setting_is_read():
    s = Settings.load(
        {
            "DINGTALK_CLIENT_ID": "ding1",
            "DINGTALK_CLIENT_SECRET": SECRET,
            "DINGTALK_ROBOT_CODE": "robot1",
            "DINGTALK_OPENAPI_ENDPOINT": "http://127.0.0.1:9000/",
            "DINGTALK_OAPI_ENDPOINT": "http://127.0.0.1:9000",
            "FAQBOT_KNOWLEDGE": "/srv/faq",
            "FAQBOT_STORE": "sqlite:////srv/faq.db",
            "FAQBOT_HOST": "0.0.0.0",
            "FAQBOT_PORT": "0",
            "FAQBOT_CONSOLE_PASSWORD": "p",
            "FAQBOT_HOOK_SECRET": "h",
            "FAQBOT_ADMINS": "u1, u2，u3 ,",
            "FAQBOT_STRICTNESS": "strict",
            "FAQBOT_GROUP_TAPS": "Yes",
            "FAQBOT_MEANING": "OFF",
            "FAQBOT_EMBEDDINGS_URL": "https://e.example/v1",
            "FAQBOT_EMBEDDINGS_MODEL": "m",
            "FAQBOT_EMBEDDINGS_KEY": "k",
            "FAQBOT_KEEP_DAYS": "30",
            "FAQBOT_QUOTA_CALLS": "0",
            "FAQBOT_QUOTA_MESSAGES": "200000",
            "FAQBOT_TIMEZONE": "Europe/Berlin",
            "FAQBOT_LOG_FORMAT": "json",
            "FAQBOT_LOG_LEVEL": "debug",
        }
    )
    assert (s.client_id, s.client_secret, s.robot_code) == ("ding1", SECRET, "robot1")
    assert s.openapi_endpoint == s.oapi_endpoint == "http://127.0.0.1:9000"
    assert (s.knowledge, s.store) == (Path("/srv/faq"), "sqlite:////srv/faq.db")
    assert (s.host, s.port, s.console_password, s.hook_secret) == ("0.0.0.0", 0, "p", "h")
    assert s.admins == {"u1", "u2", "u3"}
    assert s.meaning == "off"
    assert (s.embeddings_url, s.embeddings_model, s.embeddings_key) == ("https://e.example/v1", "m", "k")
    assert s.group_taps is True
    assert (s.strictness, s.keep_days, s.quota_calls, s.quota_messages) == ("strict", 30, 0, 200000)
    assert (s.timezone.key, s.log_format, s.log_level) == ("Europe/Berlin", "json", "DEBUG")


def test_the_robot_code_is_the_client_id_unless_set():
    assert Settings.load({"DINGTALK_CLIENT_ID": "ding1"}).robot_code == "ding1"


@pytest.mark.parametrize("name", [name for name, _, _ in TABLE])
@pytest.mark.parametrize("nothing", ["", "   "])
def test_a_variable_set_to_nothing_counts_as_not_set(name, nothing):
    assert Settings.load({name: nothing}) == Settings()


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_secret_file_set_to_nothing_counts_as_not_set(name):
    assert Settings.load({f"{name}_FILE": ""}) == Settings()


@pytest.mark.parametrize(
    ("environ", "host", "port"),
    [
        ({}, "127.0.0.1", 8080),
        ({"PORT": "9000"}, "0.0.0.0", 9000),
        ({"PORT": "9000", "FAQBOT_PORT": "", "FAQBOT_HOST": ""}, "0.0.0.0", 9000),
        ({"PORT": "9000", "FAQBOT_HOST": "127.0.0.1"}, "127.0.0.1", 9000),
        ({"PORT": "9000", "FAQBOT_PORT": "7000"}, "127.0.0.1", 7000),
        ({"FAQBOT_PORT": "7000"}, "127.0.0.1", 7000),
        ({"FAQBOT_HOST": "::1"}, "::1", 8080),
        ({"PORT": ""}, "127.0.0.1", 8080),
    ],
)
def test_port_alone_means_a_platform_and_every_interface(environ, host, port):
    s = Settings.load(environ)
    assert (s.host, s.port) == (host, port)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("严格", "strict"),
        ("均衡", "balanced"),
        ("宽松", "lenient"),
        ("Strict", "strict"),
        (" lenient ", "lenient"),
    ],
)
def test_strictness_may_be_said_in_chinese(word, meant):
    assert Settings.load({"FAQBOT_STRICTNESS": word}).strictness == meant


WRONG = [
    ("FAQBOT_PORT", "八千", "FAQBOT_PORT='八千' 不是整数"),
    ("FAQBOT_PORT", "80.5", "不是整数"),
    ("FAQBOT_PORT", "65536", "0 到 65535"),
    ("FAQBOT_PORT", "-1", "0 到 65535"),
    ("PORT", "http", "PORT='http' 不是整数"),
    ("FAQBOT_KEEP_DAYS", "0", "1 到 36500"),
    ("FAQBOT_QUOTA_CALLS", "-5", "0 或更大"),
    ("FAQBOT_QUOTA_MESSAGES", "many", "不是整数"),
    ("FAQBOT_MEANING", "on", "auto、off"),
    ("FAQBOT_STRICTNESS", "hard", "strict、balanced、lenient、严格、均衡、宽松"),
    ("FAQBOT_GROUP_TAPS", "开", "yes、no"),
    ("FAQBOT_LOG_FORMAT", "xml", "text、json"),
    ("FAQBOT_LOG_LEVEL", "loud", "DEBUG"),
    ("FAQBOT_TIMEZONE", "Mars/Olympus", "不是时区名"),
    ("FAQBOT_TIMEZONE", "../../etc/passwd", "不是时区名"),
    ("FAQBOT_TIMEZONE", "Asia", "不是时区名"),
    ("FAQBOT_STORE", "mysql://db", "sqlite:///"),
    ("FAQBOT_STORE", "sqlite:///", "sqlite:///"),
    ("DINGTALK_OPENAPI_ENDPOINT", "api.dingtalk.com", "http:// 或 https://"),
    ("DINGTALK_OAPI_ENDPOINT", "ftp://oapi.dingtalk.com", "http:// 或 https://"),
    ("FAQBOT_EMBEDDINGS_URL", "https://", "http:// 或 https://"),
]


@pytest.mark.parametrize(("name", "value", "part"), WRONG)
def test_a_wrong_value_is_named_and_explained(name, value, part):
    (problem,) = problems({name: value})
    assert problem.startswith(name) and part in problem


def test_all_wrong_settings_are_told_at_once():
    environ = {name: value for name, value, _ in WRONG if name != "PORT"}
    found = problems(environ, need_credentials=True)
    for name in [*environ, "DINGTALK_CLIENT_ID", "DINGTALK_CLIENT_SECRET"]:
        assert sum(name in p for p in found) == 1, name
    assert len(found) == len(environ) + 2


def test_the_error_itself_reads_as_one_line_per_problem():
    with pytest.raises(SettingsError) as caught:
        Settings.load({"FAQBOT_PORT": "x", "FAQBOT_KEEP_DAYS": "y"})
    assert str(caught.value).split("\n") == list(caught.value.problems)


def test_credentials_are_only_needed_where_they_are_used():
    Settings.load({})
    found = problems({}, need_credentials=True)
    assert [p.split("：")[0] for p in found] == ["缺少 DINGTALK_CLIENT_ID", "缺少 DINGTALK_CLIENT_SECRET"]
    s = Settings.load({"DINGTALK_CLIENT_ID": "a", "DINGTALK_CLIENT_SECRET": "b"}, need_credentials=True)
    assert s.client_secret == "b"


# -- secrets -----------------------------------------------------------------------------------

FIELDS = {
    "DINGTALK_CLIENT_ID": "client_id",
    "DINGTALK_CLIENT_SECRET": "client_secret",
    "FAQBOT_CONSOLE_PASSWORD": "console_password",
    "FAQBOT_HOOK_SECRET": "hook_secret",
    "FAQBOT_EMBEDDINGS_KEY": "embeddings_key",
}


def test_every_secret_is_tested_here():
    assert set(FIELDS) == set(SECRET_NAMES)


@pytest.mark.parametrize(("name", "field"), FIELDS.items())
def test_a_secret_may_come_from_a_file(tmp_path, name, field):
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\r\n", encoding="utf-8")
    assert getattr(Settings.load({f"{name}_FILE": str(path)}), field) == SECRET


@pytest.mark.parametrize("name", FIELDS)
def test_a_secret_set_in_both_ways_is_refused(tmp_path, name):
    path = tmp_path / "secret"
    path.write_text(SECRET, encoding="utf-8")
    (problem,) = problems({name: SECRET, f"{name}_FILE": str(path)})
    assert problem == f"{name} 和 {name}_FILE 只能设置一个"


@pytest.mark.parametrize("name", FIELDS)
def test_a_secret_file_that_cannot_be_read_is_named(tmp_path, name):
    (tmp_path / "empty").write_text(" \n", encoding="utf-8")
    (tmp_path / "odd").write_bytes(b"\xff\xfe\xff")
    for path, part in [("missing", "读不出来"), ("empty", "是空的"), ("odd", "不是 UTF-8"), (".", "读不出来")]:
        (problem,) = problems({f"{name}_FILE": str(tmp_path / path)})
        assert problem.startswith(f"{name}_FILE ") and part in problem and str(tmp_path) not in problem


def test_a_secret_file_that_failed_is_not_called_missing_too(tmp_path):
    found = problems(
        {"DINGTALK_CLIENT_ID": "a", "DINGTALK_CLIENT_SECRET_FILE": str(tmp_path / "no")}, need_credentials=True
    )
    assert len(found) == 1


SECRETS = {
    "DINGTALK_CLIENT_SECRET": SECRET + "1",
    "FAQBOT_CONSOLE_PASSWORD": SECRET + "2",
    "FAQBOT_HOOK_SECRET": SECRET + "3",
    "FAQBOT_EMBEDDINGS_KEY": SECRET + "4",
    "FAQBOT_STORE": f"redis://:{SECRET}5@redis.example/0",
}


def test_no_secret_is_in_repr_and_all_are_known_for_masking():
    s = Settings.load(SECRETS)
    assert SECRET not in repr(s) and SECRET not in str(s)
    assert sorted(s.secrets) == [SECRET + n for n in "12345"]


def test_no_secret_is_in_the_problems():
    found = problems(SECRETS | {"FAQBOT_PORT": "x"}, need_credentials=True)
    assert SECRET not in "".join(found)
    (problem,) = problems({"FAQBOT_STORE": f"mysql://root:{SECRET}@db/faq"})
    assert SECRET not in problem and problem.startswith("FAQBOT_STORE")


def test_without_secrets_there_is_nothing_to_mask():
    assert Settings.load({}).secrets == ()


def test_settings_cannot_be_changed():
    with pytest.raises(AttributeError):
        Settings().port = 1


@pytest.mark.parametrize(("name", "default", "meaning"), TABLE)
def test_the_table_shows_the_real_default(name, default, meaning):
    assert meaning
    if default and default.isascii():
        assert Settings.load({name: default}) == Settings()


def test_a_variable_that_a_knowledge_file_names_may_come_from_a_file(tmp_path):
    kept = tmp_path / "token"
    kept.write_text("from-file\n", encoding="utf-8")
    settings = Settings.load({"ROBOT_A": " plain ", "ROBOT_B_FILE": str(kept), "ROBOT_C_FILE": str(tmp_path / "gone")})
    assert [settings.variable(name) for name in ("ROBOT_A", "ROBOT_B", "ROBOT_C", "ROBOT_D")] == [
        "plain",
        "from-file",
        "",
        "",
    ]
    assert "plain" not in repr(settings)
