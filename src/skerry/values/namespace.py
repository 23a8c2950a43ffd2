"""`Namespace`: a database and a collection in it, and which names are allowed.

Source: MongoDB manual, "MongoDB Limits and Thresholds" (naming restrictions; a namespace has at most 255 bytes).
"""

from typing import Final, NamedTuple

from skerry.errors import InvalidNamespaceError

DATABASE_NAME_BYTES_MAX: Final = 63
NAMESPACE_BYTES_MAX: Final = 255
_FORBIDDEN_IN_DATABASE: Final = frozenset('/\\. "$\x00')
_SYSTEM_COLLECTIONS: Final = frozenset(
    ("system.js", "system.profile", "system.users", "system.version", "system.views")
)


class Namespace(NamedTuple):
    """The full name of a collection; `str` gives `db.collection`."""

    db: str
    coll: str

    def __str__(self) -> str:
        return f"{self.db}.{self.coll}"

    @classmethod
    def parse(cls, text: str) -> "Namespace":
        """Return the namespace written as `db.collection`; the first dot separates.

        Raises InvalidNamespaceError if one of the two names is missing.
        """
        db, _, coll = text.partition(".")
        if not db or not coll:
            raise InvalidNamespaceError(f"Invalid namespace specified '{text}'")
        return cls(db, coll)

    @classmethod
    def checked(cls, db: str, coll: str) -> "Namespace":
        """Return the namespace of two names that a client sent.

        Raises InvalidNamespaceError if one is not allowed, or both together are too long.
        """
        check_database_name(db)
        check_collection_name(coll)
        namespace = cls(db, coll)
        size = len(str(namespace).encode())
        if size > NAMESPACE_BYTES_MAX:
            raise InvalidNamespaceError(
                f"Fully qualified namespace is too long. Namespace: {namespace} Max: {NAMESPACE_BYTES_MAX}"
            )
        return namespace

    @property
    def is_system(self) -> bool:
        """Whether the collection is one of the server's own."""
        return self.coll.startswith("system.") or self.db == "local"


def check_database_name(name: str) -> None:
    """Raise InvalidNamespaceError if a database may not be called `name`."""
    if not name or len(name.encode()) > DATABASE_NAME_BYTES_MAX or not _FORBIDDEN_IN_DATABASE.isdisjoint(name):
        raise InvalidNamespaceError(f"Invalid database name: '{name}'")


def check_collection_name(name: str) -> None:
    """Raise InvalidNamespaceError if a collection may not be called `name`."""
    if not name:
        raise InvalidNamespaceError("Collection names cannot be empty")
    if name.startswith("system.") and name not in _SYSTEM_COLLECTIONS:
        raise InvalidNamespaceError(f"Invalid system namespace: {name}")
    if name[0] == "." or name[-1] == "." or "$" in name or "\x00" in name:
        raise InvalidNamespaceError(f"Invalid collection name: {name}")
