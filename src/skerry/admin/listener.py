"""The admin API at an address: an HTTP server (uvicorn) in one thread of the node."""

import importlib.util
import ipaddress
import logging
import os
import socket
import threading
from pathlib import Path
from typing import Final

import uvicorn

from skerry.admin import run_file
from skerry.admin.api import Api
from skerry.admin.app import create_app
from skerry.admin.bounded_connection import CONNECTIONS_MAX, BoundedConnection
from skerry.admin.run_file import RunFile
from skerry.admin.running_node import RunningNode
from skerry.config.admin_config import AdminConfig

LOG: Final = logging.getLogger("skerry.admin")

STOP_SECONDS: Final = 2.0
WEB_SOCKET_BYTES_MAX: Final = 32 * 1024 * 1024  # a document of 16 MiB as Extended JSON


class AdminListener:
    """Listens from `start` to `stop`, once each."""

    def __init__(self, node: RunningNode, config: AdminConfig) -> None:
        self._api = Api(node)
        self._config = config
        path = node.engine.path
        self._directory = Path(path) if not node.engine.is_volatile else None
        self._socket: socket.socket | None = None
        self._app = create_app(self._api)
        self._has_dashboard = importlib.util.find_spec("nicegui") is not None
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._app,
                log_config=None,
                access_log=False,
                lifespan="on" if self._has_dashboard else "off",
                ws="wsproto" if self._has_dashboard else "none",
                ws_max_size=WEB_SOCKET_BYTES_MAX,
                loop="asyncio",
                http=BoundedConnection,
                proxy_headers=False,  # else whoever is on the loopback could choose the address that a failure counts for
                server_header=False,
                limit_concurrency=2 * CONNECTIONS_MAX,  # those that were cut off count until their tasks have ended
                timeout_keep_alive=15,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._run, name="skerry-admin", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, with the port that it got."""
        assert self._socket is not None
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Listen. Raises OSError for an address that cannot be had."""
        config = self._config
        family = socket.AF_INET6 if ":" in config.bind_host else socket.AF_INET
        self._socket = socket.create_server(
            (config.bind_host, config.bind_port), family=family, backlog=CONNECTIONS_MAX
        )
        # asyncio would set it, but not on sockets made without a protocol number; without it answers take 40 ms
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if config.token is not None:
            self._api.tokens.configure(config.token)
        if not _is_loopback(self._socket.getsockname()[0]):
            LOG.warning("the admin API listens on %s without TLS: tokens can be read on the way", self.url)
        self._thread.start()
        if self._directory is not None:
            run_file.write(self._directory, RunFile(self.url, self._api.tokens.run_token, os.getpid()))

    def stop(self) -> None:
        """Answer what is being asked, at most for a moment, and stop listening. Idempotent."""
        if self._directory is not None:
            run_file.remove(self._directory, os.getpid())
        self._api.close()
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
            if self._thread.is_alive():
                self._server.force_exit = True
                self._thread.join(STOP_SECONDS)
        if self._socket is not None:
            self._socket.close()

    def _run(self) -> None:
        assert self._socket is not None
        if self._has_dashboard:
            self._add_dashboard()
        self._server.run(sockets=[self._socket])

    def _add_dashboard(self) -> None:
        """Import and add it, in this thread, because that takes longer than all the rest of a node's start."""
        try:
            from skerry.admin.dashboard.install import install

            install(self._app, self._api)
        except Exception:  # the API has to come up whatever the other package does
            LOG.exception("the dashboard could not be added")
            self._api.dashboard_problem = "The dashboard could not be started; the node's log has the reason."


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
