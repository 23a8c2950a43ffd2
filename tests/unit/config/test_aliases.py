"""Variables of other systems: what they set here, and what is refused."""

from typing import Any

import pytest

from skerry.config import ConflictPolicy, Direction, SelectionRule, effective_settings, load_settings
from skerry.config.aliases import ALIASES, NO_EFFECT, RULE_ALIASES, database_of
from skerry.errors import ConfigurationError

HUB = "mongodb://hub:27017/bomba"
LINK = {"MONGODB_ATLAS_URI": HUB, "SYNC_ENABLED": "true"}
SAMPLES = {
    "CHANGE_STREAM_RECONNECT_INTERVAL": ("2000", "backoff_ms_min", 2000),
    "CONFLICT_RESOLUTION_STRATEGY": ("last-write-wins", "conflict_policy", ConflictPolicy.LWW),
    "MONGODB_ATLAS_URI": (HUB, "hub_uri", HUB),
    "SYNC_BATCH_SIZE": ("50", "batch_documents_max", 50),
    "SYNC_ENABLED": ("true", "enabled", True),
    "SYNC_QUEUE_MAX_SIZE": ("100", "dirty_documents_max", 100),
    "SYNC_WORKER_BATCH_SIZE": ("70", "batch_documents_max", 70),
}


def rules(*texts: str) -> tuple[SelectionRule, ...]:
    return tuple(SelectionRule(pattern, Direction(way)) for pattern, _, way in (text.partition("=") for text in texts))


def test_every_alias_of_the_link_sets_what_it_stands_for_and_is_its_source() -> None:
    assert SAMPLES.keys() == {alias.variable for alias in ALIASES if alias.table == "sync"}
    for variable, (text, setting, value) in SAMPLES.items():
        settings = load_settings(environment={**LINK, variable: text})
        assert settings.sync is not None, variable
        assert getattr(settings.sync, setting) == value, variable
        shown = {each.name: each for each in effective_settings({"sync": settings.sync}, settings.sources)}
        assert (shown[setting].source, shown[setting].origin) == ("environment", variable)


def test_the_local_uri_gives_the_port() -> None:
    assert load_settings(environment={"MONGODB_LOCAL_URI": "mongodb://db:4711/bomba"}).server.bind_port == 4711
    assert load_settings(environment={"MONGODB_LOCAL_URI": "mongodb://localhost/bomba"}).server.bind_port == 27017
    assert load_settings(environment={"MONGODB_LOCAL_URI": "mongodb://db:4711"}).server.bind_host == "127.0.0.1"
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment={"MONGODB_LOCAL_URI": "mongodb://localhost:99999"})
    assert caught.value.setting == "MONGODB_LOCAL_URI"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, rules("bomba.*=push")),
        ({"BIDIRECTIONAL_SYNC_ENABLED": "true"}, rules("bomba.*=both")),
        (
            {"SYNC_EXCLUDED_COLLECTIONS": "sessions, logs,"},
            rules("bomba.sessions=none", "bomba.logs=none", "bomba.*=push"),
        ),
        (
            {"BIDIRECTIONAL_SYNC_ENABLED": "true", "BIDIRECTIONAL_EXCLUDED_COLLECTIONS": "logs"},
            rules("bomba.logs=push", "bomba.*=both"),
        ),
        ({"BIDIRECTIONAL_EXCLUDED_COLLECTIONS": "logs"}, rules("bomba.*=push")),
        ({"MONGODB_ATLAS_URI": "mongodb://hub"}, rules("*.*=push")),
    ],
)
def test_switches_and_exclusions_become_rules(environment: dict[str, str], expected: tuple[SelectionRule, ...]) -> None:
    settings = load_settings(environment={**LINK, **environment})
    assert settings.sync is not None
    assert settings.sync.rules == expected


def test_rules_of_ones_own_stand_where_only_the_switch_is_on() -> None:
    settings = load_settings(environment={**LINK, "SKERRY_SYNC_RULES": "shop.*=pull"})
    assert settings.sync is not None
    assert settings.sync.rules == rules("shop.*=pull")
    assert settings.sources["sync"]["rules"].name == "SKERRY_SYNC_RULES"


def test_the_command_line_wins_over_an_alias_and_the_file_gives_way(tmp_path: Any) -> None:
    file = tmp_path / "skerry.toml"
    file.write_text("[sync]\nbatch_documents_max = 10\n")
    environment = {**LINK, "SYNC_BATCH_SIZE": "20", "SYNC_EXCLUDED_COLLECTIONS": "logs"}
    settings = load_settings(file=file, environment=environment)
    assert settings.sync is not None
    assert settings.sync.batch_documents_max == 20
    settings = load_settings(environment=environment, arguments={"sync": {"rules": rules("a.*=both")}})
    assert settings.sync is not None
    assert settings.sync.rules == rules("a.*=both")


