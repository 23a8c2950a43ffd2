"""Exit codes and the shape of error messages."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from skerry import __version__
from skerry.cli.main import app, exit_code, main
from skerry.errors import BadValueError, ConfigurationError, NotADatabaseError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadValueError("no"), 1),
        (OSError("address in use"), 1),
        (ConfigurationError("server.bind_port", -1, "0 to 65535"), 2),
        (NotADatabaseError("not a database", "x"), 3),
    ],
)
def test_kinds_of_errors_have_codes_of_their_own(error: Exception, code: int) -> None:
    assert exit_code(error) == code


def test_an_error_of_ours_is_one_line_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["skerry", "serve", "--data", str(tmp_path), "--bind", "nowhere"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("skerry: --bind cannot be 'nowhere'")
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize("argument", ["version", "--version"])
def test_version_names_what_decides_behaviour(argument: str) -> None:
    result = CliRunner().invoke(app, [argument])
    assert result.exit_code == 0
    assert result.stdout.startswith(f"skerry {__version__} (pymongo ")


def test_help_lists_the_subcommands() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert "serve" in result.stdout
