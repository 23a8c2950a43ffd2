"""What the settings are and where they came from."""

from skerry.config import EngineConfig, SyncConfig, effective_settings, load_settings, parse_rule
from skerry.config.effective import HIDDEN


def test_every_setting_says_where_it_came_from() -> None:
    settings = load_settings(
        environment={
            "SKERRY_ENGINE_CURSORS_MAX": "20",
            "SKERRY_ADMIN_TOKEN": "a-token-of-an-admin",
            "SKERRY_ADMIN_BIND_PORT": "0",
        },
        arguments={"engine": {"transactions_max": 30, "cursors_max": None}},
    )
    configs = {"engine": settings.engine, "sync": settings.sync, "admin": settings.admin}
    found = {(each.table, each.name): each for each in effective_settings(configs, settings.sources)}
    assert (found["engine", "cursors_max"].value, found["engine", "cursors_max"].source) == ("20", "environment")
    assert found["engine", "transactions_max"].source == "argument"
    assert found["engine", "auto_create_collections"].value == "true"
    assert found["engine", "oplog_bytes_max"].source == "default"
    assert (found["admin", "token"].value, found["admin", "token"].source) == (HIDDEN, "environment")
    assert not any(table == "sync" for table, _ in found)


def test_the_credentials_of_the_hub_are_left_out() -> None:
    config = SyncConfig(hub_uri="mongodb://iris:secret@hub:27017/?tls=true", rules=(parse_rule("a.b=both"),))
    found = {each.name: each for each in effective_settings({"sync": config})}
    assert found["hub_uri"].value == "mongodb://…@hub:27017/?tls=true"
    assert found["hub_uri"].source == "program"


def test_a_program_that_sets_nothing_has_the_defaults() -> None:
    assert {each.source for each in effective_settings({"engine": EngineConfig()})} == {"default"}
