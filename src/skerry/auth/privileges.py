"""What somebody may do: actions on resources, added up from roles, asked for by commands.

Rules (manual: Resource Document): a resource without a collection is every collection of its database whose name does not begin
with `system.`, and the database itself; one without a database is all databases but `local` and `config`; a collection that is
named is that one, in its database or in all. The cluster is a resource of its own.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

_NEVER_MEANT_BY_ANY: Final = frozenset({"config", "local"})
_ANSWERS_MAX: Final = 10_000
"""Remembered by one `Privileges`; a client that names ever new collections does not fill the memory."""


class Resource(NamedTuple):
    """What an action is done to. `is_everything` covers whatever there is, `is_cluster` the node as a whole."""

    db: str = ""
    coll: str = ""
    is_cluster: bool = False
    is_everything: bool = False

    def to_document(self) -> dict[str, Any]:
        """The resource as `rolesInfo` and `connectionStatus` show it."""
        if self.is_everything:
            return {"anyResource": True}
        return {"cluster": True} if self.is_cluster else {"db": self.db, "collection": self.coll}


CLUSTER: Final = Resource(is_cluster=True)
EVERYTHING: Final = Resource(is_everything=True)


ANY_DATABASE: Final = "$all"
"""In a need: all databases. No database can be called so, and only the resource without a database covers it."""


class Need(NamedTuple):
    """An action that a command does to a resource: a collection, a database (`coll` "") or the cluster (`db` "" as well)."""

    action: str
    db: str = ""
    coll: str = ""


class Privileges:
    """The sum of somebody's roles. Any number of threads may ask."""

    def __init__(self, granted: Iterable[tuple[Resource, frozenset[str]]]) -> None:
        self._actions: dict[Resource, frozenset[str]] = {}
        for resource, actions in granted:
            self._actions[resource] = self._actions.get(resource, frozenset()) | actions
        self._everything = self._actions.get(EVERYTHING, frozenset())
        self._answers: dict[Need, bool] = {}

    def allow(self, need: Need) -> bool:
        """Whether the action may be done to the resource."""
        answer = self._answers.get(need)
        if answer is None:
            answer = self._find(need)
            if len(self._answers) >= _ANSWERS_MAX:
                self._answers.clear()
            self._answers[need] = answer
        return answer

    def allow_anything_in(self, db: str) -> bool:
        """Whether there is any action that may be done in the database."""
        if self._everything:
            return True
        normal = db not in _NEVER_MEANT_BY_ANY
        return any(
            resource.db == db or (not resource.db and normal)
            for resource in self._actions
            if not resource.is_cluster and not resource.is_everything
        )

    def to_documents(self) -> list[dict[str, Any]]:
        """Every resource with its actions, sorted."""
        return [
            {"resource": resource.to_document(), "actions": sorted(actions)}
            for resource, actions in sorted(self._actions.items())
        ]

    def _find(self, need: Need) -> bool:
        action, db, coll = need
        return action in self._everything or any(
            action in self._actions.get(resource, ()) for resource in _covering(db, coll)
        )


def _covering(db: str, coll: str) -> list[Resource]:
    if not db:
        return [CLUSTER]
    found = [Resource(db, coll), Resource("", coll)] if coll else []
    if not coll.startswith("system."):
        found.append(Resource(db))
        if db not in _NEVER_MEANT_BY_ANY:
            found.append(Resource())
    return found
