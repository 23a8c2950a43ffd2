"""Tokens and the audit log in a store."""

from collections.abc import Iterator

import pytest

from skerry.admin.audit_log import AuditLog
from skerry.admin.tokens import SETTING, Caller, Role, Tokens, TokenTakenError
from skerry.engine.engine import Engine
from skerry.errors import ConfigurationError


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(":memory:")
    yield engine
    engine.close()


def test_a_token_lets_its_owner_in_until_it_is_removed(engine: Engine) -> None:
    tokens = Tokens(engine)
    token = tokens.create("ann", Role.OPERATOR)
    assert tokens.caller(token) == Caller("ann", Role.OPERATOR)
    assert tokens.caller(token + "x") is None
    assert tokens.caller("") is None
    assert tokens.caller("ünïcode") is None
    assert tokens.remove("ann")
    assert not tokens.remove("ann")
    assert tokens.caller(token) is None


def test_only_hashes_are_stored(engine: Engine) -> None:
    tokens = Tokens(engine)
    token = tokens.create("ann", Role.VIEWER)
    with engine.storage.read() as view:
        stored = view.setting(SETTING)
    assert "ann" in stored
    assert token not in stored
    assert tokens.run_token not in stored


def test_the_configured_token_replaces_the_one_of_the_last_start(engine: Engine) -> None:
    Tokens(engine).configure("first-token-of-many")
    tokens = Tokens(engine)
    tokens.configure("second-token-of-many")
    assert tokens.caller("first-token-of-many") is None
    assert tokens.caller("second-token-of-many") == Caller("configured", Role.ADMIN)


def test_the_run_token_belongs_to_one_run(engine: Engine) -> None:
    first, second = Tokens(engine), Tokens(engine)
    assert first.caller(first.run_token) == Caller("run", Role.ADMIN)
    assert second.caller(first.run_token) is None


def test_names_are_taken_once_and_two_are_not_for_use(engine: Engine) -> None:
    tokens = Tokens(engine)
    tokens.create("ann", Role.VIEWER)
    for name in ("ann", "configured", "run"):
        with pytest.raises(TokenTakenError):
            tokens.create(name, Role.ADMIN)
    with pytest.raises(ConfigurationError):
        tokens.create("no spaces", Role.ADMIN)
    assert [(each.name, each.role) for each in tokens.entries()] == [("ann", "viewer")]


def test_the_audit_log_is_read_newest_first_by_page_and_by_person(engine: Engine) -> None:
    log = AuditLog(engine)
    for number in range(5):
        log.add("ann" if number % 2 else "bob", "::1", f"POST /{number}", 200, {"n": number})
    newest = log.entries(limit=2)
    assert [entry.action for entry in newest] == ["POST /4", "POST /3"]
    assert [entry.action for entry in log.entries(before=newest[-1].id)] == ["POST /2", "POST /1", "POST /0"]
    assert [entry.details for entry in log.entries(who="ann")] == [{"n": 3}, {"n": 1}]
    assert log.entries(since_ms=newest[0].at_ms + 1) == []


def test_the_audit_log_makes_room(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry.admin.audit_log.ENTRIES_MAX", 3)
    log = AuditLog(engine)
    for number in range(5):
        log.add("ann", "::1", f"POST /{number}", 200, {})
    assert [entry.action for entry in log.entries()] == ["POST /4", "POST /3", "POST /2"]
