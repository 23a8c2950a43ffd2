"""Collections and databases: created, changed, renamed, dropped and listed (manual: Administration Commands)."""

from typing import Any, Final

from bson.int64 import Int64

from skerry.commands import command_fields as fields
from skerry.commands.command import Command, InTransaction, Request, checked_namespace
from skerry.commands.command_fields import CommandFields
from skerry.commands.cursor_batches import cursor_options, listed
from skerry.commands.raw_reply import RawReply
from skerry.commands.visibility import visible_collections, visible_databases
from skerry.errors import InvalidNamespaceError, NamespaceNotFoundError, TypeMismatchError
from skerry.matcher.compile import compile_filter
from skerry.values.namespace import Namespace
from skerry.values.type_order import type_name_of


def _create(request: Request) -> dict[str, Any]:
    options = {name: value for name, value in request.arguments.items() if name != "create"}
    request.engine.create_collection(request.namespace(), options, request.ctx)
    return {}


def _drop(request: Request) -> dict[str, Any]:
    try:
        return request.engine.drop_collection(request.namespace(), request.ctx)
    except NamespaceNotFoundError:
        return {}  # not an error since MongoDB 7.0


def _drop_database(request: Request) -> dict[str, Any]:
    existed = request.engine.drop_database(request.db, request.ctx)
    return {"dropped": request.db} if existed else {}


def _rename_collection(request: Request) -> dict[str, Any]:
    arguments = request.arguments
    request.engine.rename_collection(
        arguments["renameCollection"],
        arguments["to"],
        drop_target=arguments.get("dropTarget", False),
        ctx=request.ctx,
    )
    return {}


def _coll_mod(request: Request) -> dict[str, Any]:
    changes = {name: value for name, value in request.arguments.items() if name != "collMod"}
    request.engine.modify_collection(request.namespace(), changes, request.ctx)
    return {}


def _list_collections(request: Request) -> RawReply:
    arguments = request.arguments
    found: list[dict[str, Any]] = visible_collections(request, request.engine.list_collections(request.db))
    if arguments.get("filter"):
        matches = compile_filter(arguments["filter"]).matches
        found = [each for each in found if matches(each)]
    if arguments.get("nameOnly"):
        found = [{"name": each["name"], "type": each["type"]} for each in found]
    batch_size = arguments.get("cursor", {}).get("batchSize")
    return listed(request, Namespace(request.db, "$cmd.listCollections"), found, batch_size)


def _list_databases(request: Request) -> dict[str, Any]:
    arguments = request.arguments
    found: list[dict[str, Any]] = visible_databases(
        request, request.engine.list_databases(), only_own=arguments.get("authorizedDatabases")
    )
    if arguments.get("filter"):
        matches = compile_filter(arguments["filter"]).matches
        found = [each for each in found if matches(each)]
    if arguments.get("nameOnly"):
        return {"databases": [{"name": each["name"]} for each in found]}
    size = sum(each["sizeOnDisk"] for each in found)
    return {"databases": found, "totalSize": Int64(size), "totalSizeMb": Int64(size // (1024 * 1024))}


def _full_name(value: Any, command: str, field: str) -> Namespace:
    """The name of a collection with its database's."""
    if not isinstance(value, str):
        raise TypeMismatchError(
            f"BSON field '{command}.{field}' is the wrong type '{type_name_of(value)}', expected type 'string'"
        )
    db, dot, coll = value.partition(".")
    if not dot:
        raise InvalidNamespaceError(f"Invalid namespace specified '{value}'")
    return checked_namespace(db, coll)


COLL_MOD: Final = Command(
    _coll_mod,
    CommandFields("collMod", {"collMod": fields.collection_name}, required=("collMod",), allows_unknown=True),
    in_stable_api=True,
)
CREATE: Final = Command(
    _create,
    CommandFields("create", {"create": fields.collection_name}, required=("create",), allows_unknown=True),
    InTransaction.YES,
    in_stable_api=True,
)
DROP: Final = Command(
    _drop, CommandFields("drop", {"drop": fields.collection_name}, required=("drop",)), in_stable_api=True
)
DROP_DATABASE: Final = Command(
    _drop_database,
    CommandFields("dropDatabase", {"dropDatabase": fields.anything}, required=("dropDatabase",)),
    in_stable_api=True,
)
LIST_COLLECTIONS: Final = Command(
    _list_collections,
    CommandFields(
        "listCollections",
        {
            "listCollections": fields.anything,
            "filter": fields.document,
            "nameOnly": fields.truth,
            "authorizedCollections": fields.truth,
            "cursor": cursor_options,
        },
        required=("listCollections",),
    ),
    in_stable_api=True,
)
LIST_DATABASES: Final = Command(
    _list_databases,
    CommandFields(
        "listDatabases",
        {
            "listDatabases": fields.anything,
            "filter": fields.document,
            "nameOnly": fields.truth,
            "authorizedDatabases": fields.truth,
        },
        required=("listDatabases",),
    ),
    admin_only=True,
    in_stable_api=True,
)
RENAME_COLLECTION: Final = Command(
    _rename_collection,
    CommandFields(
        "renameCollection",
        {"renameCollection": _full_name, "to": _full_name, "dropTarget": fields.truth},
        required=("renameCollection", "to"),
    ),
    admin_only=True,
)
