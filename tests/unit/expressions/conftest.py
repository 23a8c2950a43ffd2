"""How the tables of the expression tests are checked: exactly, so that 1, 1.0 and a long differ."""

from collections.abc import Callable
from typing import Any

import pytest

from skerry.errors import CommandError
from skerry.expressions.expression_parser import compile_expression
from skerry.values.documents import encode
from skerry.values.missing import MISSING


def _evaluate(spec: Any, document: dict[str, Any] | None = None, **variables: Any) -> Any:
    return compile_expression(spec, variables=variables.keys()).evaluate(document or {}, variables)


def _encoded(value: Any) -> bytes:
    return encode({} if value is MISSING else {"value": value})


@pytest.fixture
def evaluate() -> Callable[..., Any]:
    return _evaluate


@pytest.fixture
def check() -> Callable[..., None]:
    """Check that an expression gives exactly this value, also when its operands are constants folded at compile time."""

    def check(spec: Any, expected: Any, document: dict[str, Any] | None = None, **variables: Any) -> None:
        value = _evaluate(spec, document, **variables)
        assert _encoded(value) == _encoded(expected), f"{spec} gave {value!r}, not {expected!r}"

    return check


@pytest.fixture
def fails() -> Callable[..., None]:
    """Check that an expression fails with this code, when it is compiled or evaluated."""

    def fails(spec: Any, code: int, document: dict[str, Any] | None = None, **variables: Any) -> None:
        with pytest.raises(CommandError) as caught:
            _evaluate(spec, document, **variables)
        assert caught.value.code == code, f"{spec} failed with {caught.value.code}: {caught.value}"

    return fails
