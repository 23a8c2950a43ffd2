"""skerry's server with MongoDB's fail points around it: `python failing_server.py DIRECTORY`, until its input ends.

Drivers test with them what they do when a server fails; here they show what a retry after such a failure finds. What is failed
on purpose before it runs never reaches skerry, everything else does. The fail points are `failCommand`,
`failGetMoreAfterCursorCheckout` and `onPrimaryTransactionalWrite`, as the drivers' specifications use them.
"""

import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final

import bson

from skerry.commands.client_context import ClientContext
from skerry.commands.entry_point import handle
from skerry.engine.engine import Engine
from skerry.errors import code_name
from skerry.server.listener import Listener
from skerry.wire.op_msg import OpMsg

# The server's categories of errors, which decide about the labels that it adds.
_RETRYABLE: Final = frozenset({6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})
_OF_TRANSACTIONS: Final = frozenset({24, 112, 246, 251, 267})
_RESUMABLE: Final = _RETRYABLE | {43, 63, 133, 150, 234, 13388}


@dataclass(slots=True)
class FailPoint:
    """One fail point; off while `left` is 0."""

    data: dict[str, Any] = field(default_factory=dict)
    left: int = 0
    skip: int = 0

    def take(self) -> bool:
        """Count one command; tell whether it is to fail."""
        if self.left <= 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.left -= 1
        return True


class FailingCommands:
    """Answers as a server with test commands would; shared by its connections."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._points: dict[str, FailPoint] = {}
        self._application_names: dict[int, str] = {}
        self._ran: set[tuple[bytes, int]] = set()

    def handle(self, message: OpMsg, client: ClientContext, engine: Engine) -> bytes | None:
        name = message.command_name
        if name in ("hello", "ismaster", "isMaster"):
            metadata = bson.decode(message.body).get("client") or {}
            if "application" in metadata:
                self._application_names[client.connection_id] = metadata["application"]["name"]
        if name == "configureFailPoint":
            self._configure(bson.decode(message.body))
            return bson.encode({"ok": 1.0})
        if name == "getCmdLineOpts":
            return bson.encode({"argv": ["skerry"], "parsed": {"setParameter": {"enableTestCommands": "1"}}, "ok": 1.0})
        data = self._failing(message, name, client)
        if data is not None:
            return _failed(data, message, client, engine)
        if b"txnNumber\x00" in message.body and b"autocommit\x00" not in message.body:
            return self._written(message, client, engine)
        return handle(message, client, engine)

    def _configure(self, command: dict[str, Any]) -> None:
        name, mode = command["configureFailPoint"], command["mode"]
        data = command.get("data", {})
        if name == "failGetMoreAfterCursorCheckout":
            labels = ["ResumableChangeStreamError"] if data.get("errorCode") in _RESUMABLE else []
            name, data = "failCommand", {"errorLabels": labels, **data, "failCommands": ["getMore"]}
        if isinstance(mode, str):
            point = FailPoint(data, sys.maxsize if mode == "alwaysOn" else 0)
        else:
            point = FailPoint(data, mode.get("times", sys.maxsize), mode.get("skip", 0))
        with self._lock:
            self._points[name] = point

    def _failing(self, message: OpMsg, name: str, client: ClientContext) -> dict[str, Any] | None:
        """Return what `failCommand` has for this command, None when it is to run."""
        with self._lock:
            point = self._points.get("failCommand")
            if point is None or name not in point.data.get("failCommands", ()):
                return None
            wanted = point.data.get("appName")
            if wanted is not None and wanted != self._application_names.get(client.connection_id):
                return None
            if "namespace" in point.data:
                body = bson.decode(message.body)
                if point.data["namespace"] != f"{body['$db']}.{body[name]}":
                    return None
            return point.data if point.take() else None

    def _written(self, message: OpMsg, client: ClientContext, engine: Engine) -> bytes | None:
        """Run a retryable write, and lose its reply or the write itself when that is wanted; a repetition does not count."""
        body = bson.decode(message.body)
        write = (bytes(body["lsid"]["id"]), body["txnNumber"])
        with self._lock:
            point = self._points.get("onPrimaryTransactionalWrite")
            if point is None or write in self._ran or not point.take():
                point = None
        code = None if point is None else point.data.get("failBeforeCommitExceptionCode")
        if code is None:
            self._ran.add(write)
            reply = handle(message, client, engine)
        else:
            reply = _error({"errorCode": code}, body)
        if point is not None and point.data.get("closeConnection", True):
            raise ConnectionAbortedError("closed by the fail point")
        return reply


def _failed(data: dict[str, Any], message: OpMsg, client: ClientContext, engine: Engine) -> bytes | None:
    if data.get("blockConnection"):
        time.sleep(data["blockTimeMS"] / 1000)
    if data.get("closeConnection"):
        raise ConnectionAbortedError("closed by the fail point")
    body = bson.decode(message.body)
    if "errorCode" in data:
        return _error(data, body)
    reply = handle(message, client, engine)
    if reply is None or "writeConcernError" not in data:
        return reply
    error = data["writeConcernError"]
    labels = data.get("errorLabels")
    if labels is None:
        labels = ["RetryableWriteError"] if error["code"] in _RETRYABLE and _is_retryable(body) else []
    return bson.encode(
        {**bson.decode(reply), "writeConcernError": error, **({"errorLabels": labels} if labels else {})}
    )


def _error(data: dict[str, Any], body: dict[str, Any]) -> bytes:
    code = data["errorCode"]
    labels = data.get("errorLabels")
    if labels is None:
        labels = _labels(code, body)
    text = "Failing command via 'failCommand' failpoint"
    reply = {"ok": 0.0, "errmsg": text, "code": code, "codeName": code_name(code)}
    return bson.encode({**reply, "errorLabels": labels} if labels else reply)


def _labels(code: int, body: dict[str, Any]) -> list[str]:
    labels = ["RetryableWriteError"] if code in _RETRYABLE and _is_retryable(body) else []
    if body.get("autocommit") is False and (
        code in _OF_TRANSACTIONS or (code in _RETRYABLE and not _ends_transaction(body))
    ):
        labels.append("TransientTransactionError")
    return labels


def _ends_transaction(body: dict[str, Any]) -> bool:
    return next(iter(body)) in ("commitTransaction", "abortTransaction")


def _is_retryable(body: dict[str, Any]) -> bool:
    return "txnNumber" in body and (_ends_transaction(body) or "autocommit" not in body)


def main() -> None:
    engine = Engine(sys.argv[1])
    try:
        with Listener(("127.0.0.1", 0), engine, handle=FailingCommands().handle) as listener:
            host, port = listener.address  # type: ignore[misc]
            print(f"skerry ready mongodb://{host}:{port}", flush=True)  # noqa: T201  what the test waits for
            sys.stdin.read()
    finally:
        engine.close()


if __name__ == "__main__":
    main()
