"""Requests of somebody logged in to the node's own API, made within the process: through the same gate, roles and audit log."""

import json
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import Request
from starlette.types import ASGIApp, Message, Scope

_ENDED: Final = 401


class RefusedError(Exception):
    """What the API answered instead; `code` as in its errors."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def is_logged_out(self) -> bool:
        return self.status == _ENDED


class NodeRequests:
    """Asks `app` in the name of the browser that sent `request`, from the page it belongs to."""

    def __init__(self, app: ASGIApp, request: Request) -> None:
        headers = request.headers
        host = headers.get("host", "")
        self._app = app
        self._headers = [
            (b"host", host.encode("latin-1")),
            (b"origin", f"http://{host}".encode("latin-1")),
            (b"cookie", headers.get("cookie", "").encode("latin-1")),
            (b"content-type", b"application/json"),
        ]
        self._client = request.scope.get("client")
        self._server = request.scope.get("server")

    async def get(self, path: str, **query: Any) -> Any:
        """Return the data of an answer. Raises `RefusedError`."""
        return await self._ask("GET", path, None, query)

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        """Give an order and return the data of its answer. Raises `RefusedError`."""
        return await self._ask(method, path, body, {})

    async def _ask(self, method: str, path: str, body: Any, query: dict[str, Any]) -> Any:
        payload = b"" if body is None else json.dumps(body).encode()
        status, answered = 500, bytearray()
        unread = [payload]

        async def receive() -> Message:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                answered.extend(message.get("body", b""))

        await self._app(self._scope(method, path, len(payload), query), receive, send)
        found = json.loads(bytes(answered)) if answered else {}
        if not found.get("success"):
            error = found.get("error", {})
            raise RefusedError(status, error.get("code", "unknown"), error.get("message", f"refused with {status}"))
        return found["data"]

    def _scope(self, method: str, path: str, length: int, query: dict[str, Any]) -> Scope:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": quote(path).encode(),
            "root_path": "",
            "query_string": urlencode(query).encode(),
            "headers": [*self._headers, (b"content-length", str(length).encode())],
            "client": self._client,
            "server": self._server,
        }
