"""The commands on a terminal: colours and tables, prompts that show nothing, progress bars, Ctrl-C."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from skerry.cli.open_database import opened
from skerry.config import AdminConfig, ServerConfig
from skerry.node import Node

pytestmark = pytest.mark.slow
CTRL_C = 130
CLEAR = "\x1b["


def on_terminal(*arguments: object) -> "pexpect.spawn[Any]":
    words = ["-m", "skerry", *map(str, arguments)]
    return pexpect.spawn(
        sys.executable,
        words,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
        encoding="utf-8",
        timeout=30,
        dimensions=(40, 120),
    )


def ended(process: "pexpect.spawn[Any]") -> tuple[int | None, str]:
    """Wait for the end; return exit code and all that came after what was expected last."""
    process.expect(pexpect.EOF)
    shown = str(process.before)
    process.close()
    return process.exitstatus, shown


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of a node that runs, with an admin API."""
    data = tmp_path_factory.mktemp("node")
    made = Node(data, server=ServerConfig(bind_port=0), admin=AdminConfig(bind_port=0))
    made.start()
    yield data
    made.stop()


def test_status_is_a_table_with_colours(node: Path) -> None:
    process = on_terminal("status", "--data", node)
    process.expect("oplog spans")
    code, shown = ended(process)
    assert code == 0
    assert "no hub" in shown
    assert CLEAR in str(process.before) or CLEAR in shown


def test_top_redraws_until_ctrl_c(node: Path) -> None:
    process = on_terminal("top", "--data", node, "--interval", "0.1")
    for _ in range(2):
        process.expect("transactions")
    process.sendintr()
    code, shown = ended(process)
    assert code == CTRL_C
    assert "Traceback" not in shown
    assert "\x1b[?1049l" in shown, "the screen is as it was before"


def test_a_password_is_asked_for_twice_and_not_echoed(data: Path) -> None:
    process = on_terminal("user", "add", "iris", "--data", data, "--role", "root")
    process.expect("Password: ")
    process.waitnoecho(10)
    process.sendline("sesame")
    process.expect("Repeat for confirmation: ")
    between = str(process.before)
    process.waitnoecho(10)
    process.sendline("sesame")
    code, shown = ended(process)
    assert (code, shown.strip()) == (0, "added iris@admin")
    assert "sesame" not in between
    with opened(data) as engine:
        assert [each["user"] for each in engine.users.find(None)] == ["iris"]


def test_two_different_passwords_are_asked_for_again(data: Path) -> None:
    process = on_terminal("user", "add", "iris", "--data", data, "--role", "root")
    for entered in ("one", "two", "three", "three"):
        process.expect("(Password|confirmation): ")
        process.waitnoecho(10)
        process.sendline(entered)
    assert ended(process)[0] == 0


def test_ctrl_c_at_a_prompt_changes_nothing(data: Path) -> None:
    process = on_terminal("user", "add", "iris", "--data", data, "--role", "root")
    process.expect("Password: ")
    process.waitnoecho(10)
    process.sendintr()
    code, shown = ended(process)
    assert code == CTRL_C
    assert "Traceback" not in shown
    with opened(data) as engine:
        assert engine.users.find(None) == []


def test_ctrl_c_ends_a_node_as_any_signal_does(tmp_path: Path) -> None:
    process = on_terminal("serve", "--data", tmp_path / "data", "--bind", "127.0.0.1:0")
    process.expect("skerry ready ")
    process.sendintr()
    code, shown = ended(process)
    assert code == 0
    assert "Traceback" not in shown


def test_a_backup_draws_a_bar_on_a_terminal_and_none_into_a_pipe(data: Path, tmp_path: Path) -> None:
    process = on_terminal("backup", tmp_path / "a.zip", "--data", data)
    process.expect("━")
    process.expect("100 %")
    code, shown = ended(process)
    assert code == 0
    assert "5 documents in 1 collections" in shown
    command = [sys.executable, "-m", "skerry", "backup", str(tmp_path / "b.zip"), "--data", str(data)]
    piped = subprocess.run(command, capture_output=True, text=True, check=True)
    assert piped.stderr == ""
    assert piped.stdout.startswith(f"{tmp_path}/b.zip: 5 documents")
    assert CLEAR not in piped.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_the_shell_is_printed(shell: str) -> None:
    environment = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    command = [str(Path(sys.executable).with_name("skerry")), "--show-completion", shell]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert "_SKERRY_COMPLETE" in shown.stdout


def test_tab_offers_commands_and_the_names_of_things(data: Path) -> None:
    for words, expected in (
        ("skerry val", {"validate"}),
        (f"skerry validate {data} sh", {"shop.orders"}),
        (f"skerry validate {data}/none sh", set()),
        ("skerry serve --sync shop.*=pu", {"shop.*=pull", "shop.*=push"}),
        ("skerry token add x --role op", {"operator"}),
    ):
        environment = {
            **os.environ,
            "_SKERRY_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        command = [str(Path(sys.executable).with_name("skerry"))]
        shown = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert set(shown.stdout.split()) == expected, words
        assert shown.stderr == ""
