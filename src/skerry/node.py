"""One running node: a data directory, the doors it is served through, and its link to a hub.

Started in the order that serves soonest: the engine, the link (which waits for its hub by itself), the doors. Stopped in the
opposite order, so that what a client was told is done before anything closes.
"""

from pathlib import Path

from skerry.config import EngineConfig, ServerConfig, SyncConfig
from skerry.engine.engine import Engine
from skerry.local_client.open_engines import open_engine, release_engine
from skerry.server.listener import Listener
from skerry.sync.replicator import Replicator


class Node:
    """A node that `start` opens and `stop` closes; once each."""

    def __init__(
        self,
        data: str | Path,
        *,
        server: ServerConfig | None = None,
        sync: SyncConfig | None = None,
        engine: EngineConfig | None = None,
    ) -> None:
        self._data = data
        self._server_config = server
        self._sync_config = sync
        self._engine_config = engine
        self._engine: Engine | None = None
        self._listeners: list[Listener] = []
        self.replicator: Replicator | None = None

    @property
    def engine(self) -> Engine:
        """The open engine; only between `start` and `stop`."""
        assert self._engine is not None
        return self._engine

    @property
    def address(self) -> str:
        """`host:port` of the TCP door, with the port that it got. Raises LookupError without one."""
        for listener in self._listeners:
            if not isinstance(listener.address, Path):
                host, port = listener.address
                return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        raise LookupError("the node listens on no TCP address")

    def start(self) -> None:
        """Open everything. Raises what opening the engine raises, OSError for an address that cannot be had."""
        try:
            self._engine = open_engine(self._data, self._engine_config)
            if self._sync_config is not None:
                self.replicator = Replicator(self._engine, self._sync_config)
                self.replicator.start()
            if self._server_config is not None:
                self._listen(self._engine, self._server_config)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Answer what is being asked, end the link, close the engine. Idempotent."""
        for listener in self._listeners:
            listener.close()
        self._listeners = []
        if self.replicator is not None:
            self.replicator.stop()
            self.replicator = None
        if self._engine is not None:
            engine, self._engine = self._engine, None
            release_engine(engine)

    def _listen(self, engine: Engine, config: ServerConfig) -> None:
        # the Unix socket announces the TCP address: drivers lower-case the hosts that they discover, paths included
        addresses: list[tuple[str, int] | Path] = [(config.bind_host, config.bind_port)]
        if config.unix_socket_path is not None:
            addresses.append(config.unix_socket_path)
        for address in addresses:
            listener = Listener(
                address,
                engine,
                connections_max=config.connections_max,
                message_bytes_max=config.message_bytes_max,
                announced_host=self.address if self._listeners else None,
            )
            listener.start()
            self._listeners.append(listener)
