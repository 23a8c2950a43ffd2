"""Where settings come from: defaults, then `skerry.toml`, then the environment, then arguments; the last one wins.

The file has a table for each configuration, the environment a variable for each setting:

    [engine]
    oplog_bytes_max = 536_870_912           # SKERRY_ENGINE_OPLOG_BYTES_MAX=536870912

    [sync]
    hub_uri = "mongodb://hub:27017"         # SKERRY_SYNC_HUB_URI=mongodb://hub:27017
    [sync.rules]
    "shop.*" = "both"                       # SKERRY_SYNC_RULES='shop.*=both,logs.*=push'
    [sync.conflict_rules]
    "shop.stock#total" = "counter"          # SKERRY_SYNC_CONFLICT_RULES='shop.stock#total=counter'

What is wrong is refused, with one exception: a wrong sync setting of the file or the environment turns the link off and is left
in `Settings.sync_fault`, because a node that serves its site without a hub is worth more than none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skerry.config.admin_config import AdminConfig
from skerry.config.engine_config import EngineConfig
from skerry.config.origin import Origin
from skerry.config.reading import Reading
from skerry.config.server_config import ServerConfig
from skerry.config.sync_config import SyncConfig
from skerry.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that was set; `sync` is None for a node without a hub, `admin` for one without an admin API.

    `sources` says by table and setting where what is no default came from. `sync_fault` is why there is no link although
    there should be one; `warnings` are sentences for whoever starts the node.
    """

    engine: EngineConfig
    server: ServerConfig
    sync: SyncConfig | None
    admin: AdminConfig | None = None
    sources: Mapping[str, Mapping[str, Origin]] = field(default_factory=dict, compare=False)
    sync_fault: ConfigurationError | None = field(default=None, compare=False)
    warnings: tuple[str, ...] = field(default=(), compare=False)


def load_settings(
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    arguments: Mapping[str, Mapping[str, Any]] | None = None,
    options: Mapping[tuple[str, str], str] | None = None,
) -> Settings:
    """Put the settings together; a `file` that does not exist counts as empty.

    `arguments` has a mapping for each table; an argument that is None was not given. `options` are the names under which
    (table, setting) are given on the command line. Raises `ConfigurationError`.
    """
    reading = Reading()
    reading.read_file(file)
    reading.read_environment(environment or {})
    reading.read_arguments(arguments or {}, options or {})
    values = reading.values
    sync = reading.sync(environment or {})
    return Settings(
        engine=EngineConfig(**values["engine"]),
        server=ServerConfig(**values["server"]),
        sync=sync,
        admin=AdminConfig(**values["admin"]) if values["admin"].keys() & {"bind_host", "bind_port"} else None,
        sources=reading.sources,
        sync_fault=reading.fault,
        warnings=tuple(reading.warnings),
    )
