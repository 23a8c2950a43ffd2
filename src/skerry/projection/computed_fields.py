"""Computed fields: `$addFields` and its kin, which keep every other field, and how a value is set below a path.

Rules (MongoDB manual, `$addFields`): an existing field keeps its place, a new one is appended; a path that meets an array
is followed into each element, and whatever is no document on the way is replaced by one; a value that is missing
(`$$REMOVE`) removes the field.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from skerry.errors import CommandError
from skerry.expressions.expression_parser import Expression, compile_expression
from skerry.projection.projection_tree import ProjectionNode
from skerry.values.field_path import split, validate
from skerry.values.missing import MISSING

Document = dict[str, Any]
AddFields = Callable[[Document, Mapping[str, Any]], Document]
Transform = Callable[[Document, Document, Mapping[str, Any]], Document]
"""`(part of the document, whole document, variables) -> new part`."""

SPECIFICATION_NOT_A_DOCUMENT: Final = 40272
CONFLICTING_PATHS: Final = 40176
EMPTY_SPECIFICATION: Final = 40177
EMPTY_DOCUMENT: Final = 40180
MIXED_EXPRESSION: Final = 40181
DOT_IN_NESTED_NAME: Final = 40183


def compile_add_fields(spec: Any, *, variables: Collection[str] = ()) -> AddFields:
    """Compile the argument of `$addFields` or `$set` to `(document, variables) -> new document`.

    Raises CommandError 40272 for no document, 40177 for an empty one, 40176 for conflicting paths, 40180 for an empty
    document as value, and whatever the expressions raise.
    """
    transform = compile_additions(parse_add_fields(spec, variables))
    return lambda document, bound: transform(document, document, bound)


def parse_add_fields(spec: Any, variables: Collection[str] = ()) -> ProjectionNode:
    """Return the tree of computed fields of an `$addFields` specification; raises as `compile_add_fields` does."""
    if not isinstance(spec, Mapping):
        raise CommandError("the specification of fields to add must be an object", SPECIFICATION_NOT_A_DOCUMENT)
    if not spec:
        raise CommandError("specification must have at least one field", EMPTY_SPECIFICATION)
    tree = ProjectionNode()
    for path, value in spec.items():
        validate(path)
        _parse_value(tree, split(path), value, variables)
    return tree


def _parse_value(tree: ProjectionNode, parts: tuple[str, ...], value: Any, variables: Collection[str]) -> None:
    if not isinstance(value, Mapping):
        _add(tree, parts, compile_expression(value, variables=variables))
        return
    names = list(value)
    if not names:
        raise CommandError(
            f"an empty object is not a valid value. Found empty object at path {'.'.join(parts)}", EMPTY_DOCUMENT
        )
    if any(name.startswith("$") for name in names):
        if len(names) > 1:
            raise CommandError(
                f"an expression may have one field only, but at {'.'.join(parts)} there are {', '.join(names)}",
                MIXED_EXPRESSION,
            )
        _add(tree, parts, compile_expression(value, variables=variables))
        return
    for name, inner in value.items():
        if "." in name:
            raise CommandError(
                f"cannot use the dotted field name '{name}' in the sub object at {'.'.join(parts)}", DOT_IN_NESTED_NAME
            )
        validate(name)
        _parse_value(tree, (*parts, name), inner, variables)


def _add(tree: ProjectionNode, parts: tuple[str, ...], expression: Expression) -> None:
    try:
        tree.add(parts, expression)
    except CommandError as error:
        raise CommandError(
            f"specification contains two conflicting paths: {error.message}", CONFLICTING_PATHS
        ) from None


def compile_additions(node: ProjectionNode) -> Transform:
    """Compile the computed fields of a tree; what else it holds is left alone."""
    steps: list[tuple[str, Any, Transform | None]] = []
    for name, child in node.children.items():
        if isinstance(child, Expression):
            steps.append((name, child.evaluate, None))
        elif isinstance(child, ProjectionNode) and child.has_computed:
            steps.append((name, None, compile_additions(child)))

    def add_fields(part: Document, root: Document, variables: Mapping[str, Any]) -> Document:
        result = dict(part)
        for name, evaluate, inner in steps:
            if inner is not None:
                result[name] = add_within(result.get(name, MISSING), inner, root, variables)
                continue
            value = evaluate(root, variables)
            if value is MISSING:
                result.pop(name, None)
            else:
                result[name] = value
        return result

    return add_fields


def add_within(value: Any, transform: Transform, root: Document, variables: Mapping[str, Any]) -> Any:
    """Return `value` with fields added below it: to a document, to each element of an array, else to a new document."""
    if value.__class__ is dict:
        return transform(value, root, variables)
    if value.__class__ is list:
        return [add_within(element, transform, root, variables) for element in value]
    return transform({}, root, variables)
