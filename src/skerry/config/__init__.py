"""Every setting once: frozen dataclasses with name, default, unit and help.

Rules: a unit is part of the name (`_ms`, `_bytes`, `_kib`, `_documents`); every field says in its metadata what it is for
(`help`) and, where values can be impossible, which are possible (`least`, `most`); an unknown key or an impossible value is
refused with `ConfigurationError` and never repaired. Who reads a setting gets the dataclass; only `load` reads files and the
environment.
"""

from skerry.config.admin_config import AdminConfig
from skerry.config.effective import EffectiveSetting, effective_settings
from skerry.config.engine_config import EngineConfig
from skerry.config.load import Settings, load_settings
from skerry.config.origin import Origin
from skerry.config.server_config import ServerConfig, parse_bind
from skerry.config.sync_config import (
    Atomicity,
    ConflictPolicy,
    ConflictRule,
    DeletePolicy,
    Direction,
    Granularity,
    OnFull,
    OnInvalid,
    SelectionRule,
    SyncConfig,
    parse_conflict_rule,
    parse_rule,
)

__all__ = [
    "AdminConfig",
    "Atomicity",
    "ConflictPolicy",
    "ConflictRule",
    "DeletePolicy",
    "Direction",
    "EffectiveSetting",
    "EngineConfig",
    "Granularity",
    "OnFull",
    "OnInvalid",
    "Origin",
    "SelectionRule",
    "ServerConfig",
    "Settings",
    "SyncConfig",
    "effective_settings",
    "load_settings",
    "parse_bind",
    "parse_conflict_rule",
    "parse_rule",
]
