"""Which engines are open in this process: one for each data directory, shared by all who use it.

An engine ends when the last of its users has released it. Engines of `:memory:` are never shared. A forked child starts with
none: what it inherited belongs to its parent, and not even closing it is allowed there, because that would truncate the
parent's write-ahead log.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from skerry.config import EngineConfig
from skerry.errors import ConfigurationError

if TYPE_CHECKING:
    from skerry.engine.engine import Engine

MEMORY: Final = ":memory:"


@dataclass(slots=True)
class _OpenEngine:
    engine: "Engine"
    path: str | None  # None = private
    config: EngineConfig | None
    users: int = 1


class _OpenEngines:
    """The table behind `open_engine`; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_path: dict[str, _OpenEngine] = {}
        self._by_engine: dict[int, _OpenEngine] = {}
        self._inherited: list[_OpenEngine] = []  # kept, so that nothing of the parent's is ever finalised here
        self.equip: tuple[Callable[[Engine], object], ...] = ()

    def open(self, path: str | os.PathLike[str], config: EngineConfig | None) -> "Engine":
        shared = None if os.fspath(path) == MEMORY else os.path.realpath(path)
        with self._lock:
            found = self._by_path.get(shared) if shared is not None else None
            if found is not None:
                if config is not None and config != (found.config or EngineConfig()):
                    raise ConfigurationError(
                        "engine", str(path), "the settings with which this process opened it first"
                    )
                found.users += 1
                return found.engine
            from skerry.engine.engine import Engine  # here, because it imports the whole engine

            engine = Engine(MEMORY if shared is None else Path(shared), config)
            for equip in self.equip:
                equip(engine)
            entry = _OpenEngine(engine, shared, config)
            self._by_engine[id(engine)] = entry
            if shared is not None:
                self._by_path[shared] = entry
            return engine

    def release(self, engine: "Engine") -> None:
        with self._lock:
            entry = self._by_engine.get(id(engine))
            if entry is None or entry.engine is not engine:
                return
            entry.users -= 1
            if entry.users:
                return
            del self._by_engine[id(engine)]
            if entry.path is not None:
                del self._by_path[entry.path]
            # Under the lock: whoever opens the directory next must find it closed.
            engine.close()

    def start_anew_after_fork(self) -> None:
        self._lock = threading.Lock()  # another thread of the parent may have held the old one
        self._inherited.extend(self._by_engine.values())
        self._by_path = {}
        self._by_engine = {}


_OPEN_ENGINES: Final = _OpenEngines()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_OPEN_ENGINES.start_anew_after_fork)


def on_open(equip: "Callable[[Engine], object]") -> None:
    """Call `equip` with every engine that is opened from now on; once for each, however often it is asked for.

    So that whoever puts the program together can attach what the engine, and this module, know nothing of.
    """
    if equip not in _OPEN_ENGINES.equip:
        _OPEN_ENGINES.equip = (*_OPEN_ENGINES.equip, equip)


def open_engine(path: str | os.PathLike[str], config: EngineConfig | None = None) -> "Engine":
    """Return the engine of the data directory `path`, opened if nobody in this process has it; ":memory:" is always new.

    Give it back with `release_engine`, once for each call. Raises what `Engine` raises, and ConfigurationError when it is open
    with other settings.
    """
    return _OPEN_ENGINES.open(path, config)


def release_engine(engine: "Engine") -> None:
    """Give back what `open_engine` returned; the last to do so closes it. An engine inherited by a fork is left alone."""
    _OPEN_ENGINES.release(engine)
