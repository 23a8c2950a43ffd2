"""`$merge`: writes the results into a collection, document by document. Source: MongoDB manual, `$merge`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from bson.objectid import ObjectId

from skerry.aggregation.document_paths import plain_value
from skerry.aggregation.pipeline_context import WhenMatched, WhenNotMatched
from skerry.aggregation.stage import Document, Documents, Run, StageScope
from skerry.errors import BadValueError, CommandError, DuplicateKeyError, FailedToParseError, ImmutableFieldError
from skerry.expressions.expression_parser import compile_expression
from skerry.values import field_path
from skerry.values.compare import equal
from skerry.values.missing import MISSING
from skerry.values.namespace import Namespace

_OPTIONS: Final = frozenset(("into", "on", "let", "whenMatched", "whenNotMatched"))
_NOT_MATCHED: Final = ("insert", "discard", "fail")
_UPDATE_STAGES: Final = frozenset(("$addFields", "$project", "$replaceRoot", "$replaceWith", "$set", "$unset"))
_Decide = Callable[[Document], WhenMatched]
"""From a result to what becomes of the stored document that it matches."""


def parse_merge(spec: Any, scope: StageScope) -> Run:
    """Parse `$merge`. Raises CommandError 51178 to 51199 for a bad form, 51183 where no unique index has the `on` fields."""
    options = {"into": spec} if isinstance(spec, str) else spec
    if not isinstance(options, Mapping):
        raise CommandError(f"$merge requires a string or object argument, but found {spec!r}", 51182)
    for name in options:
        if name not in _OPTIONS:
            raise CommandError(f"BSON field '$merge.{name}' is an unknown field.", 40415)
    context = scope.context
    target = _target(options.get("into"), context.namespace)
    on = _on_fields(options.get("on", "_id"))
    if not context.is_unique_key(target, on):
        raise CommandError("Cannot find index to verify that join fields will be unique", 51183)
    when_not_matched = _when_not_matched(options)
    decide = _when_matched(options, target, scope)

    def run(documents: Documents) -> Documents:
        for document in documents:
            identified = document if "_id" in document or "_id" not in on else {"_id": ObjectId(), **document}
            _check_on_values(identified, on)
            context.merge(target, identified, on=on, when_matched=decide(identified), when_not_matched=when_not_matched)
        yield from ()

    return run


def _target(into: Any, namespace: Namespace) -> Namespace:
    if isinstance(into, str):
        target = Namespace.checked(namespace.db, into)
    elif isinstance(into, Mapping):
        if not set(into) <= {"db", "coll"} or not isinstance(into.get("coll"), str):
            raise CommandError("$merge 'into' object must have 'coll', and may have 'db'", 51178)
        target = Namespace.checked(into.get("db", namespace.db), into["coll"])
    else:
        raise CommandError(f"$merge 'into' field must be either a string or an object, but found {into!r}", 51178)
    if target.is_system:
        raise CommandError(f"cannot $merge into special collection: {target.coll}", 31319)
    return target


def _on_fields(on: Any) -> tuple[str, ...]:
    fields = (on,) if isinstance(on, str) else on
    if not isinstance(fields, list | tuple):
        raise CommandError(f"$merge 'on' field must be either a string or an array of strings, but found {on!r}", 51186)
    if not fields:
        raise CommandError("If explicitly specifying $merge 'on', must include at least one field", 51187)
    for path in fields:
        if not isinstance(path, str):
            raise CommandError(f"$merge 'on' array elements must be strings, but found {path!r}", 51134)
        field_path.validate(path)
    if len(set(fields)) < len(fields):
        raise CommandError("Found a duplicate field in the $merge 'on' array", 31465)
    return tuple(fields)


def _check_on_values(document: Document, on: Sequence[str]) -> None:
    for path in on:
        value = plain_value(document, field_path.split(path))
        if value is MISSING or value is None or value.__class__ is list:
            raise CommandError(
                f"$merge write error: 'on' field cannot be missing, null, undefined or an array: {path}", 51132
            )


def _when_not_matched(options: Mapping[str, Any]) -> WhenNotMatched:
    mode = options.get("whenNotMatched", "insert")
    if mode not in _NOT_MATCHED:
        raise BadValueError(f"Enumeration value '{mode}' for field '$merge.whenNotMatched' is not a valid value.")
    return cast("WhenNotMatched", mode)


def _when_matched(options: Mapping[str, Any], target: Namespace, scope: StageScope) -> _Decide:
    mode = options.get("whenMatched", "merge")
    if isinstance(mode, list | tuple):
        return _matched_pipeline(mode, options.get("let"), scope)
    if "let" in options:
        raise CommandError("Cannot use 'let' variables with a whenMatched mode other than a pipeline", 51199)
    if mode in ("keepExisting", "fail") and options.get("whenNotMatched", "insert") != "insert":
        raise CommandError(
            f"Combination of $merge modes whenMatched: {mode} and whenNotMatched is not supported", 51189
        )
    if mode == "replace":
        return lambda document: lambda stored: _with_id_of(stored, document, document)
    if mode == "merge":
        return lambda document: lambda stored: _with_id_of(stored, document, {**stored, **document})
    if mode == "keepExisting":
        return lambda _document: lambda _stored: None
    if mode == "fail":
        return lambda document: lambda stored: _refuse(target, document, stored)
    raise CommandError(f"Enumeration value '{mode}' for field '$merge.whenMatched' is not a valid value.", 51191)


def _with_id_of(stored: Document, document: Document, merged: Document) -> Document:
    if not equal(document.get("_id", stored["_id"]), stored["_id"]):
        raise ImmutableFieldError(
            "$merge failed to update the matching document, did you attempt to modify the _id or the shard key?"
        )
    return {"_id": stored["_id"], **{name: value for name, value in merged.items() if name != "_id"}}


def _refuse(target: Namespace, document: Document, stored: Document) -> None:
    raise DuplicateKeyError(str(target), "_id_", {"_id": 1}, {"_id": document.get("_id", stored["_id"])})


def _matched_pipeline(stages: Sequence[Any], let: Any, scope: StageScope) -> _Decide:
    if let is not None and not isinstance(let, Mapping):
        raise FailedToParseError("$merge's 'let' must be an object")
    for stage in stages:
        name = next(iter(stage), "") if isinstance(stage, Mapping) else ""
        if name.startswith("$") and name not in _UPDATE_STAGES:
            raise CommandError(f"{name} is not allowed to be used within an update", 72)
    bindings = {"new": "$$ROOT"} if let is None else dict(let)
    if let is not None and "new" in let and let["new"] != "$$ROOT":
        raise CommandError("'let' may not define a value for the reserved 'new' variable other than '$$ROOT'", 51273)
    bindings.setdefault("new", "$$ROOT")
    evaluators = {
        name: compile_expression(value, variables=scope.variables.keys()).evaluate for name, value in bindings.items()
    }
    variables: dict[str, Any] = {**scope.variables, **dict.fromkeys(bindings)}
    inner = scope.nested("$merge", variables)
    pipeline = scope.compile(stages, inner)

    def decide(document: Document) -> WhenMatched:
        bound = {name: evaluate(document, scope.variables) for name, evaluate in evaluators.items()}

        def update(stored: Document) -> Document:
            variables.update(scope.variables)
            variables.update(bound)
            updated = next(pipeline.run(iter((stored,))))
            return _with_id_of(stored, updated, updated)

        return update

    return decide
