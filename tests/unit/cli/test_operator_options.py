"""Where the token for a node's admin API comes from."""

from pathlib import Path

import keyring
import pytest

from skerry.cli.operator_options import connect
from skerry.errors import ConfigurationError

URL = "http://127.0.0.1:1"


def token(file: Path | None = None) -> str | None:
    return connect(None, URL, file)._headers.get("Authorization")


def test_the_token_comes_from_the_named_file_or_a_variable_or_the_file_that_one_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert token() is None
    (tmp_path / "named").write_text("of-the-option\n")
    (tmp_path / "variable").write_text("of-the-variable\r\n")
    monkeypatch.setenv("SKERRY_ADMIN_TOKEN", "itself")
    assert token() == "Bearer itself"
    monkeypatch.setenv("SKERRY_ADMIN_TOKEN_FILE", str(tmp_path / "variable"))
    assert token() == "Bearer of-the-variable"
    assert token(tmp_path / "named") == "Bearer of-the-option"
    monkeypatch.setenv("SKERRY_ADMIN_TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="SKERRY_ADMIN_TOKEN_FILE"):
        token()


def test_the_variable_may_refer_to_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "get_password", lambda service, name: f"{service} {name}")
    monkeypatch.setenv("SKERRY_ADMIN_TOKEN", "keyring:skerry/edge")
    assert token() == "Bearer skerry edge"