@pytest.mark.parametrize(
    ("environment", "first", "second"),
    [
        ({"SYNC_BATCH_SIZE": "20", "SYNC_WORKER_BATCH_SIZE": "30"}, "SYNC_WORKER_BATCH_SIZE", "SYNC_BATCH_SIZE"),
        (
            {"SYNC_BATCH_SIZE": "20", "SKERRY_SYNC_BATCH_DOCUMENTS_MAX": "30"},
            "SYNC_BATCH_SIZE",
            "SKERRY_SYNC_BATCH_DOCUMENTS_MAX",
        ),
        ({"SKERRY_SYNC_HUB_URI": "mongodb://other"}, "MONGODB_ATLAS_URI", "SKERRY_SYNC_HUB_URI"),
        (
            {"SYNC_EXCLUDED_COLLECTIONS": "logs", "SKERRY_SYNC_RULES": "shop.*=both"},
            "SYNC_EXCLUDED_COLLECTIONS",
            "SKERRY_SYNC_RULES",
        ),
    ],
)
def test_two_names_for_one_setting_that_differ_are_refused_by_name(
    environment: dict[str, str], first: str, second: str
) -> None:
    settings = load_settings(environment={**LINK, **environment})
    assert settings.sync is None
    assert settings.sync_fault is not None
    assert settings.sync_fault.setting == first
    assert second in settings.sync_fault.allowed
    assert "other" not in str(settings.sync_fault)


def test_two_names_that_agree_are_no_conflict() -> None:
    settings = load_settings(environment={**LINK, "SYNC_BATCH_SIZE": "20", "SKERRY_SYNC_BATCH_DOCUMENTS_MAX": "20"})
    assert settings.sync is not None
    assert settings.sources["sync"]["batch_documents_max"].name == "SKERRY_SYNC_BATCH_DOCUMENTS_MAX"


def test_a_conflict_outside_sync_refuses_the_start() -> None:
    environment = {"MONGODB_LOCAL_URI": "mongodb://localhost:1", "SKERRY_SERVER_BIND_PORT": "2"}
    with pytest.raises(ConfigurationError, match=r"MONGODB_LOCAL_URI.*SKERRY_SERVER_BIND_PORT"):
        load_settings(environment=environment)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("CHANGE_STREAM_RECONNECT_INTERVAL", "999"),
        ("CONFLICT_RESOLUTION_STRATEGY", "mine"),
        ("SYNC_BATCH_SIZE", "1001"),
        ("SYNC_ENABLED", "maybe"),
        ("SYNC_QUEUE_MAX_SIZE", "many"),
        ("BIDIRECTIONAL_SYNC_ENABLED", "maybe"),
    ],
)
def test_an_impossible_value_turns_the_link_off_and_names_the_variable(variable: str, text: str) -> None:
    settings = load_settings(environment={**LINK, variable: text})
    assert settings.sync is None
    assert settings.sync_fault is not None
    assert settings.sync_fault.setting == variable
    assert settings.sync_fault.allowed


def test_an_empty_variable_counts_as_not_set() -> None:
    empty = dict.fromkeys([*(alias.variable for alias in ALIASES), *RULE_ALIASES, *NO_EFFECT], "")
    settings = load_settings(environment=empty)
    assert (settings.sync, settings.sync_fault, settings.warnings) == (None, None, ())


def test_what_only_tunes_a_link_asks_for_none() -> None:
    settings = load_settings(environment={"SYNC_BATCH_SIZE": "20", "SYNC_EXCLUDED_COLLECTIONS": "logs"})
    assert (settings.sync, settings.sync_fault) == (None, None)
    settings = load_settings(environment={"SYNC_ENABLED": "true"})
    assert settings.sync_fault is not None
    assert settings.sync_fault.setting == "sync.hub_uri"


def test_a_variable_without_effect_and_a_collection_in_both_lists_are_warned_of() -> None:
    settings = load_settings(environment=dict.fromkeys(NO_EFFECT, "1"))
    assert len(settings.warnings) == len(NO_EFFECT)
    assert settings.sync_fault is None
    both = {"SYNC_EXCLUDED_COLLECTIONS": "a,b", "BIDIRECTIONAL_EXCLUDED_COLLECTIONS": "b,c"}
    (warning,) = load_settings(environment={**LINK, **both}).warnings
    assert "both name b" in warning


def test_the_database_of_a_uri_is_found_behind_names_and_before_options() -> None:
    assert database_of("mongodb://a:p%40@h1:1,h2/shop?tls=true") == "shop"
    assert database_of("mongodb+srv://h/?a=/b") == "*"
    assert database_of("mongodb://h") == "*"
