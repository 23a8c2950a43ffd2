"""`collStats`, `dbStats` and `validate` (manual: Diagnostic Commands)."""

from typing import Any, Final

from skerry.commands import command_fields as fields
from skerry.commands.command import Command, Request
from skerry.commands.command_fields import CommandFields
from skerry.errors import BadValueError


def _coll_stats(request: Request) -> dict[str, Any]:
    return request.engine.collection_stats(request.namespace(), request.arguments.get("scale", 1))


def _db_stats(request: Request) -> dict[str, Any]:
    return request.engine.database_stats(request.db, request.arguments.get("scale", 1))


def _validate(request: Request) -> dict[str, Any]:
    return request.engine.validate_collection(request.namespace())


def _scale(value: Any, command: str, field: str) -> int:
    scale = fields.integer(value, command, field)
    if scale < 1:
        raise BadValueError("scale has to be > 0")
    return scale


def _coll_stats_command(name: str) -> Command:
    return Command(_coll_stats, CommandFields(name, {name: fields.collection_name, "scale": _scale}, required=(name,)))


def _db_stats_command(name: str) -> Command:
    readers = {name: fields.anything, "scale": _scale, "freeStorage": fields.truth}
    return Command(_db_stats, CommandFields(name, readers, required=(name,)))


COLL_STATS: Final = _coll_stats_command("collStats")
COLL_STATS_LOWER: Final = _coll_stats_command("collstats")
DB_STATS: Final = _db_stats_command("dbStats")
DB_STATS_LOWER: Final = _db_stats_command("dbstats")
VALIDATE: Final = Command(
    _validate,
    CommandFields(
        "validate",
        {
            "validate": fields.collection_name,
            "full": fields.truth,
            "scandata": fields.truth,
            "background": fields.truth,
            "checkBSONConformance": fields.truth,
            "repair": fields.refused("rebuild the collection instead"),
            "fixMultikey": fields.refused("multikey marks are kept by the planner's own checks"),
            "metadata": fields.truth,
        },
        required=("validate",),
    ),
)
