"""`createIndexes`, `dropIndexes` and `listIndexes` (manual: Administration Commands)."""

from collections.abc import Mapping
from typing import Any, Final

from skerry.commands import command_fields as fields
from skerry.commands.command import Command, InTransaction, Request
from skerry.commands.command_fields import CommandFields
from skerry.commands.cursor_batches import cursor_options, listed
from skerry.commands.raw_reply import RawReply
from skerry.errors import BadValueError, TypeMismatchError


def _create_indexes(request: Request) -> dict[str, Any]:
    specs = request.arguments["indexes"]
    if not specs:
        raise BadValueError("Must specify at least one index to create")
    result = request.engine.create_indexes(request.namespace(), specs, request.ctx)
    reply: dict[str, Any] = {
        "numIndexesBefore": result.before,
        "numIndexesAfter": result.after,
        "createdCollectionAutomatically": result.created_collection,
    }
    if result.before == result.after:
        reply["note"] = "all indexes already exist"
    return reply


def _drop_indexes(request: Request) -> dict[str, Any]:
    selector = request.arguments["index"]
    before = request.engine.drop_indexes(request.namespace(), selector, request.ctx)
    reply: dict[str, Any] = {"nIndexesWas": before}
    if selector == "*":
        reply["msg"] = "non-_id indexes dropped for collection"
    return reply


def _list_indexes(request: Request) -> RawReply:
    namespace = request.namespace()
    batch_size = request.arguments.get("cursor", {}).get("batchSize")
    return listed(request, namespace, request.engine.list_indexes(namespace), batch_size)


def _index_selector(value: Any, command: str, field: str) -> str | Mapping[str, Any] | list[str]:
    """An index's name, its key pattern, several names, or "*"."""
    if isinstance(value, (str, Mapping)) or (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        return value
    raise TypeMismatchError(f"BSON field '{command}.{field}' must be a string, an object, or an array of strings")


def _drop_command(name: str) -> Command:
    readers = {name: fields.collection_name, "index": _index_selector}
    return Command(_drop_indexes, CommandFields(name, readers, required=(name, "index")), in_stable_api=True)


CREATE_INDEXES: Final = Command(
    _create_indexes,
    CommandFields(
        "createIndexes",
        {
            "createIndexes": fields.collection_name,
            "indexes": fields.array_of_documents,
            "commitQuorum": fields.anything,
            "ignoreUnknownIndexOptions": fields.refused("unknown options are always refused"),
        },
        required=("createIndexes", "indexes"),
    ),
    InTransaction.YES,
    in_stable_api=True,
)
DELETE_INDEXES: Final = _drop_command("deleteIndexes")
DROP_INDEXES: Final = _drop_command("dropIndexes")
LIST_INDEXES: Final = Command(
    _list_indexes,
    CommandFields(
        "listIndexes",
        {
            "listIndexes": fields.collection_name,
            "cursor": cursor_options,
            "includeBuildUUIDs": fields.truth,
            "includeIndexBuildInfo": fields.refused("an index build is over when its command is"),
        },
        required=("listIndexes",),
    ),
    in_stable_api=True,
)
