"""`skerry token`: made once, hashed at rest, worthless once removed."""

import json
from pathlib import Path

import pytest
from tests.conftest import Run

from skerry.admin.tokens import Caller, Role, Tokens
from skerry.cli.open_database import opened


def caller(data: Path, token: str) -> Caller | None:
    with opened(data) as engine:
        return Tokens(engine).caller(token)


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_a_token_is_shown_once_and_lets_its_owner_in(run: Run, data: Path, role: str) -> None:
    code, out, err = run("token", "add", "ops", "--data", data, "--role", role)
    token = out.strip()
    assert code == 0
    assert "not shown again" in err
    assert token not in err
    assert caller(data, token) == Caller("ops", Role[role.upper()])
    for more in ((), ("--json",)):
        _, listed, _ = run("token", "list", "--data", data, *more)
        assert "ops" in listed
        assert role in listed
        assert token not in listed
    for file in data.iterdir():
        assert token.encode() not in file.read_bytes(), file
    assert run("token", "remove", "ops", "--data", data)[:2] == (0, "removed ops\n")
    assert caller(data, token) is None


def test_the_role_is_viewer_unless_another_is_given(run: Run, data: Path) -> None:
    made = json.loads(run("token", "add", "ops", "--data", data, "--json")[1])
    assert (made["name"], made["role"]) == ("ops", "viewer")
    assert caller(data, made["token"]) == Caller("ops", Role.VIEWER)


def test_mistakes_are_refused(run: Run, data: Path, tmp_path: Path) -> None:
    assert run("token", "list", "--data", data)[:2] == (0, "no tokens\n")
    run("token", "add", "ops", "--data", data)
    for arguments, code, words in (
        (("add", "ops", "--data", data), 1, "remove it first"),
        (("add", "run", "--data", data), 1, "not for use"),
        (("add", "a b", "--data", data), 2, "1 to 64 letters"),
        (("add", "x", "--data", data, "--role", "king"), 2, "viewer"),
        (("remove", "none", "--data", data), 1, "no token called 'none'"),
        (("list", "--data", tmp_path / "none"), 3, "no database"),
    ):
        found, out, err = run("token", *arguments)
        assert (found, out) == (code, ""), arguments
        assert words in err
