"""What a person can do wrong: one line that says so, an exit code for it, and never a traceback."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conftest import Run

from skerry.admin import run_file
from skerry.admin.run_file import RunFile


@dataclass(frozen=True, slots=True)
class Mistake:
    """`{tmp}` in the arguments is a directory with what `site` puts there, `{port}` one that somebody has."""

    arguments: str
    code: int
    words: str


USAGE = (
    Mistake("serve", 2, "--data"),
    Mistake("serve --data {tmp}/file", 2, "is a file"),
    Mistake("serve --data {tmp}/data --bind nowhere", 2, "HOST:PORT"),
    Mistake("serve --data {tmp}/data --bind 127.0.0.1:65536", 2, "HOST:PORT"),
    Mistake("serve --data {tmp}/data --admin 27080", 2, "--admin cannot be '27080'"),
    Mistake("serve --data {tmp}/data --config {tmp}/gone.toml", 2, "does not exist"),
    Mistake("serve --data {tmp}/data --config {tmp}/broken.toml", 2, "valid TOML"),
    Mistake("serve --data {tmp}/data --config {tmp}/binary.toml", 2, "valid TOML"),
    Mistake("serve --data {tmp}/data --config {tmp}/unknown.toml", 2, "engine.cursers_max"),
    Mistake("serve --data {tmp}/data --config {tmp}/type.toml", 2, "a whole number"),
    Mistake("serve --data {tmp}/data --config {tmp}/certificate.toml", 2, "server.tls_certificate_file"),
    Mistake("serve --data {tmp}/data --hub mongodb://hub", 2, "at least one PATTERN=DIRECTION"),
    Mistake("serve --data {tmp}/data --sync shop.*=both", 2, "sync.hub_uri"),
    Mistake("serve --data {tmp}/data --hub mongodb://hub --sync shop.*=up", 2, "one of both, pull, push, none"),
    Mistake("serve --data {tmp}/data --hub hub --sync shop.*=both", 2, "begins with mongodb://"),
    Mistake("serve --data {tmp}/data --hub mongodb://a:sesame@hub --sync shop.*=both", 2, "without a password"),
    Mistake("serve --data {tmp}/data --token sesame", 2, "No such option"),
    Mistake("config --bind :1", 2, "HOST:PORT"),
    Mistake("sevre", 2, "No such command"),
    Mistake("status --url ftp://x", 2, "http://"),
    Mistake("status --data {tmp}/none", 2, "does not exist"),
    Mistake("status --url http://127.0.0.1:1 --data {tmp}/data", 2, "either --data or --url"),
    Mistake("status --token-file {tmp}/binary.toml", 2, "a file with text"),
    Mistake("status --token-file {tmp}/empty", 2, "it is empty"),
    Mistake("top --interval 0", 2, "0.1"),
    Mistake("conflicts show first", 2, "integer"),
    Mistake("conflicts resolve 1 --take theirs", 2, "remote"),
    Mistake("conflicts resolve 1 --document {tmp}/binary.toml", 2, "JSON"),
    Mistake("selection --set shop.orders=sideways", 2, "one of both, pull, push, none"),
    Mistake("user add iris --data {tmp}/data --role root --password-file {tmp}/none", 2, "can be read"),
    Mistake("user add iris --data {tmp}/data --role root --password sesame", 2, "No such option"),
    Mistake("token add ops --data {tmp}/data --role king", 2, "viewer"),
)
FAILURES = (
    Mistake("serve --data {tmp}/data --bind 127.0.0.1:{port}", 1, "cannot listen on 127.0.0.1:{port}"),
    Mistake(
        "serve --data {tmp}/data --bind 127.0.0.1:0 --admin 127.0.0.1:{port}", 1, "cannot listen on 127.0.0.1:{port}"
    ),
    Mistake("serve --data {tmp}/data --bind 127.0.0.1:0 --unix-socket {tmp}/none/s", 1, "{tmp}/none/s"),
    Mistake("backup {tmp}/data --data {tmp}/none", 3, "no database"),
    Mistake("restore {tmp}/file --data {tmp}/new", 1, "{tmp}/file"),
    Mistake("doctor --data {tmp}/none", 3, "no database"),
    Mistake("validate {tmp}/none", 3, "no database"),
    Mistake("compact {tmp}/none", 3, "no database"),
    Mistake("user list --data {tmp}/none", 3, "no database"),
    Mistake("user add iris --data {tmp}/data --role pirate --password-env PATH", 1, "pirate"),
    Mistake("user add iris --data {tmp}/data --role root --password-env NO_SUCH", 1, "NO_SUCH"),
    Mistake("user remove nobody --data {tmp}/data", 1, "nobody"),
    Mistake("status --data {tmp}/data", 4, "no node with an admin API"),
    Mistake("status --data {tmp}/left", 4, "no node answers"),
    Mistake("top --url http://127.0.0.1:1", 4, "no node answers"),
    Mistake("sync stop --url http://127.0.0.1:1", 4, "no node answers"),
    Mistake("conflicts export --url http://127.0.0.1:1 --file {tmp}/none/x", 1, "{tmp}/none/x"),
)


@pytest.fixture
def site(data: Path) -> Iterator[tuple[Path, int]]:
    """A directory with a database, broken files and what a killed node has left; and a port that somebody has."""
    there = data.parent
    (there / "file").write_text("a file")
    (there / "empty").write_text("")
    (there / "broken.toml").write_text("[engine\n")
    (there / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (there / "unknown.toml").write_text("[engine]\ncursers_max = 20\n")
    (there / "type.toml").write_text("[engine]\ncursors_max = 'many'\n")
    (there / "certificate.toml").write_text("[server]\ntls_certificate_file = '/none.pem'\nbind_port = 0\n")
    (there / "left").mkdir()
    run_file.write(there / "left", RunFile("http://127.0.0.1:1", "x", 1))
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        yield there, taken.getsockname()[1]


@pytest.mark.parametrize("mistake", [*USAGE, *FAILURES], ids=lambda mistake: mistake.arguments)
def test_a_mistake_is_told_without_a_traceback(
    run: Run, site: tuple[Path, int], mistake: Mistake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")

    def filled(text: str) -> str:
        return text.replace("{tmp}", str(site[0])).replace("{port}", str(site[1]))

    code, out, err = run(*(filled(word) for word in mistake.arguments.split()))
    assert (code, out) == (mistake.code, "")
    assert filled(mistake.words) in err
    assert "Traceback" not in err
    assert "sesame" not in err
    *log, last = err.splitlines()
    if mistake.code != 2 or last.startswith("skerry:"):  # else it is an explanation of the usage
        assert last.startswith("skerry: ")
        assert all(line.startswith("20") for line in log)
