"""`compact` (manual: compact): the space that deleted documents have left goes back to the file system.

MongoDB wants `force` on a primary, because it slows the other members' clients down; a node is alone, and does without.
"""

from typing import Any, Final

from bson.int64 import Int64

from skerry.commands import command_fields as fields
from skerry.commands.command import Command, Request
from skerry.commands.command_fields import CommandFields
from skerry.errors import BadValueError

_MEGABYTE: Final = 1024 * 1024


def _compact(request: Request) -> dict[str, Any]:
    arguments = request.arguments
    freed = request.engine.compact(
        request.namespace(),
        dry_run=arguments.get("dryRun", False),
        target_bytes=arguments.get("freeSpaceTargetMB", 0) * _MEGABYTE,
    )
    return {"bytesFreed": Int64(freed)}


def _target(value: Any, command: str, field: str) -> int:
    megabytes = fields.integer(value, command, field)
    if megabytes < 1:
        raise BadValueError(f"BSON field '{field}' value must be >= 1, actual value '{megabytes}'")
    return megabytes


COMPACT: Final = Command(
    _compact,
    CommandFields(
        "compact",
        {
            "compact": fields.collection_name,
            "dryRun": fields.truth,
            "force": fields.truth,
            "freeSpaceTargetMB": _target,
        },
        required=("compact",),
    ),
)
