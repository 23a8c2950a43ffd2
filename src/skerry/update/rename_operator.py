"""`$rename`: moves a value to another path; two operators in one, so it occupies both paths."""

from collections.abc import Sequence
from typing import Any

from skerry.errors import BadValueError, PathNotViableError
from skerry.update.binary_equality import binary_equal
from skerry.update.positional_paths import POSITIONAL, is_array_filter, update_path
from skerry.update.update_context import UpdateContext, shown
from skerry.update.update_tree import Leaf
from skerry.values.missing import MISSING


def rename(path: str, operand: Any) -> tuple[Leaf, Leaf]:
    """Return the operators at the source and at the target.

    Raises BadValueError for a target that is no path, the source itself or on its way, and for positional components.
    When applied: BadValueError where either path meets an array, PathNotViableError where a scalar is in the way.
    """
    if not isinstance(operand, str):
        raise BadValueError(f"The 'to' field for $rename must be a string: {path}: {shown(operand)}")
    source, target = update_path(path), update_path(operand)
    if source == target:
        raise BadValueError(f'The source and target field for $rename must differ: {path}: "{operand}"')
    if source == target[: len(source)] or target == source[: len(target)]:
        raise BadValueError(
            f'The source and target field for $rename must not be on the same path: {path}: "{operand}"'
        )
    for role, name, parts in (("source", path, source), ("destination", operand, target)):
        if any(part == POSITIONAL or is_array_filter(part) for part in parts):
            raise BadValueError(f"The {role} field for $rename may not be dynamic: {name}")

    def moved(old: Any, context: UpdateContext) -> Any:
        value = _value_at(context.document, source, path, context)
        if value is MISSING:
            return old
        _check_no_array(context.document, target, "destination", operand, context)
        return old if binary_equal(old, value) else value

    def nothing_to_move(context: UpdateContext) -> bool:
        return _value_at(context.document, source, path, context) is MISSING

    def removed(_old: Any, context: UpdateContext) -> Any:
        _check_no_array(context.document, source, "source", path, context)
        return MISSING

    return Leaf(path, removed), Leaf(operand, moved, nothing_to_move)


def _value_at(document: Any, parts: Sequence[str], path: str, context: UpdateContext) -> Any:
    _check_no_array(document, parts, "source", path, context)
    value = document
    for part in parts:
        if value is MISSING:
            return MISSING
        if value.__class__ is not dict:
            raise PathNotViableError(f"Cannot use the part ({part}) of ({path}) to traverse the element {shown(value)}")
        value = value.get(part, MISSING)
    return value


def _check_no_array(document: Any, parts: Sequence[str], role: str, path: str, context: UpdateContext) -> None:
    value = document
    for depth, part in enumerate(parts):
        if value.__class__ is list:
            raise BadValueError(
                f"The {role} field cannot be an array element, '{path}' in doc with {context.shown_id()} has an array "
                f"field called '{parts[depth - 1]}'"
            )
        value = value.get(part, MISSING) if value.__class__ is dict else MISSING
