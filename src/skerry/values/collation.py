"""Collation: only the simple one, binary comparison, is there; every other is refused."""

from collections.abc import Mapping
from typing import Any

from skerry.errors import BadValueError, NotImplementedYetError


def check_collation(spec: Mapping[str, Any] | None) -> None:
    """Accept no collation and `{locale: "simple"}`.

    Raises NotImplementedYetError naming any other locale, BadValueError for a specification without one.
    """
    if not spec:
        return
    locale = spec.get("locale")
    if not isinstance(locale, str):
        raise BadValueError("collation: the field 'locale' is required and must be a string")
    if locale != "simple":
        raise NotImplementedYetError(f"collation with locale '{locale}' is not supported, only 'simple' is")
