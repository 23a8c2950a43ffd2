"""`skerry config`: where every setting comes from, and what it says of wrong ones."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run

SECRET = "sesame-open-sesame"


def settings_of(out: str) -> dict[str, Any]:
    return {f"{each['table']}.{each['name']}": each for each in json.loads(out)["settings"]}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a settings file, and variables beside it."""
    lines = ("[engine]", "cursors_max = 20", "[sync.rules]", '"shop.*" = "both"', "[admin]", "bind_port = 0")
    (tmp_path / "skerry.toml").write_text("\n".join(lines))
    monkeypatch.setenv("SKERRY_SERVER_CONNECTIONS_MAX", "30")
    monkeypatch.setenv("SKERRY_ADMIN_TOKEN", SECRET)
    monkeypatch.setenv("MONGODB_ATLAS_URI", f"mongodb://iris:{SECRET}@hub")
    return tmp_path


def test_every_setting_has_a_value_and_a_source_and_no_secret_is_shown(run: Run, site: Path) -> None:
    code, out, err = run("config", "--data", site, "--name", "kiosk", "--json")
    assert (code, err) == (0, "")
    found = settings_of(out)
    expected = {
        "engine.cursors_max": ("20", "file", f"{site}/skerry.toml"),
        "server.connections_max": ("30", "environment", "SKERRY_SERVER_CONNECTIONS_MAX"),
        "server.bind_port": ("27017", "default", ""),
        "sync.link_name": ("kiosk", "argument", "--name"),
        "sync.hub_uri": ("mongodb://…@hub", "environment", "MONGODB_ATLAS_URI"),
        "sync.rules": ("shop.*=both", "file", f"{site}/skerry.toml"),
        "admin.token": ("set; not shown", "environment", "SKERRY_ADMIN_TOKEN"),
    }
    for name, (value, source, origin) in expected.items():
        assert (found[name]["value"], found[name]["source"], found[name]["origin"]) == (value, source, origin)
    assert SECRET not in out


def test_the_table_says_the_same(run: Run, site: Path) -> None:
    code, out, _ = run("config", "--data", site, "--bind", "127.0.0.1:4711")
    assert code == 0
    assert SECRET not in out
    lines = {line.split("│")[1].strip(): line for line in out.splitlines() if "│" in line}
    assert "option --bind" in lines["server.bind_port"]
    assert "4711" in lines["server.bind_port"]
    assert "variable MONGODB_ATLAS_URI" in lines["sync.hub_uri"]
    assert f"file {site}/skerry.toml" in lines["engine.cursors_max"]
    assert "default" in lines["engine.transactions_max"]


def test_without_a_directory_there_are_the_defaults_and_the_environment(run: Run) -> None:
    code, out, _ = run("config", "--json")
    assert code == 0
    assert settings_of(out)["engine.cursors_max"]["source"] == "default"


@pytest.mark.parametrize(
    ("text", "setting", "allowed"),
    [
        ("[engine]\ncursors_max = 1\n", "engine.cursors_max cannot be 1", "at least 10"),
        ("[engine]\ncursors = 1\n", "engine.cursors:", "one of the settings oplog_bytes_max"),
        ("[motor]\n", "motor cannot be", "one of the tables engine, server, sync, admin"),
        ("[server]\nauth = 'yes'\n", "server.auth cannot be 'yes'", "true or false"),
        ("[engine\n", "skerry.toml", "valid TOML"),
        ("[sync]\non_full = 'wait'\n", "sync.on_full cannot be 'wait'", "one of block, spill, mark_collection"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed_and_the_exit_code_is_two(
    run: Run, tmp_path: Path, text: str, setting: str, allowed: str
) -> None:
    (tmp_path / "skerry.toml").write_text(text)
    code, _, err = run("config", "--data", tmp_path)
    assert code == 2
    assert setting in err
    assert allowed in err
    assert err.count("\n") == 1


def test_what_turns_only_the_link_off_is_told_in_json_too(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_BATCH_SIZE", "0")
    monkeypatch.setenv("SYNC_MAX_RETRIES", "5")
    code, out, err = run("config", "--json")
    found = json.loads(out)
    assert code == 2
    assert found["sync_fault"] == "SYNC_BATCH_SIZE cannot be 0: expected 1 to 1000"
    assert found["warnings"] == ["SYNC_MAX_RETRIES has no effect: the link tries for as long as it takes"]
    assert err == f"skerry: {found['sync_fault']}\n"
