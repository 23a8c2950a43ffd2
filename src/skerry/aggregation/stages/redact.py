"""`$redact`: keeps, prunes or descends into each level of a document. Source: MongoDB manual, `$redact`."""

from typing import Any, Final

from skerry.aggregation.stage import Document, Documents, Run, StageScope
from skerry.errors import CommandError
from skerry.expressions.expression import Evaluator
from skerry.expressions.expression_parser import compile_expression
from skerry.values.missing import MISSING

_ANSWERS: Final = {"KEEP": object(), "PRUNE": object(), "DESCEND": object()}
_LEVEL: Final = "REDACTED"


def parse_redact(spec: Any, scope: StageScope) -> Run:
    """Parse `$redact`; running it raises CommandError 17053 for any answer but the three variables."""
    # CURRENT is the level that is looked at, while $$ROOT stays the whole document.
    within = {"$let": {"vars": {"CURRENT": f"$${_LEVEL}"}, "in": spec}}
    evaluate = compile_expression(within, variables=(*scope.variables, *_ANSWERS, _LEVEL)).evaluate

    def run(documents: Documents) -> Documents:
        for document in documents:
            redacted = _redact(document, document, evaluate, {**scope.variables, **_ANSWERS})
            if redacted is not MISSING:
                yield redacted

    return run


def _redact(value: Any, root: Document, evaluate: Evaluator, variables: dict[str, Any]) -> Any:
    """Return what is left of a document or array; MISSING for a document that is pruned."""
    if value.__class__ is list:
        elements = [_redact(element, root, evaluate, variables) for element in value]
        return [element for element in elements if element is not MISSING]
    if value.__class__ is not dict:
        return value
    variables[_LEVEL] = value
    answer = evaluate(root, variables)
    if answer is _ANSWERS["KEEP"]:
        return value
    if answer is _ANSWERS["PRUNE"]:
        return MISSING
    if answer is not _ANSWERS["DESCEND"]:
        raise CommandError(
            "$redact's expression should not return anything aside from the variables $$KEEP, $$DESCEND, and $$PRUNE, "
            f"but returned {answer!r}",
            17053,
        )
    redacted = {}
    for name, field in value.items():
        kept = _redact(field, root, evaluate, variables)
        if kept is not MISSING:
            redacted[name] = kept
    return redacted
