"""Ends the transaction of an operation whose lease is over: a server would keep it, and the documents it wrote, for a minute."""

import logging
import uuid
from typing import TYPE_CHECKING, Any, Final

from bson.binary import UUID_SUBTYPE, Binary
from pymongo.errors import PyMongoError

if TYPE_CHECKING:
    from pymongo import MongoClient

_logger: Final = logging.getLogger("skerry.coordinator")


def end_session_of(client: "MongoClient[Any]", operation_id: str) -> None:
    """End the session that bears the operation's id; does nothing for an owner of another kind, who has none.

    A failure is only logged: without this the next operation may have to wait or collide, but nothing is wrong.
    """
    try:
        session_id = Binary(uuid.UUID(operation_id).bytes, UUID_SUBTYPE)
        client.admin.command("killSessions", [{"id": session_id}])
    except ValueError:
        return
    except PyMongoError as error:
        _logger.warning("the session of a late operation was not ended: %s", error)
