"""The door answers whatever bytes it is given, and stays shut once closed."""

import struct
from pathlib import Path

import bson
import pytest
from pymongo.errors import InvalidOperation, OperationFailure

from skerry.local_client.direct_connection import describe_server
from skerry.local_client.door import EngineDoor


def op_msg(sections: bytes, flags: int = 0) -> bytes:
    return struct.pack("<iiiiI", 20 + len(sections), 1, 0, 2013, flags) + sections


def test_a_request_is_answered_with_the_replys_document(tmp_path: Path) -> None:
    door = EngineDoor(tmp_path)
    reply = door.connect()(op_msg(b"\0" + bson.encode({"ping": 1, "$db": "admin"})))
    assert reply is not None
    assert bson.decode(reply)["ok"] == 1.0
    door.release()


def test_a_request_that_wants_no_reply_gets_none(tmp_path: Path) -> None:
    door = EngineDoor(tmp_path)
    assert door.connect()(op_msg(b"\0" + bson.encode({"ping": 1, "$db": "admin"}), 2)) is None
    door.release()


def test_a_malformed_message_is_answered_with_an_error(tmp_path: Path) -> None:
    door = EngineDoor(tmp_path)
    reply = door.connect()(op_msg(b"\7"))
    assert reply is not None
    assert bson.decode(reply)["code"] == 40432
    door.release()


def test_nobody_gets_in_after_closing(tmp_path: Path) -> None:
    door = EngineDoor(tmp_path)
    door.release()
    door.release()
    with pytest.raises(InvalidOperation):
        door.connect()


def test_a_store_is_named_by_its_directory_and_memory_by_nothing(tmp_path: Path) -> None:
    doors = [EngineDoor(path) for path in (tmp_path / "a", tmp_path / "b", tmp_path / "a", ":memory:", ":memory:")]
    a, b, again, memory, other = (door.host for door in doors)
    assert a == again
    assert len({a, b, memory, other}) == 4
    for door in doors:
        door.release()


def test_an_engine_that_refuses_the_handshake_is_an_error_at_once() -> None:
    class Refusing:
        host = "refusing.invalid"

        def connect(self) -> object:
            return lambda _: bson.encode({"ok": 0.0, "errmsg": "closing", "code": 91})

    with pytest.raises(OperationFailure, match="closing"):
        describe_server(Refusing(), ("refusing.invalid", 1))  # type: ignore[arg-type]
