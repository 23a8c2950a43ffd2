"""What of MongoDB is there and what is refused, from the registries that decide it at run time."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from skerry.aggregation.accumulators.accumulator_registry import ACCUMULATORS, UNSUPPORTED_ACCUMULATORS
from skerry.aggregation.stage_registry import STAGES, UNSUPPORTED_STAGES
from skerry.aggregation.window_functions.window_registry import UNSUPPORTED_WINDOW_FUNCTIONS, WINDOW_FUNCTIONS
from skerry.commands.command import InTransaction
from skerry.commands.command_registry import COMMANDS
from skerry.commands.unsupported_commands import UNSUPPORTED_COMMANDS
from skerry.expressions import operator_registry
from skerry.matcher import filter_parser
from skerry.update import modifier_update
from tools.reference.markdown import names, table

ENGINE_STAGES: Final = ("$changeStream", "$collStats", "$listLocalSessions")
"""Stages that lead a pipeline and are answered by the engine."""
UNSUPPORTED_ENGINE_STAGES: Final = ("$currentOp", "$indexStats", "$listSessions")
INDEX_KINDS: Final = (
    ("single field, compound", True),
    ("multikey (arrays)", True),
    ("`unique`", True),
    ("`sparse`", True),
    ("`partialFilterExpression` with comparisons, `$in`, `$exists`, `$type`, `$and`, `$or`", True),
    ("`expireAfterSeconds` (TTL), looked at every 60 s", True),
    ("`hidden`", True),
    ("`collation` other than `simple`", False),
    ("text", False),
    ("2d, 2dsphere", False),
    ("hashed", False),
    ("wildcard", False),
    ("clustered, columnstore", False),
)
_WORDS: Final = {
    InTransaction.NO: "no",
    InTransaction.YES: "yes",
    InTransaction.NOT_FIRST: "not as the first",
    InTransaction.ENDS_IT: "ends it",
}
_COMPAT: Final = Path(__file__).parents[2] / "tests" / "compat" / "expected_failures.toml"


def commands() -> str:
    """Every command: what the server answers, then what it refuses by name."""
    rows = [
        (f"`{name}`", _WORDS[command.in_transaction], "yes" if command.is_retryable else "")
        for name, command in COMMANDS.items()
    ]
    answered = table(("command", "in a transaction", "retryable write"), rows)
    return f"{answered}\n\nRefused by name, code 238:\n\n{names(UNSUPPORTED_COMMANDS)}"


def query_operators() -> str:
    """The operators of filters."""
    parsers = {**filter_parser.CLAUSES, **filter_parser.OPERATORS}
    refused = {name for name, parse in parsers.items() if "_unsupported" in parse.__qualname__}
    return _lists(parsers.keys() - refused, refused)


def update_operators() -> str:
    """The operators of updates."""
    return f"{names([*modifier_update.OPERATORS, modifier_update.RENAME])}"


def expressions() -> str:
    """The operators of aggregation expressions."""
    return _lists(operator_registry.OPERATORS, operator_registry.UNSUPPORTED_OPERATORS)


def stages() -> str:
    """The stages of pipelines."""
    return _lists((*STAGES, *ENGINE_STAGES), (*UNSUPPORTED_STAGES, *UNSUPPORTED_ENGINE_STAGES))


def accumulators() -> str:
    """What `$group`, `$bucket` and `$bucketAuto` compute."""
    return _lists(ACCUMULATORS, UNSUPPORTED_ACCUMULATORS)


def window_functions() -> str:
    """What `$setWindowFields` computes."""
    return _lists(WINDOW_FUNCTIONS, UNSUPPORTED_WINDOW_FUNCTIONS)


def index_options() -> str:
    """The kinds and options of indexes."""
    return table(("index", "there"), ((text, "yes" if is_there else "refused, 238") for text, is_there in INDEX_KINDS))


def driver_tests() -> str:
    """What of pymongo's own test suite fails, by feature."""
    listed: dict[str, Any] = tomllib.loads(_COMPAT.read_text("utf-8"))
    groups = sorted(listed["expected"], key=lambda group: str(group["feature"]))
    rows = [(group["feature"], str(len(group["tests"])), group["reason"]) for group in groups]
    modules = len(listed["modules"]["quick"]) + len(listed["modules"]["thorough"])
    total = sum(len(group["tests"]) for group in groups)
    note = f"{modules} modules of pymongo's suite run against `skerry serve`. {total} tests in them are known to fail:"
    return f"{note}\n\n{table(('feature', 'tests', 'why'), rows)}"


def _lists(there: Iterable[str], refused: Iterable[str]) -> str:
    return f"{names(there)}\n\nRefused by name: {names(refused)}"
