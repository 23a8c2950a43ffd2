"""Which collections of a dump are wanted, by the patterns of `--ns-include` and `--ns-exclude`, and which never are.

A `*` stands for any characters, a backslash makes the next one plain (manual: mongorestore, `--nsInclude`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from skerry.errors import ConfigurationError
from skerry.values.namespace import Namespace

_PIECE = re.compile(r"\\(.)|(\*)|([^\\*]+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class NamespaceChoice:
    """Patterns: none of `include` takes everything; `exclude` counts more."""

    include: tuple[re.Pattern[str], ...] = ()
    exclude: tuple[re.Pattern[str], ...] = ()

    @classmethod
    def of(cls, include: Iterable[str], exclude: Iterable[str]) -> "NamespaceChoice":
        """Compile patterns. Raises `ConfigurationError` for one without a dot, which would never fit."""
        return cls(tuple(map(_compiled, include)), tuple(map(_compiled, exclude)))

    def takes(self, namespace: Namespace) -> bool:
        """Whether a collection is wanted."""
        name = str(namespace)
        if any(pattern.fullmatch(name) for pattern in self.exclude):
            return False
        return not self.include or any(pattern.fullmatch(name) for pattern in self.include)


def is_of_the_server(namespace: Namespace) -> bool:
    """Whether a collection is a server's own: users, its configuration, its oplog. Such ones do not move between servers."""
    db, coll = namespace
    return db in ("", "config", "local") or coll.startswith(("system.", "$")) or "$" in db


def _compiled(pattern: str) -> re.Pattern[str]:
    if "." not in pattern and "*" not in pattern:
        raise ConfigurationError("namespace pattern", pattern, "DATABASE.COLLECTION, where * stands for anything")
    expression = ""
    for escaped, star, plain in _PIECE.findall(pattern):
        expression += ".*" if star else re.escape(escaped or plain)
    return re.compile(expression, re.DOTALL)
