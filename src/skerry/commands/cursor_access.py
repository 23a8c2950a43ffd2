"""Whose cursor it is: a client reads and kills its own, and those of other users only with the right to (manual: killCursors)."""

from typing import Any

from skerry.auth.privileges import Need
from skerry.commands.command import Request
from skerry.errors import UnauthorizedError


def check_cursor_access(request: Request, cursor_id: Any, *, to_kill: bool = False) -> None:
    """Raise UnauthorizedError unless the client may go on with the cursor, or kill it; one that there is not passes.

    To go on, the client must still be allowed what the command was that opened the cursor.
    """
    access = request.client.access
    if access is None or access.is_owner or not isinstance(cursor_id, int):
        return
    cursor = request.engine.cursors.peek(int(cursor_id))
    if cursor is None:
        return
    is_own = cursor.client is not None and cursor.client[1] == access.client[1]
    if not is_own and not (to_kill and access.allows(Need("killAnyCursor"))):
        raise UnauthorizedError(f"cursor id {cursor_id} was not created by the authenticated user")
    if not to_kill and not access.allows_all(cursor.needs):
        raise UnauthorizedError(f"not authorized to go on with cursor id {cursor_id}")
