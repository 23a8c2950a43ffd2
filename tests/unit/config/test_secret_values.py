"""Where secrets may come from, and that they show nowhere."""

import builtins
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keyring
import keyring.errors
import pytest
from keyring.backend import KeyringBackend

from skerry.config import Settings, SyncConfig, effective_settings, load_settings, parse_rule
from skerry.config.hub_uri import without_secrets
from skerry.errors import ConfigurationError

SECRET = "sesame-open-sesame"
RULES = {"SKERRY_SYNC_RULES": "shop.*=both"}
TLS = {"SKERRY_SERVER_TLS_CERTIFICATE_FILE": "/c.pem"}
ADMIN = {"SKERRY_ADMIN_BIND_PORT": "0"}
PLACES = (
    ("SKERRY_ADMIN_TOKEN", ADMIN, lambda settings: settings.admin.token),
    ("SKERRY_SERVER_TLS_KEY_PASSWORD", TLS, lambda settings: settings.server.tls_key_password),
    (
        "SKERRY_SYNC_HUB_PASSWORD",
        {**RULES, "SKERRY_SYNC_HUB_URI": "mongodb://iris@hub"},
        lambda settings: settings.sync.hub_password,
    ),
)


class MemoryKeyring(KeyringBackend):
    """A keyring that is a dictionary; `failure` is raised instead of looking."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}
        self.failure: Exception | None = None

    def get_password(self, service: str, username: str) -> str | None:
        if self.failure:
            raise self.failure
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    before, made = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def everything_shown(settings: Settings) -> str:
    configs: Mapping[str, Any] = {
        "engine": settings.engine,
        "server": settings.server,
        "sync": settings.sync,
        "admin": settings.admin,
    }
    shown = [asdict(each) for each in effective_settings(configs, settings.sources)]
    return f"{settings!r} {json.dumps(shown)} {settings.warnings} {settings.sync_fault}"


@pytest.mark.parametrize(("variable", "more", "found"), PLACES, ids=[place[0] for place in PLACES])
def test_a_secret_comes_from_a_variable_a_file_or_the_keyring_and_is_never_shown(
    variable: str, more: dict[str, str], found: Any, tmp_path: Path, ring: MemoryKeyring
) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\nand a second line\n")
    file.chmod(0o600)
    ring.set_password("skerry", "edge/17", "another")
    ring.set_password("skerry/edge", "17", SECRET)
    for given in (
        {variable: SECRET},
        {f"{variable}_FILE": str(file)},
        {variable: "keyring:skerry/edge/17"},
    ):
        settings = load_settings(environment={**more, **given})
        assert found(settings) == SECRET, given
        assert settings.warnings == ()
        assert SECRET not in everything_shown(settings), given


def test_the_hub_uri_may_lie_in_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "hub"
    file.write_text(f"mongodb://iris:{SECRET}@hub/?appName=edge\n")
    file.chmod(0o600)
    settings = load_settings(environment={**RULES, "SKERRY_SYNC_HUB_URI_FILE": str(file)})
    assert settings.sync is not None
    assert SECRET in settings.sync.hub_uri
    assert SECRET not in everything_shown(settings)
    assert settings.sources["sync"]["hub_uri"].name == f"SKERRY_SYNC_HUB_URI_FILE: {file}"


def test_the_settings_file_can_name_the_file_of_a_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET)
    (tmp_path / "skerry.toml").write_text(f"[admin]\nbind_port = 0\ntoken_file = '{tmp_path}/token'\n")
    settings = load_settings(file=tmp_path / "skerry.toml")
    assert settings.admin is not None
    assert settings.admin.token == SECRET


def test_a_file_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    file.chmod(0o644)
    (warning,) = load_settings(environment={**ADMIN, "SKERRY_ADMIN_TOKEN_FILE": str(file)}).warnings
    assert str(file) in warning
    assert SECRET not in warning


def test_a_secret_and_its_file_together_are_refused(tmp_path: Path) -> None:
    environment = {**ADMIN, "SKERRY_ADMIN_TOKEN": SECRET, "SKERRY_ADMIN_TOKEN_FILE": str(tmp_path / "x")}
    with pytest.raises(ConfigurationError, match=r"SKERRY_ADMIN_TOKEN_FILE: expected either admin\.token") as caught:
        load_settings(environment=environment)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"\nsecond\n", b"\xff\xfe"])
def test_a_file_without_a_secret_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment={**ADMIN, "SKERRY_ADMIN_TOKEN_FILE": str(file)})
    assert caught.value.setting == "admin.token_file"
    assert str(file) in str(caught.value)


def test_only_secrets_may_lie_in_files() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment={"SKERRY_ENGINE_CURSORS_MAX_FILE": "/x"})
    assert caught.value.setting == "engine.cursors_max_file"


@pytest.mark.parametrize("reference", ["keyring:", "keyring:skerry", "keyring:/x", "keyring:skerry/none"])
def test_a_reference_to_nothing_is_refused(ring: MemoryKeyring, reference: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment={**ADMIN, "SKERRY_ADMIN_TOKEN": reference})
    assert caught.value.setting == "admin.token"
    assert "keyring" in caught.value.allowed


def test_a_locked_keyring_is_told(ring: MemoryKeyring) -> None:
    ring.failure = keyring.errors.KeyringLocked()
    with pytest.raises(ConfigurationError, match="KeyringLocked"):
        load_settings(environment={**ADMIN, "SKERRY_ADMIN_TOKEN": "keyring:skerry/edge"})


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_keyring(name: str, *rest: Any) -> Any:
        if name.startswith("keyring"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_keyring)
    with pytest.raises(ConfigurationError, match=r"skerry\[keyring\]"):
        load_settings(environment={**ADMIN, "SKERRY_ADMIN_TOKEN": "keyring:skerry/edge"})


def test_a_secret_of_the_wrong_type_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "skerry.toml").write_text("[admin]\ntoken = 12345678901234567\n")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file=tmp_path / "skerry.toml")
    assert "12345678901234567" not in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        f"mongodb://iris:{SECRET}@hub:port",
        f"mongodb://iris:{SECRET}/@hub",
        f"mongodb://iris:{SECRET}@hub/?tls=maybe",
        f"mongodb:/iris:{SECRET}@hub",
    ],
)
def test_a_hub_uri_that_cannot_be_read_is_refused_without_repeating_it(uri: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SyncConfig(hub_uri=uri, rules=(parse_rule("a.b=both"),))
    assert caught.value.setting == "sync.hub_uri"
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("uri", ["mongodb://hub", "mongodb://iris:other@hub"])
def test_a_password_for_nobody_or_beside_another_is_refused(uri: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SyncConfig(hub_uri=uri, hub_password=SECRET, rules=(parse_rule("a.b=both"),))
    assert caught.value.setting == "sync.hub_password"
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("mongodb://a:b@h:1/x?tls=true", "mongodb://…@h:1/x?tls=true"),
        (
            "mongodb://h/?tlsCertificateKeyFilePassword=s&tls=true",
            "mongodb://h/?tlsCertificateKeyFilePassword=…&tls=true",
        ),
        (
            "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:s,B:c",
            "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:…,B:c",
        ),
        ("mongodb://h", "mongodb://h"),
    ],
)
def test_a_uri_is_shown_without_its_secrets(uri: str, shown: str) -> None:
    assert without_secrets(uri) == shown
