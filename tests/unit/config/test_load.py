"""Where settings come from and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from skerry.config import Direction, EngineConfig, SelectionRule, ServerConfig, load_settings
from skerry.errors import ConfigurationError

HUB = "mongodb://hub:27017"


def test_nothing_given_means_defaults_and_no_sync() -> None:
    settings = load_settings()
    assert settings.engine == EngineConfig()
    assert settings.server == ServerConfig()
    assert settings.sync is None


def test_variables_that_steer_the_tests_are_no_settings() -> None:
    assert load_settings(file=None, environment={"SKERRY_TEST_MONGODB_URI": "mongodb://hub"}, arguments={}).sync is None


def test_a_file_that_does_not_exist_counts_as_empty(tmp_path: Path) -> None:
    assert load_settings(file=tmp_path / "skerry.toml") == load_settings()


def test_arguments_win_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    file = tmp_path / "skerry.toml"
    file.write_text("[engine]\nsession_idle_ms_max = 2000\ncursor_idle_ms_max = 2000\njournal_flush_interval_ms = 20\n")
    settings = load_settings(
        file=file,
        environment={
            "SKERRY_ENGINE_SESSION_IDLE_MS_MAX": "3000",
            "SKERRY_ENGINE_CURSOR_IDLE_MS_MAX": "3000",
            "PATH": "/",
        },
        arguments={"engine": {"session_idle_ms_max": 4000, "oplog_bytes_max": None}},
    )
    assert settings.engine == EngineConfig(
        session_idle_ms_max=4000, cursor_idle_ms_max=3000, journal_flush_interval_ms=20
    )


def test_rules_of_the_file_keep_their_order(tmp_path: Path) -> None:
    file = tmp_path / "skerry.toml"
    file.write_text(f'[sync]\nhub_uri = "{HUB}"\n[sync.rules]\n"shop.logs" = "push"\n"shop.*" = "both"\n')
    sync = load_settings(file=file).sync
    assert sync is not None
    assert sync.rules == (SelectionRule("shop.logs", Direction.PUSH), SelectionRule("shop.*", Direction.BOTH))


def test_environment_variables_are_read_as_what_the_setting_is() -> None:
    settings = load_settings(
        environment={
            "SKERRY_SYNC_HUB_URI": HUB,
            "SKERRY_SYNC_RULES": "shop.*=both, logs.*=push",
            "SKERRY_SYNC_GRANULARITY": "document",
            "SKERRY_SERVER_UNIX_SOCKET_PATH": "/run/skerry.sock",
            "SKERRY_ENGINE_OPLOG_BYTES_MAX": "86400000",
        }
    )
    assert settings.sync is not None
    assert settings.sync.rules == (SelectionRule("shop.*", Direction.BOTH), SelectionRule("logs.*", Direction.PUSH))
    assert settings.sync.granularity == "document"
    assert settings.server.unix_socket_path == Path("/run/skerry.sock")
    assert settings.engine.oplog_bytes_max == 86_400_000


@pytest.mark.parametrize(
    ("environment", "setting"),
    [
        ({"SKERRY_ENGINE_OPLOG_SIZE": "1"}, "engine.oplog_size"),
        ({"SKERRY_OPLOG_BYTES_MAX": "1"}, "SKERRY_OPLOG_BYTES_MAX"),
        ({"SKERRY_ENGINE_OPLOG_BYTES_MAX": "much"}, "engine.oplog_bytes_max"),
        ({"SKERRY_ENGINE_OPLOG_BYTES_MAX": "-1"}, "engine.oplog_bytes_max"),
        ({"SKERRY_SERVER_BIND_PORT": "65536"}, "server.bind_port"),
        ({"SKERRY_SERVER_BIND_HOST": ""}, "server.bind_host"),
    ],
)
def test_unknown_variables_and_impossible_values_are_refused(environment: dict[str, str], setting: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment=environment)
    assert caught.value.setting == setting
    assert caught.value.allowed


@pytest.mark.parametrize(
    ("environment", "setting"),
    [
        ({"SKERRY_SYNC_RULES": "shop.*=both"}, "sync.hub_uri"),
        ({"SKERRY_SYNC_HUB_URI": HUB}, "sync.rules"),
        ({"SKERRY_SYNC_HUB_URI": HUB, "SKERRY_SYNC_RULES": "shop.*"}, "sync.rules"),
        ({"SKERRY_SYNC_HUB_URI": HUB, "SKERRY_SYNC_RULES": "shop.*=up"}, "sync.rules shop.*"),
        ({"SKERRY_SYNC_HUB_URI": HUB, "SKERRY_SYNC_RULES": "shop=both"}, "sync.rules"),
        ({"SKERRY_SYNC_CONFLICT_POLICY": "mine"}, "sync.conflict_policy"),
        ({"SKERRY_SYNC_HUB": HUB}, "sync.hub"),
        ({"SKERRY_SYNC_HUB_URI": "mongodb://", "SKERRY_SYNC_RULES": "shop.*=both"}, "sync.hub_uri"),
        ({"SKERRY_SYNC_HUB_URI": "mongodb://h/?tls=maybe", "SKERRY_SYNC_RULES": "shop.*=both"}, "sync.hub_uri"),
    ],
)
def test_a_wrong_sync_setting_turns_the_link_off_and_is_told(environment: dict[str, str], setting: str) -> None:
    settings = load_settings(environment={**environment, "SKERRY_SERVER_BIND_PORT": "4711"})
    assert settings.sync is None
    assert settings.sync_fault is not None
    assert settings.sync_fault.setting == setting
    assert settings.sync_fault.allowed
    assert settings.server.bind_port == 4711


def test_a_wrong_sync_setting_is_refused_where_sync_was_asked_for_on_the_command_line() -> None:
    for arguments in ({"hub_uri": HUB}, {"link_name": "kiosk"}):
        with pytest.raises(ConfigurationError):
            load_settings(environment={"SKERRY_SYNC_ON_FULL": "wait"}, arguments={"sync": arguments})


def test_the_link_can_be_switched_off_without_taking_its_settings_away() -> None:
    given = {"SKERRY_SYNC_HUB_URI": HUB, "SKERRY_SYNC_RULES": "shop.*=both"}
    switched_off = load_settings(environment={**given, "SKERRY_SYNC_ENABLED": "false"})
    assert switched_off.sync is not None
    assert not switched_off.sync.enabled
    assert load_settings(environment={"SKERRY_SYNC_ENABLED": "false"}).sync is None
    assert load_settings(environment={"SKERRY_SYNC_ENABLED": "false"}).sync_fault is None


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("[motor]\nx = 1\n", "motor"),
        ("engine = 1\n", "engine"),
        ("[engine]\noplog_bytes_max = '1'\n", "engine.oplog_bytes_max"),
        ("[engine]\noplog_bytes_max = true\n", "engine.oplog_bytes_max"),
        ("[server]\nbind_host = 1\n", "server.bind_host"),
    ],
)
def test_unknown_tables_and_wrong_types_in_the_file_are_refused(tmp_path: Path, text: str, setting: str) -> None:
    file = tmp_path / "skerry.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file=file)
    assert caught.value.setting == setting


def test_a_wrong_sync_setting_of_the_file_turns_the_link_off(tmp_path: Path) -> None:
    file = tmp_path / "skerry.toml"
    file.write_text("[sync]\nhub_uri = 'mongodb://h'\nrules = 'shop.*=both'\n[server]\nbind_port = 4711\n")
    settings = load_settings(file=file)
    assert (settings.sync, settings.server.bind_port) == (None, 4711)
    assert settings.sync_fault is not None
    assert settings.sync_fault.setting == "sync.rules"


def test_a_file_that_is_no_toml_is_refused_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "skerry.toml"
    file.write_text("[engine\n")
    with pytest.raises(ConfigurationError, match="expected valid TOML") as caught:
        load_settings(file=file)
    assert caught.value.setting == str(file)


def test_a_mistyped_hub_uri_is_not_repeated_in_the_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(arguments={"sync": {"hub_uri": "mongo://user:secret@hub", "rules": ()}})
    assert "secret" not in str(caught.value)
    assert caught.value.value == ""


def test_the_hub_uri_does_not_show_in_the_representation() -> None:
    arguments: dict[str, dict[str, Any]] = {
        "sync": {"hub_uri": "mongodb://user:secret@hub", "rules": (SelectionRule("a.b", Direction.BOTH),)}
    }
    assert "secret" not in repr(load_settings(arguments=arguments))


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False), ("0", False), ("1", True)])
def test_a_switch_is_read_from_the_environment(text: str, value: bool) -> None:
    settings = load_settings(environment={"SKERRY_ENGINE_AUTO_CREATE_COLLECTIONS": text})
    assert settings.engine.auto_create_collections is value


@pytest.mark.parametrize("value", [0, 1, "false"])
def test_a_switch_in_the_file_is_true_or_false_and_nothing_else(tmp_path: Path, value: object) -> None:
    file = tmp_path / "skerry.toml"
    file.write_text("[engine]\nauto_create_collections = false\n")
    assert load_settings(file=file).engine.auto_create_collections is False
    file.write_text(f"[engine]\nauto_create_collections = {value!r}\n")
    with pytest.raises(ConfigurationError, match="true or false"):
        load_settings(file=file)
    with pytest.raises(ConfigurationError, match="true or false"):
        load_settings(environment={"SKERRY_ENGINE_AUTO_CREATE_COLLECTIONS": "maybe"})


def test_the_admin_api_is_off_until_it_has_an_address() -> None:
    assert load_settings(environment={"SKERRY_ADMIN_TOKEN": "0123456789abcdef"}).admin is None
    admin = load_settings(environment={"SKERRY_ADMIN_TOKEN": "0123456789abcdef", "SKERRY_ADMIN_BIND_PORT": "0"}).admin
    assert admin is not None
    assert (admin.bind_host, admin.bind_port, admin.token) == ("127.0.0.1", 0, "0123456789abcdef")
