"""The table of commands is complete, sorted and consistent."""

import pytest

from skerry.commands.command import InTransaction
from skerry.commands.command_registry import COMMANDS, find
from skerry.commands.unsupported_commands import UNSUPPORTED_COMMANDS
from skerry.errors import CommandNotFoundError, NotImplementedYetError


def test_the_table_is_alphabetical() -> None:
    assert list(COMMANDS) == sorted(COMMANDS, key=lambda name: (name.lower(), name))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_declared_under_its_own_name(name: str) -> None:
    assert COMMANDS[name].fields.name == name


def test_no_command_is_both_there_and_lacking() -> None:
    assert not UNSUPPORTED_COMMANDS & set(COMMANDS)


def test_only_commands_allowed_in_transactions_are_retryable() -> None:
    for name, command in COMMANDS.items():
        assert not command.is_retryable or command.in_transaction is not InTransaction.NO, name


def test_a_command_of_mongodb_that_is_lacking_is_named() -> None:
    with pytest.raises(NotImplementedYetError, match="mapReduce"):
        find("mapReduce")


@pytest.mark.parametrize("name", ["nonsense", "", "Find", "atlasVersion"])
def test_any_other_name_is_not_found(name: str) -> None:
    with pytest.raises(CommandNotFoundError) as caught:
        find(name)
    assert caught.value.message == f"no such command: '{name}'"
