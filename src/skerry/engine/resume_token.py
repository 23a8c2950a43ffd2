"""A change stream's position as the token that clients keep: `{_data: <hex>}`.

Bytes: version, cluster time (8, big-endian), kind. The oplog's timestamps are unique, so a timestamp is a position.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from skerry.errors import InvalidResumeTokenError

EVENT: Final = 1
HIGH_WATER_MARK: Final = 0
INVALIDATE: Final = 2
_VERSION: Final = 1
_LENGTH: Final = 10


@dataclass(frozen=True, slots=True)
class ResumeToken:
    """Everything up to and including `timestamp` has been seen."""

    timestamp: int
    kind: int

    def to_document(self) -> dict[str, Any]:
        data = bytes([_VERSION]) + self.timestamp.to_bytes(8, "big") + bytes([self.kind])
        return {"_data": data.hex().upper()}

    @classmethod
    def from_document(cls, token: Any) -> "ResumeToken":
        """Raises `InvalidResumeTokenError` (260) for anything that is no token of ours."""
        data = token.get("_data") if isinstance(token, Mapping) else None
        try:
            raw = bytes.fromhex(data) if isinstance(data, str) else b""
        except ValueError:
            raw = b""
        if len(raw) != _LENGTH or raw[0] != _VERSION or raw[9] not in (EVENT, HIGH_WATER_MARK, INVALIDATE):
            raise InvalidResumeTokenError(f"Bad resume token: {token!r}")
        return cls(int.from_bytes(raw[1:9], "big"), raw[9])
