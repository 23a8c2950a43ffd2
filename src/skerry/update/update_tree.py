"""All operators of one update as a tree over their paths, and how the tree is applied to a document.

Rules (MongoDB manual, "Update Operators"): no two paths of an update may conflict (40); new fields are made in the
order of their names, numbers by value; only the documents and arrays on the way to a change are copied.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeGuard

from skerry.errors import BadValueError, CommandError, ConflictingUpdateOperatorsError, PathNotViableError
from skerry.matcher.path_traversal import ValueTest
from skerry.update.positional_paths import POSITIONAL, ArrayFilters, is_array_filter
from skerry.update.update_context import UpdateContext, shown
from skerry.values.field_path import array_position
from skerry.values.missing import MISSING

ARRAY_PADDING_MAX: Final = 1_500_000  # elements; the server's kMaxPaddingAllowed
CANNOT_BACKFILL_ARRAY: Final = 34

Apply = Callable[[Any, UpdateContext], Any]
"""From the value at the path (`MISSING` if none) to the new one; the same object: no change; `MISSING`: remove it."""
Tolerates = Callable[[UpdateContext], bool]


class Node(Protocol):
    """A path's place in the tree."""

    path: str

    def apply(self, value: Any, context: UpdateContext, /) -> Any:
        """See `Apply`."""

    def tolerates_blocked_path(self, context: UpdateContext, /) -> bool:
        """Tell whether nothing happens, rather than an error, where a scalar stands in the path's way."""


def _never(_context: UpdateContext) -> bool:
    return False


class Leaf:
    """One operator on one path."""

    __slots__ = ("apply", "path", "tolerates_blocked_path")

    def __init__(self, path: str, apply: Apply, tolerates_blocked_path: Tolerates = _never) -> None:
        self.path = path
        self.apply = apply
        self.tolerates_blocked_path = tolerates_blocked_path


