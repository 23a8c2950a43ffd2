"""One running node: a data directory, the doors it is served through, its link to a hub, and its admin API.

Started in the order that serves soonest: the engine, the link (which waits for its hub by itself), the doors, the admin API.
Stopped in the opposite order, so that what a client was told is done before anything closes.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.admin.watch import SyncWatch
from skerry.commands.client_access import AccessControl
from skerry.config import (
    AdminConfig,
    EffectiveSetting,
    EngineConfig,
    Origin,
    ServerConfig,
    SyncConfig,
    effective_settings,
)
from skerry.engine.engine import Engine
from skerry.errors import ConfigurationError
from skerry.local_client.open_engines import on_open, open_engine, release_engine
from skerry.server.listener import Listener
from skerry.server.loopback import loopback_only
from skerry.server.server_metrics import ServerCounts, total
from skerry.server.tls import server_context
from skerry.sync import link_removal, link_switch, outbox
from skerry.sync.link_removal import Unpushed
from skerry.sync.replicator import Replicator
from skerry.sync.sync_health import LinkState

if TYPE_CHECKING:
    from skerry.admin.listener import AdminListener


class Node:
    """A node that `start` opens and `stop` closes; once each.

    `sources` says where its settings came from, and `sync_fault` why it has no link although it should, as `Settings` does.
    """

    def __init__(
        self,
        data: str | Path,
        *,
        server: ServerConfig | None = None,
        sync: SyncConfig | None = None,
        engine: EngineConfig | None = None,
        admin: AdminConfig | None = None,
        sources: Mapping[str, Mapping[str, Origin]] | None = None,
        sync_fault: ConfigurationError | None = None,
    ) -> None:
        self._data = data
        self._server_config = server
        self._sync_config = sync
        self._engine_config = engine
        self._admin_config = admin
        self._sources = sources
        self.sync_fault = None if sync_fault is None else str(sync_fault)
        self._engine: Engine | None = None
        self._listeners: list[Listener] = []
        self._admin: AdminListener | None = None
        self._sync_lock = threading.Lock()
        self.replicator: Replicator | None = None
        self.watch: SyncWatch | None = None

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
            on_open(outbox.attach)
            self._engine = open_engine(self._data, self._engine_config)
            if self._sync_config is not None and self._sync_config.enabled:
                self.replicator = Replicator(self._engine, self._sync_config)
                self.replicator.start()
                self.watch = SyncWatch(lambda: self.replicator)
                self.watch.start()
            if self._server_config is not None:
                self._listen(self._engine, self._server_config)
            if self._admin_config is not None:
                self._admin = _admin_listener(self, self._admin_config)
                with _named((self._admin_config.bind_host, self._admin_config.bind_port)):
                    self._admin.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Answer what is being asked, end the link, close the engine. Idempotent."""
        if self._admin is not None:
            self._admin.stop()
            self._admin = None
        for listener in self._listeners:
            listener.close()
        self._listeners = []
        if self.watch is not None:
            self.watch.stop()
            self.watch = None
        if self.replicator is not None:
            self.replicator.stop()
            self.replicator = None
        if self._engine is not None:
            engine, self._engine = self._engine, None
            release_engine(engine)

    @property
    def admin_url(self) -> str | None:
        """Where the admin API listens, None without one."""
        return None if self._admin is None else self._admin.url

    def start_sync(self) -> bool:
        """Start the link anew after `stop_sync`, also of an earlier run; false when it runs. LookupError without a hub."""
        with self._sync_lock:
            if self.replicator is None or self._sync_config is None:
                raise LookupError("the node has no hub")
            if self.replicator.status().state is not LinkState.STOPPED:
                return False
            link = self.replicator.link
            link.write(lambda view: link_switch.switch_on(view, link.name), durable=True)
            self.replicator.stop()  # which closes what it never used, when an earlier run stopped the link
            replicator = Replicator(self.engine, self._sync_config)
            replicator.start()
            self.replicator = replicator
            return True

    def stop_sync(self, by: str) -> bool:
        """Stop the link until `start_sync`, also after a restart; local writes are still captured. `by`: who wants it.

        False when it does not run; LookupError for a node without a hub.
        """
        with self._sync_lock:
            if self.replicator is None:
                raise LookupError("the node has no hub")
            if self.replicator.status().state is LinkState.STOPPED:
                return False
            link = self.replicator.link
            link.write(lambda view: link_switch.switch_off(view, link.name, LinkState.STOPPED, by), durable=True)
            self.replicator.stop()
            return True

    def reset_sync(self, *, force: bool = False) -> Unpushed:
        """Have the link forget its hub and begin anew, as `link_removal.begin_anew` says; return what had not been pushed.

        What operators have ordered stays: paused, stopped, other rules. LookupError for a node without a hub, and the errors of
        `begin_anew`, after which the link goes on as before.
        """
        with self._sync_lock:
            if self.replicator is None or self._sync_config is None:
                raise LookupError("the node has no hub")
            link = self.replicator.link
            if not force:
                link.read(lambda view: link_removal.require_pushed(view, link.name))  # before it is stopped for nothing
            self.replicator.stop()
            replicator = Replicator(self.engine, self._sync_config)
            try:
                return link_removal.begin_anew(replicator.link, force=force)
            finally:
                replicator.start()
                self.replicator = replicator

    def settings(self) -> list[EffectiveSetting]:
        """Return the settings in effect, without secrets."""
        configs = {
            "engine": self._engine_config or EngineConfig(),
            "server": self._server_config,
            "sync": self._sync_config,
            "admin": self._admin_config,
        }
        return effective_settings(configs, self._sources)

    def connections(self) -> ServerCounts:
        """Return the numbers of all doors together."""
        return total(listener.counts for listener in self._listeners)

    def _listen(self, engine: Engine, config: ServerConfig) -> None:
        # the Unix socket announces the TCP address: drivers lower-case the hosts that they discover, paths included
        access = AccessControl(engine.users, requires_login=config.auth)
        host = config.bind_host if access.requires_login() else loopback_only(config.bind_host)
        addresses: list[tuple[str, int] | Path] = [(host, config.bind_port)]
        if config.unix_socket_path is not None:
            addresses.append(config.unix_socket_path)
        for address in addresses:
            context = None if isinstance(address, Path) else server_context(config)
            with _named(address):
                listener = Listener(
                    address,
                    engine,
                    connections_max=config.connections_max,
                    message_bytes_max=config.message_bytes_max,
                    ssl_context=context,
                    access=access,
                    announced_host=self.address if self._listeners else None,
                )
                listener.start()
            self._listeners.append(listener)


@contextmanager
def _named(address: tuple[str, int] | Path) -> Iterator[None]:
    """Say in the error of the system which address cannot be had."""
    try:
        yield
    except OSError as error:
        where = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else address
        raise OSError(error.errno, f"cannot listen on {where}: {error.strerror}") from error


def _admin_listener(node: Node, config: AdminConfig) -> "AdminListener":
    try:
        from skerry.admin.listener import AdminListener  # here, because it imports a web framework
    except ImportError as error:
        raise ConfigurationError("admin", None, "the packages of skerry[admin] for the admin API to run") from error
    return AdminListener(node, config)
