"""`hello` and its old names: this node is the one member, and so the primary, of a replica set.

A replica set of one, because drivers use sessions, transactions, retryable writes and change streams only with one. Its only
host is the address by which the client came. No `topologyVersion`: a client polls, instead of holding a connection open
for news that a single node never has.
"""

import datetime
from typing import Any, Final

from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.timestamp import Timestamp

from skerry.commands.authentication import speculative_log_in, supported_mechanisms
from skerry.commands.command import Command, InTransaction, Request
from skerry.commands.command_fields import CommandFields, anything
from skerry.values.documents import MAX_DOCUMENT_BYTES

REPLICA_SET_NAME: Final = "skerry"
MAX_MESSAGE_BYTES: Final = 48_000_000
MAX_WRITE_BATCH_SIZE: Final = 100_000
MAX_WIRE_VERSION: Final = 25  # MongoDB 8.0
SESSION_TIMEOUT_MINUTES: Final = 30
_ELECTION_ID: Final = ObjectId("7fffffff0000000000000001")  # of the first, and only, election


def _hello(request: Request) -> dict[str, Any]:
    return _reply(request, "isWritablePrimary")


def _is_master(request: Request) -> dict[str, Any]:
    reply = _reply(request, "ismaster")
    if request.body.get("helloOk"):
        reply = {"helloOk": True, **reply}
    return reply


def _reply(request: Request, primary_field: str) -> dict[str, Any]:
    host = request.client.host
    now = datetime.datetime.now(datetime.UTC)
    op_time = {"ts": request.engine.cluster_time(), "t": Int64(1)}
    reply = {
        primary_field: True,
        "secondary": False,
        "setName": REPLICA_SET_NAME,
        "setVersion": 1,
        "electionId": _ELECTION_ID,
        "hosts": [host],
        "primary": host,
        "me": host,
        "lastWrite": {
            "opTime": op_time,
            "lastWriteDate": _wall_time(op_time["ts"]),
            "majorityOpTime": op_time,
            "majorityWriteDate": _wall_time(op_time["ts"]),
        },
        "maxBsonObjectSize": MAX_DOCUMENT_BYTES,
        "maxMessageSizeBytes": MAX_MESSAGE_BYTES,
        "maxWriteBatchSize": MAX_WRITE_BATCH_SIZE,
        "localTime": now,
        "logicalSessionTimeoutMinutes": SESSION_TIMEOUT_MINUTES,
        "connectionId": request.client.connection_id,
        "minWireVersion": 0,
        "maxWireVersion": MAX_WIRE_VERSION,
        "readOnly": False,
    }
    if "saslSupportedMechs" in request.body:
        reply["saslSupportedMechs"] = supported_mechanisms(request)
    if "speculativeAuthenticate" in request.body:
        begun = speculative_log_in(request)
        if begun is not None:
            reply["speculativeAuthenticate"] = begun
    return reply


def _wall_time(timestamp: Any) -> datetime.datetime:
    assert isinstance(timestamp, Timestamp)
    return timestamp.as_datetime()


def _command(name: str, run: Any) -> Command:
    # drivers of every age announce themselves: what this node does not know is ignored, as the server does
    fields = CommandFields(name, {name: anything}, allows_unknown=True)
    return Command(run, fields, InTransaction.NOT_FIRST, in_stable_api=name == "hello")


HELLO: Final = _command("hello", _hello)
IS_MASTER: Final = _command("isMaster", _is_master)
IS_MASTER_LOWER: Final = _command("ismaster", _is_master)
