"""A parsed projection, ready to be applied to documents.

Rules (MongoDB manual, "Project Fields to Return", `$project`): kept fields stay in the document's order and computed ones
follow in the order of the specification; a path that meets an array is followed into its elements, where an inclusion
drops everything that is no document and an exclusion keeps it. The input is never changed, but shares its values.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from skerry.expressions.expression import Paths
from skerry.expressions.expression_parser import Expression
from skerry.projection.computed_fields import Document, Transform, compile_additions
from skerry.projection.positional_projection import Slice, keep_matched_element
from skerry.projection.projection_tree import Exclusion, Inclusion, ProjectionNode
from skerry.values.missing import MISSING

ValueTransform = Callable[[Any, Document, Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Projection:
    """A compiled projection; immutable, may be shared between threads.

    `tree` is what was asked of each path, `positional` the path that the positional `$` was put on.
    """

    tree: ProjectionNode
    is_inclusion: bool
    positional: tuple[str, ...] | None = None
    _transform: Transform = field(init=False, repr=False, compare=False)
    _slices: tuple[Slice, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        compiled = _compile_inclusion(self.tree) if self.is_inclusion else _compile_exclusion_with_additions(self.tree)
        object.__setattr__(self, "_transform", compiled)
        object.__setattr__(self, "_slices", tuple(leaf for _, leaf in self.tree.leaves() if isinstance(leaf, Slice)))

    @property
    def needs_position(self) -> bool:
        """Whether `apply` needs the array position that the filter matched."""
        return self.positional is not None

    @property
    def paths(self) -> Paths:
        """The field paths that the result depends on, None for all of them."""
        if not self.is_inclusion:
            return None
        paths: set[str] = set()
        for path, leaf in self.tree.leaves():
            if isinstance(leaf, Inclusion | Slice):
                paths.add(path)
            elif isinstance(leaf, Expression):
                if leaf.paths is None:
                    return None
                # A field is computed inside what is there already, so the way to it is read as well.
                paths |= leaf.paths | ({path} if "." in path else set())
        return frozenset(paths)

    def apply(self, document: Document, variables: Mapping[str, Any], *, array_position: int | None = None) -> Document:
        """Return the projected document.

        Raises CommandError 51246 or 51247 where the positional `$` has no element, and what the expressions raise.
        """
        result = self._transform(document, document, variables)
        if self.positional is not None:
            result = keep_matched_element(result, self.positional, array_position)
        for each in self._slices:
            result = each.apply(result)
        return result


def _compile_inclusion(node: ProjectionNode) -> Transform:
    kept = frozenset(name for name, child in node.children.items() if isinstance(child, Inclusion | Slice))
    nested = {
        name: _include_within(child) for name, child in node.children.items() if isinstance(child, ProjectionNode)
    }
    if not nested and not node.has_computed:
        return lambda part, _root, _variables: {name: part[name] for name in part if name in kept}
    additions = _compile_appended(node)

    def include(part: Document, root: Document, variables: Mapping[str, Any]) -> Document:
        result = {}
        for name, value in part.items():
            if name in kept:
                result[name] = value
            elif name in nested:
                inner = nested[name](value, root, variables)
                if inner is not MISSING:
                    result[name] = inner
        for name, compute in additions:
            if name not in result:
                value = compute(root, variables)
                if value is not MISSING:
                    result[name] = value
        return result

    return include


def _compile_appended(node: ProjectionNode) -> list[tuple[str, Callable[[Document, Mapping[str, Any]], Any]]]:
    """Return the fields that are computed where the document has none that is kept."""
    appended: list[tuple[str, Callable[[Document, Mapping[str, Any]], Any]]] = []
    for name, child in node.children.items():
        if isinstance(child, Expression):
            appended.append((name, child.evaluate))
        elif isinstance(child, ProjectionNode) and child.has_computed:
            appended.append((name, _in_new_document(compile_additions(child))))
    return appended


def _in_new_document(add: Transform) -> Callable[[Document, Mapping[str, Any]], Any]:
    return lambda root, variables: add({}, root, variables)


def _include_within(node: ProjectionNode) -> ValueTransform:
    include = _compile_inclusion(node)
    add = compile_additions(node) if node.has_computed else None

    def include_element(value: Any, root: Document, variables: Mapping[str, Any]) -> Any:
        if value.__class__ is dict or value.__class__ is list:
            return include_value(value, root, variables)
        return MISSING if add is None else add({}, root, variables)

    def include_value(value: Any, root: Document, variables: Mapping[str, Any]) -> Any:
        if value.__class__ is dict:
            return include(value, root, variables)
        if value.__class__ is list:
            elements = (include_element(element, root, variables) for element in value)
            return [element for element in elements if element is not MISSING]
        return MISSING

    return include_value


def _compile_exclusion_with_additions(node: ProjectionNode) -> Transform:
    exclude = _compile_exclusion(node)
    if not node.has_computed:
        return exclude
    # Only `$elemMatch` may be computed in an exclusion.
    add = compile_additions(node)
    return lambda part, root, variables: add(exclude(part, root, variables), root, variables)


def _compile_exclusion(node: ProjectionNode) -> Transform:
    dropped = frozenset(name for name, child in node.children.items() if isinstance(child, Exclusion))
    nested = {
        name: _exclude_within(child) for name, child in node.children.items() if isinstance(child, ProjectionNode)
    }
    if not nested:
        return lambda part, _root, _variables: {name: part[name] for name in part if name not in dropped}

    def exclude(part: Document, root: Document, variables: Mapping[str, Any]) -> Document:
        result = {}
        for name, value in part.items():
            if name in nested:
                result[name] = nested[name](value, root, variables)
            elif name not in dropped:
                result[name] = value
        return result

    return exclude


def _exclude_within(node: ProjectionNode) -> ValueTransform:
    exclude = _compile_exclusion(node)

    def exclude_value(value: Any, root: Document, variables: Mapping[str, Any]) -> Any:
        if value.__class__ is dict:
            return exclude(value, root, variables)
        if value.__class__ is list:
            return [exclude_value(element, root, variables) for element in value]
        return value

    return exclude_value
