"""`skerry user`: what it does to the users, and where it takes passwords from."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from skerry.auth.credentials import stored_keys
from skerry.cli.main import app
from skerry.engine.engine import Engine
from skerry.errors import BadValueError, NotADatabaseError, RoleNotFoundError, UserNotFoundError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    Engine(tmp_path / "data").close()
    return tmp_path / "data"


def run(data: Path, *arguments: str, entered: str | None = None, **environment: str) -> Result:
    verb, *rest = arguments
    return CliRunner().invoke(app, ["user", verb, *rest, "--data", str(data)], input=entered, env=environment)


def add_alice(data: Path) -> None:
    assert run(data, "add", "alice", "--role", "root", "--password-env", "PW", PW="secret").exit_code == 0


def salts(data: Path) -> list[bytes]:
    engine = Engine(data)
    keys = [stored_keys(record["credentials"], "SCRAM-SHA-256") for record in engine.users.find(None)]
    engine.close()
    return [each.salt for each in keys if each is not None]


def test_a_user_is_added_listed_and_removed(data: Path) -> None:
    add_alice(data)
    roles = ("--role", "read", "--role", "readWrite@other")
    result = run(data, "add", "bob", "--db", "shop", *roles, "--password-env", "PW", PW="x")
    assert result.output == "added bob@shop\n"
    assert run(data, "list").output == "alice@admin: root@admin\nbob@shop: read@shop, readWrite@other\n"
    assert json.loads(run(data, "list", "--json").output)[0] == {
        "user": "alice",
        "db": "admin",
        "roles": [{"role": "root", "db": "admin"}],
    }
    assert run(data, "remove", "bob", "--db", "shop").output == "removed bob@shop\n"
    assert run(data, "list").output == "alice@admin: root@admin\n"


def test_the_password_is_asked_for_twice_and_not_shown(data: Path) -> None:
    result = run(data, "add", "alice", "--role", "root", entered="secret\nsecret\n")
    assert result.exit_code == 0
    assert "secret" not in result.output


def test_the_password_comes_from_a_file_or_the_standard_input(data: Path, tmp_path: Path) -> None:
    add_alice(data)
    before = salts(data)
    (tmp_path / "pw").write_text("new secret\nnot this\n")
    assert run(data, "password", "alice", "--password-file", str(tmp_path / "pw")).exit_code == 0
    middle = salts(data)
    assert run(data, "password", "alice", "--password-file", "-", entered="newer\n").exit_code == 0
    assert len({*before, *middle, *salts(data)}) == 3


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("add", "bob", "--role", "nonsense", "--password-env", "PW"), RoleNotFoundError),
        (("add", "bob", "--role", "root@shop", "--password-env", "PW"), RoleNotFoundError),
        (("add", "bob", "--role", "root", "--password-env", "NO_SUCH_VARIABLE"), BadValueError),
        (("add", "bob", "--role", "root", "--password-env", "PW", "--password-file", "-"), BadValueError),
        (("remove", "nobody"), UserNotFoundError),
        (("password", "nobody", "--password-env", "PW"), UserNotFoundError),
    ],
)
def test_what_cannot_be_is_refused(data: Path, arguments: tuple[str, ...], kind: type[Exception]) -> None:
    add_alice(data)
    result = run(data, *arguments, PW="x")
    assert isinstance(result.exception, kind)


def test_the_first_user_has_to_be_able_to_make_others(data: Path) -> None:
    result = run(data, "add", "bob", "--role", "read@shop", "--password-env", "PW", PW="x")
    assert isinstance(result.exception, BadValueError)


def test_where_there_is_no_database_none_is_made(tmp_path: Path) -> None:
    result = run(tmp_path / "none", "list")
    assert isinstance(result.exception, NotADatabaseError)
    assert not (tmp_path / "none").exists()
