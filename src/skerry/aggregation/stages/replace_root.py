"""`$replaceRoot` and `$replaceWith`: put a document of the expression in the place of each. Source: the manual's pages."""

from collections.abc import Mapping
from typing import Any

from skerry.aggregation.stage import Documents, Run, StageScope
from skerry.errors import CommandError
from skerry.values.type_order import type_name_of


def parse_replace_root(spec: Any, scope: StageScope) -> Run:
    """Parse `$replaceRoot: {newRoot: expression}`. Raises CommandError 40229, 40231, or 40230 for an unknown option."""
    if not isinstance(spec, Mapping):
        raise CommandError(
            f"expected an object as specification for $replaceRoot stage, got {type_name_of(spec)}", 40229
        )
    for name in spec:
        if name != "newRoot":
            raise CommandError(f"unrecognized option to $replaceRoot stage: {name}", 40230)
    if "newRoot" not in spec:
        raise CommandError("no newRoot specified for the $replaceRoot stage", 40231)
    return parse_replace_with(spec["newRoot"], scope)


def parse_replace_with(spec: Any, scope: StageScope) -> Run:
    """Parse `$replaceWith`; running it raises CommandError 40228 where the value is no document."""
    evaluate = scope.expression(spec).evaluate
    variables = scope.variables

    def replaced(document: dict[str, Any]) -> dict[str, Any]:
        value = evaluate(document, variables)
        if value.__class__ is dict:
            return value
        raise CommandError(
            "'replacement document' must evaluate to an object, but resulting value was of type "
            f"'{type_name_of(value)}'",
            40228,
        )

    def run(documents: Documents) -> Documents:
        return map(replaced, documents)

    return run
