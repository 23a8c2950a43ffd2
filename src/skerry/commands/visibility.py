"""Which databases and collections a client gets to see in lists (manual: listDatabases, listCollections)."""

from typing import Any

from skerry.auth.privileges import Need
from skerry.commands.command import Request
from skerry.errors import UnauthorizedError

Found = list[dict[str, Any]]


def visible_databases(request: Request, found: Found, *, only_own: bool | None) -> Found:
    """Return the databases that the client may see: all with the right to list them, else those where he may do anything.

    `only_own` is `authorizedDatabases`. Raises UnauthorizedError when he asks for all without the right.
    """
    access = request.client.access
    if access is None or access.is_owner:
        return found
    may_list = access.allows(Need("listDatabases"))
    if may_list and not only_own:
        return found
    if only_own is False:
        raise UnauthorizedError("not authorized on admin to execute command { listDatabases: ... }")
    return [each for each in found if access.privileges.allow_anything_in(each["name"])]


def visible_collections(request: Request, found: Found) -> Found:
    """Return the collections of the database that the client may see; without the right to list them, those he may read."""
    access = request.client.access
    if access is None or access.is_owner or access.allows(Need("listCollections", request.db)):
        return found
    return [each for each in found if access.allows(Need("find", request.db, each["name"]))]
