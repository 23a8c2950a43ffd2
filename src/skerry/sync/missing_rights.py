"""What the hub's refusal says of the rights that the link's user lacks: the privilege, in MongoDB's words, and where.

Actions are those of MongoDB's manual (Privilege Actions); the messages are MongoDB's own and those of Atlas' proxy.
"""

import re
from typing import Final

from pymongo.errors import PyMongoError

from skerry.sync.hub import failure_of
from skerry.sync.protocol.push_batch import DENIED

_OF_MONGODB: Final = re.compile(r'not authorized on (\S+) to execute command \{\s*"?(\w+)"?\s*:\s*(?:"([^"]*)")?')
_OF_ATLAS: Final = re.compile(r"not allowed to do action \[(\w+)\] on \[([^\]]*)\]")
_ACTIONS: Final = {
    "aggregate": "find",
    "count": "find",
    "create": "createCollection",
    "createIndexes": "createIndex",
    "delete": "remove",
    "findAndModify": "find, insert and update",
    "getMore": "find",
}


def is_denied(error: Exception) -> bool:
    """Whether the hub does not know the link's user, or does not let it do what the link has to do."""
    return isinstance(error, PyMongoError) and failure_of(error).code in DENIED


def with_privilege(message: str) -> str:
    """Return the hub's message, after the privilege that is missing where it tells which."""
    found = _OF_MONGODB.search(message)
    if found is not None:
        database, command, collection = found.groups()
        action = _ACTIONS.get(command, command)
        if "$changeStream" in message:
            action = "changeStream and find"
        where = f"{database}.{collection}" if collection else f"all of {database}"
        return f"the link's user lacks the privilege {action} on {where}: {message}"
    atlas = _OF_ATLAS.search(message)
    if atlas is not None:
        return f"the link's user lacks the privilege {atlas[1]} on {atlas[2]}: {message}"
    return message
