"""What every configuration has in common, and the little languages inside settings."""

import dataclasses

import pytest

from skerry.config import (
    AdminConfig,
    Direction,
    EngineConfig,
    SelectionRule,
    ServerConfig,
    SyncConfig,
    parse_bind,
    parse_rule,
)
from skerry.errors import ConfigurationError

UNITLESS = {"batches_in_flight", "bind_port", "connections_max", "cursors_max", "transactions_max"}
UNITS = ("_bytes_max", "_ms", "_ms_min", "_ms_max", "_kib", "_documents_max")


@pytest.mark.parametrize("config", [AdminConfig, EngineConfig, ServerConfig, SyncConfig])
def test_every_setting_has_a_help_text_and_every_number_a_unit(config: type) -> None:
    for field in dataclasses.fields(config):
        assert field.metadata["help"].endswith("."), field.name
        if field.type in {int, int | None}:
            assert field.name.endswith(UNITS) or field.name in UNITLESS, field.name
            assert "least" in field.metadata, field.name


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:27017", "127.0.0.1", 27017), ("[::1]:0", "::1", 0), ("edge.local:65535", "edge.local", 65535)],
)
def test_bind_addresses(text: str, host: str, port: int) -> None:
    assert parse_bind(text) == (host, port)


@pytest.mark.parametrize(
    "text", ["", "localhost", "27017", ":27017", "a:b", "::1:27017", "[]:1", "a:65536", "a:-1", "a:٣"]
)
def test_bind_addresses_that_are_none(text: str) -> None:
    with pytest.raises(ConfigurationError, match="HOST:PORT"):
        parse_bind(text)


def test_a_rule_is_a_pattern_and_a_direction() -> None:
    assert parse_rule("shop.a=b=pull") == SelectionRule("shop.a=b", Direction.PULL)


def test_the_longest_wait_is_not_shorter_than_the_first() -> None:
    with pytest.raises(ConfigurationError) as caught:
        SyncConfig(hub_uri="mongodb://hub", rules=(parse_rule("a.b=both"),), backoff_ms_min=100, backoff_ms_max=99)
    assert caught.value.setting == "sync.backoff_ms_max"


@pytest.mark.parametrize("name", ["", "a\nb", "hub\x00"])
def test_the_name_of_a_link_is_one_line(name: str) -> None:
    with pytest.raises(ConfigurationError, match="link_name"):
        SyncConfig(hub_uri="mongodb://hub", rules=(parse_rule("a.b=both"),), link_name=name)


def test_the_error_names_setting_value_and_what_is_allowed() -> None:
    with pytest.raises(ConfigurationError) as caught:
        EngineConfig(cursor_idle_ms_max=1)
    assert str(caught.value) == "engine.cursor_idle_ms_max cannot be 1: expected at least 1000"


def test_an_admin_token_is_long_and_never_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        AdminConfig(token="too-short")
    assert "too-short" not in str(caught.value)
    assert "long-enough-token" not in repr(AdminConfig(token="long-enough-token"))
