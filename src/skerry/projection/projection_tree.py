"""The paths of a projection as a tree: what is to happen to each field, level by level."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

from skerry.errors import CommandError
from skerry.expressions.expression_parser import Expression
from skerry.projection.positional_projection import Slice

PATH_COLLISION_AT_END = 31250
PATH_COLLISION_ON_THE_WAY = 31249


@dataclass(frozen=True, slots=True)
class Inclusion:
    """`{path: 1}`: the field is kept."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """`{path: 0}`: the field is left out."""


Leaf = Inclusion | Exclusion | Slice | Expression
"""A slice keeps its field, cut; an expression is a computed field."""


@dataclass(slots=True, eq=False)
class ProjectionNode:
    """One level: field name to what happens there, in the order of the specification."""

    children: dict[str, Union[Leaf, "ProjectionNode"]] = field(default_factory=dict)

    def add(self, parts: Sequence[str], leaf: Leaf) -> None:
        """Put a leaf at a path.

        Raises CommandError 31249 or 31250 where another path is a prefix of this one, equals it, or goes on from it.
        """
        node = self
        for depth, part in enumerate(parts[:-1]):
            child = node.children.setdefault(part, ProjectionNode())
            if not isinstance(child, ProjectionNode):
                rest = ".".join(parts[depth + 1 :])
                raise CommandError(
                    f"Path collision at {'.'.join(parts)} remaining portion {rest}", PATH_COLLISION_ON_THE_WAY
                )
            node = child
        if parts[-1] in node.children:
            raise CommandError(f"Path collision at {'.'.join(parts)}", PATH_COLLISION_AT_END)
        node.children[parts[-1]] = leaf

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """Yield every path with its leaf."""
        for name, child in self.children.items():
            if isinstance(child, ProjectionNode):
                yield from child.leaves(f"{prefix}{name}.")
            else:
                yield prefix + name, child

    @property
    def has_computed(self) -> bool:
        """Whether a field below here is computed."""
        return any(isinstance(leaf, Expression) for _, leaf in self.leaves())
