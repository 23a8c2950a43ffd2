"""Which store keeps the index of a database that a client reaches: the node's own catalogue, or a collection in MongoDB."""

from typing import TYPE_CHECKING, Any

from skerry.catalog.command_index_store import CommandIndexStore
from skerry.catalog.mongo_index_store import MongoIndexStore

if TYPE_CHECKING:
    from pymongo.database import Database

    from skerry.catalog.index_store import IndexStore


def default_index_store(database: "Database[Any]", master_index_key: str) -> "IndexStore":
    """Ask the other side what it is. Raises PyMongoError when it does not answer."""
    build_info = database.client.admin.command("buildInfo")
    if "skerryVersion" in build_info:
        return CommandIndexStore(database)
    return MongoIndexStore(database, master_index_key)
