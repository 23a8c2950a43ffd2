"""What a node says of itself: `ping`, `buildInfo`, `serverStatus` and their kind (manual: Diagnostic Commands)."""

import datetime
import os
import platform
import socket
import sys
import time
from typing import Any, Final

from bson.int64 import Int64

import skerry
from skerry.commands import command_fields as fields
from skerry.commands.command import Command, InTransaction, Request
from skerry.commands.command_fields import CommandFields
from skerry.commands.hello import REPLICA_SET_NAME
from skerry.errors import BadValueError, InvalidOptionsError, TypeMismatchError
from skerry.values.documents import MAX_DOCUMENT_BYTES

MONGODB_VERSION: Final = "8.0.0"
"""The version of MongoDB whose behaviour is followed; drivers and tools decide by it what to use."""

_STARTED: Final = time.monotonic()
_PARAMETERS: Final[dict[str, Any]] = {
    "authenticationMechanisms": ["SCRAM-SHA-1", "SCRAM-SHA-256", "MONGODB-X509"],
    "enableTestCommands": False,
    "featureCompatibilityVersion": {"version": "8.0"},
    "logLevel": 0,
    "transactionLifetimeLimitSeconds": 60,
    "ttlMonitorEnabled": True,
}
_LOGS: Final = ("global", "startupWarnings")


def _ping(_request: Request) -> dict[str, Any]:
    return {}


def _build_info(_request: Request) -> dict[str, Any]:
    return {
        "version": MONGODB_VERSION,
        "gitVersion": "",
        "modules": [],
        "allocator": "system",
        "javascriptEngine": "none",
        "sysInfo": "deprecated",
        "versionArray": [*map(int, MONGODB_VERSION.split(".")), 0],
        "bits": 64,
        "debug": False,
        "maxBsonObjectSize": MAX_DOCUMENT_BYTES,
        "storageEngines": ["sqlite"],
        "skerryVersion": skerry.__version__,
    }


def _server_status(request: Request) -> dict[str, Any]:
    uptime = time.monotonic() - _STARTED
    return {
        "host": request.client.host,
        "version": MONGODB_VERSION,
        "process": "skerry",
        "pid": Int64(os.getpid()),
        "uptime": float(int(uptime)),
        "uptimeMillis": Int64(uptime * 1000),
        "localTime": datetime.datetime.now(datetime.UTC),
        "metrics": {"cursor": {"open": {"total": Int64(request.engine.cursors.count())}}},
        "storageEngine": {"name": "sqlite", "supportsCommittedReads": True, "persistent": True, "readOnly": False},
        "skerryVersion": skerry.__version__,
    }


def _host_info(_request: Request) -> dict[str, Any]:
    return {
        "system": {
            "currentTime": datetime.datetime.now(datetime.UTC),
            "hostname": socket.gethostname(),
            "cpuAddrSize": 64 if sys.maxsize > 1 << 32 else 32,
            "numCores": os.cpu_count() or 1,
            "cpuArch": platform.machine(),
        },
        "os": {"type": platform.system(), "name": platform.system(), "version": platform.release()},
        "extra": {"pythonVersion": platform.python_version()},
    }


def _get_parameter(request: Request) -> dict[str, Any]:
    wanted = request.arguments["getParameter"]
    if wanted == "*" or (isinstance(wanted, dict) and wanted.get("allParameters")):
        return dict(_PARAMETERS)
    named = [name for name in request.body if name != "getParameter" and name not in fields.GENERIC_FIELDS]
    found = {name: _PARAMETERS[name] for name in named if name in _PARAMETERS}
    if not found:
        raise InvalidOptionsError("no option found to get")
    return found


def _get_log(request: Request) -> dict[str, Any]:
    wanted = request.arguments["getLog"]
    if not isinstance(wanted, str):
        raise TypeMismatchError("Argument to getLog must be of type String")
    if wanted == "*":
        return {"names": list(_LOGS)}
    if wanted not in _LOGS:
        raise BadValueError(f"No log named '{wanted}'")
    return {"totalLinesWritten": 0, "log": []}


def _whats_my_uri(request: Request) -> dict[str, Any]:
    return {"you": request.client.address}


def _get_cmd_line_opts(_request: Request) -> dict[str, Any]:
    return {"argv": ["skerry"], "parsed": {}}


def _get_default_rw_concern(_request: Request) -> dict[str, Any]:
    return {
        "defaultReadConcern": {"level": "local"},
        "defaultWriteConcern": {"w": "majority", "wtimeout": 0},
        "defaultReadConcernSource": "implicit",
        "defaultWriteConcernSource": "implicit",
        "localUpdateWallClockTime": datetime.datetime.now(datetime.UTC),
    }


def _repl_set_get_status(request: Request) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC)
    timestamp = request.engine.cluster_time()
    member = {
        "_id": 0,
        "name": request.client.host,
        "health": 1.0,
        "state": 1,
        "stateStr": "PRIMARY",
        "uptime": int(time.monotonic() - _STARTED),
        "optime": {"ts": timestamp, "t": Int64(1)},
        "optimeDate": timestamp.as_datetime(),
        "self": True,
    }
    return {
        "set": REPLICA_SET_NAME,
        "date": now,
        "myState": 1,
        "term": Int64(1),
        "heartbeatIntervalMillis": Int64(2000),
        "majorityVoteCount": 1,
        "writeMajorityCount": 1,
        "votingMembersCount": 1,
        "writableVotingMembersCount": 1,
        "members": [member],
    }


def _command(
    name: str,
    run: Any,
    *readers: str,
    any_field: bool = False,
    admin_only: bool = False,
    in_transaction: InTransaction = InTransaction.NO,
    in_stable_api: bool = False,
) -> Command:
    declared = CommandFields(
        name, dict.fromkeys((name, *readers), fields.anything), required=(name,), allows_unknown=any_field
    )
    return Command(run, declared, in_transaction, admin_only=admin_only, in_stable_api=in_stable_api)


PING: Final = _command("ping", _ping, in_stable_api=True)
BUILD_INFO: Final = _command("buildInfo", _build_info, in_transaction=InTransaction.NOT_FIRST)
BUILD_INFO_LOWER: Final = _command("buildinfo", _build_info, in_transaction=InTransaction.NOT_FIRST)
GET_CMD_LINE_OPTS: Final = _command("getCmdLineOpts", _get_cmd_line_opts, admin_only=True)
GET_DEFAULT_RW_CONCERN: Final = _command("getDefaultRWConcern", _get_default_rw_concern, "inMemory", admin_only=True)
GET_LOG: Final = _command("getLog", _get_log, admin_only=True)
GET_PARAMETER: Final = _command("getParameter", _get_parameter, any_field=True, admin_only=True)
HOST_INFO: Final = _command("hostInfo", _host_info)
REPL_SET_GET_STATUS: Final = _command("replSetGetStatus", _repl_set_get_status, "initialSync", admin_only=True)
SERVER_STATUS: Final = _command("serverStatus", _server_status, any_field=True)
WHATS_MY_URI: Final = _command("whatsmyuri", _whats_my_uri)
