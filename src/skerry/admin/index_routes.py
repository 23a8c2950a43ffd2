"""The master index for whoever looks after a node: what exists, who holds a lease, what changed last."""

from typing import Any

from fastapi import APIRouter

from skerry.admin.api import Api
from skerry.admin.openapi import refusals
from skerry.admin.responses import Answer, Reply, reply
from skerry.catalog.master_index import MasterIndex
from skerry.engine.sqlite_index_store import SqliteIndexStore
from skerry.errors import CollectionNotFoundError


class History(Answer):
    changes: list[dict[str, Any]]


def index_router(api: Api) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/api/index", tags=["index"])

    def index_of(database: str) -> MasterIndex:
        return MasterIndex(SqliteIndexStore(api.node.engine.storage, database))

    @router.get("/{database}", response_model=Reply[dict[str, Any]], responses=refusals(400))
    def whole(database: str) -> dict[str, Any]:
        """The index of a database as one document."""
        return reply(index_of(database).to_dict())

    @router.get("/{database}/{collection}", response_model=Reply[dict[str, Any]], responses=refusals(400, 404))
    def one(database: str, collection: str) -> dict[str, Any]:
        """What the index says of a collection; `COLLECTION_NOT_FOUND` when it knows none of that name."""
        return reply(_known(index_of(database), collection))

    @router.get("/{database}/{collection}/history", response_model=Reply[History], responses=refusals(400, 404))
    def history(database: str, collection: str) -> dict[str, Any]:
        """The newest changes of a collection, at most 50."""
        index = index_of(database)
        _known(index, collection)
        return reply({"changes": index.get_modification_history(collection)})

    return router


def _known(index: MasterIndex, collection: str) -> dict[str, Any]:
    found = index.get_collection(collection)
    if found is None:
        raise CollectionNotFoundError(collection)
    return found