class FieldsNode:
    """Changes fields of a document, or positions of an array."""

    __slots__ = ("_ordered", "children", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.children: dict[str, Node] = {}
        self._ordered: list[tuple[str, Node]] | None = None

    def apply(self, value: Any, context: UpdateContext) -> Any:
        children = self._ordered or self._in_order(context)
        kind = value.__class__
        if kind is dict:
            changed: dict[str, Any] | None = None
            for name, child in children:
                old = value.get(name, MISSING)
                new = child.apply(old, context)
                if new is not old:
                    if changed is None:
                        changed = value.copy()
                    if new is MISSING:
                        del changed[name]
                    else:
                        changed[name] = new
            return value if changed is None else changed
        if kind is list:
            return self._apply_to_array(value, children, context)
        if value is MISSING:
            return _created(children, context)
        for name, child in children:
            if not child.tolerates_blocked_path(context):
                raise _not_viable(name, self.path, value)
        return value

    def tolerates_blocked_path(self, context: UpdateContext) -> bool:
        return all(child.tolerates_blocked_path(context) for _, child in self._ordered or self._in_order(context))

    def _in_order(self, context: UpdateContext) -> list[tuple[str, Node]]:
        positional = self.children.get(POSITIONAL)
        if positional is None:
            self._ordered = in_order(self.children)
            return self._ordered
        if context.array_position is None:
            raise BadValueError("The positional operator did not find the match needed from the query.")
        named = {name: child for name, child in self.children.items() if name != POSITIONAL}
        position = str(context.array_position)
        same = named.get(position)
        named[position] = positional if same is None else merged((same, positional), f"{self.path}.{position}")
        return in_order(named)

    def _apply_to_array(self, array: list[Any], children: Iterable[tuple[str, Node]], context: UpdateContext) -> Any:
        changed: list[Any] | None = None
        for name, child in children:
            position = array_position(name)
            if position is None:
                if not child.tolerates_blocked_path(context):
                    raise _not_viable(name, self.path, array)
                continue
            current = array if changed is None else changed
            old = current[position] if position < len(current) else MISSING
            new = child.apply(old, context)
            if new is old:
                continue
            if changed is None:
                changed = array.copy()
            _put(changed, position, new)
        return array if changed is None else changed


class ElementsNode:
    """Changes every element of an array that an array filter selects: `$[]` and `$[identifier]`."""

    __slots__ = ("_merged", "_tests", "children", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.children: dict[str, Node] = {}
        self._tests: list[tuple[ValueTest | None, Node]] = []
        self._merged: dict[tuple[int, ...], Node] = {}

    def bind(self, filters: ArrayFilters) -> None:
        """Look up the filters of the children's identifiers."""
        self._tests = [(filters.test(name, f"{self.path}.{name}"), child) for name, child in self.children.items()]

    def apply(self, value: Any, context: UpdateContext) -> Any:
        if value is MISSING:
            raise self._must_exist()
        if value.__class__ is not list:
            raise BadValueError(f"Cannot apply array updates to non-array element {self.path}: {shown(value)}")
        changed: list[Any] | None = None
        for position, old in enumerate(value):
            child = self._child_for(old)
            new = old if child is None else child.apply(old, context)
            if new is not old:
                if changed is None:
                    changed = value.copy()
                changed[position] = None if new is MISSING else new
        return value if changed is None else changed

    def tolerates_blocked_path(self, _context: UpdateContext) -> bool:
        raise self._must_exist()

    def _child_for(self, element: Any) -> Node | None:
        if len(self._tests) == 1:
            test, child = self._tests[0]
            return child if test is None or test(element) else None
        chosen = tuple(at for at, (test, _) in enumerate(self._tests) if test is None or test(element))
        if not chosen:
            return None
        if chosen not in self._merged:
            self._merged[chosen] = merged([self._tests[at][1] for at in chosen], self.path)
        return self._merged[chosen]

    def _must_exist(self) -> BadValueError:
        return BadValueError(f"The path '{self.path}' must exist in the document in order to apply array updates.")


def insert(root: FieldsNode, parts: Sequence[str], leaf: Leaf) -> None:
    """Put an operator into the tree.

    Raises ConflictingUpdateOperatorsError (40) when its path is that of another operator, or leads to or through one.
    """
    node: FieldsNode | ElementsNode = root
    for depth in range(1, len(parts)):
        part, of_elements = parts[depth - 1], is_array_filter(parts[depth])
        child = node.children.get(part)
        if child is None:
            prefix = ".".join(parts[:depth])
            child = node.children[part] = ElementsNode(prefix) if of_elements else FieldsNode(prefix)
        elif not _is_inner(child) or isinstance(child, ElementsNode) != of_elements:
            raise conflict(leaf.path, ".".join(parts[:depth]))
        node = child
    if parts[-1] in node.children:
        raise conflict(leaf.path, leaf.path)
    node.children[parts[-1]] = leaf


def bind(node: Node, filters: ArrayFilters) -> None:
    """Give every node about array elements the filters it refers to."""
    if not _is_inner(node):
        return
    if isinstance(node, ElementsNode):
        node.bind(filters)
    for child in node.children.values():
        bind(child, filters)


def in_order(children: dict[str, Node]) -> list[tuple[str, Node]]:
    """Return the children as the server orders them: numbers by value, then names."""
    if len(children) == 1:
        return list(children.items())
    return sorted(children.items(), key=lambda item: _order_of(item[0]))


def _order_of(name: str) -> tuple[int, int, str]:
    return (0, int(name), "") if name.isdigit() and name.isascii() else (1, 0, name)


def merged(nodes: Sequence[Node], path: str) -> Node:
    """Return the node that does what all nodes do to one value.

    Raises ConflictingUpdateOperatorsError (40) when two of them would change the same place.
    """
    first, *others = nodes
    if not others:
        return first
    if not _is_inner(first) or any(other.__class__ is not first.__class__ for other in others):
        raise conflict(path, path)
    union = first.__class__(path)
    tests: dict[str, ValueTest | None] = {}
    for node in nodes:
        assert _is_inner(node)
        for name, child in node.children.items():
            same = union.children.get(name)
            union.children[name] = child if same is None else merged((same, child), f"{path}.{name}")
        if isinstance(node, ElementsNode):
            tests.update(zip(node.children, (test for test, _ in node._tests)))
    if isinstance(union, ElementsNode):
        union._tests = [(tests[name], child) for name, child in union.children.items()]
    return union


def conflict(path: str, at: str) -> ConflictingUpdateOperatorsError:
    """Return the error for two operators on one place."""
    return ConflictingUpdateOperatorsError(f"Updating the path '{path}' would create a conflict at '{at}'")


def _is_inner(node: Node) -> TypeGuard[FieldsNode | ElementsNode]:
    return node.__class__ is not Leaf


def _created(children: Iterable[tuple[str, Node]], context: UpdateContext) -> Any:
    created: dict[str, Any] = {}
    for name, child in children:
        new = child.apply(MISSING, context)
        if new is not MISSING:
            created[name] = new
    return created or MISSING


def _put(array: list[Any], position: int, value: Any) -> None:
    missing = position - len(array)
    if missing < 0:
        # Removing an element would renumber those behind it.
        array[position] = None if value is MISSING else value
        return
    if missing > ARRAY_PADDING_MAX:
        raise CommandError(f"can't backfill more than {ARRAY_PADDING_MAX} elements", CANNOT_BACKFILL_ARRAY)
    array.extend([None] * missing)
    array.append(value)


def _not_viable(name: str, path: str, value: Any) -> PathNotViableError:
    holder = path.rpartition(".")[2]
    return PathNotViableError(f"Cannot create field '{name}' in element {{{holder}: {shown(value)}}}")
