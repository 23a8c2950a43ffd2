"""Asks a running node over its admin API; what goes wrong is an error with the exit code that scripts see."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlencode

from skerry.errors import SkerryError

TIMEOUT_SECONDS: Final = 30.0


class NodeError(SkerryError):
    """The node did not do what it was asked; `exit_code` is what the process ends with."""

    exit_code: ClassVar[int] = 1


class NodeUnreachableError(NodeError):
    """No node answers at the address."""

    exit_code = 4


class NotAllowedError(NodeError):
    """The token is missing, wrong, or of too low a role."""

    exit_code = 5


class NodeClient:
    """One node's admin API. The methods return the data of the answer and raise `NodeError`."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **query: Any) -> Any:
        return self._ask("GET", path, query=query)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._ask("POST", path, body=body)

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._ask("PUT", path, body=body)

    def delete(self, path: str, **query: Any) -> Any:
        return self._ask("DELETE", path, query=query)

    def health(self, path: str) -> Any:
        """Return the data of an answer that may say 503 and still has data."""
        return self._ask("GET", path, accepted=(503,))

    def lines(self, path: str, **query: Any) -> Iterator[str]:
        """Iterate over the lines of an answer without an envelope."""
        with self._open("GET", path, query, None) as answer:
            for line in answer:
                yield line.decode("utf-8")

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        accepted: tuple[int, ...] = (),
    ) -> Any:
        try:
            with self._open(method, path, query or {}, body, accepted) as answer:
                return json.load(answer)["data"]
        except (ValueError, KeyError, TypeError, HTTPException) as error:
            raise NodeError(f"{self.url} does not answer like a skerry node: {error}") from error

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: Mapping[str, Any] | None,
        accepted: tuple[int, ...] = (),
    ) -> Any:
        given = {name: _text(value) for name, value in query.items() if value is not None}
        address = f"{self.url}{path}{'?' + urlencode(given) if given else ''}"
        headers = {**self._headers, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310  checked by `connect`
        try:
            return urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310
        except urllib.error.HTTPError as error:
            if error.code in accepted:
                return error
            with error:
                raise _refusal(error) from None
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise NodeUnreachableError(f"no node answers at {self.url}: {reason}") from None


def path_part(value: object) -> str:
    """Return a value as one part of a path."""
    return quote(str(value), safe="")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refusal(error: urllib.error.HTTPError) -> NodeError:
    try:
        message = json.load(error)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = f"HTTP status {error.code}"
    return NotAllowedError(message) if error.code in (401, 403, 429) else NodeError(message)
