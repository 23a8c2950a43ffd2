"""One engine for each directory and process, until the last user has gone."""

import os
import threading
from pathlib import Path

import pytest

from skerry.config import EngineConfig
from skerry.engine.engine import Engine
from skerry.errors import ConfigurationError
from skerry.local_client.open_engines import open_engine, release_engine
from skerry.storage.store import DATABASE_FILE


def is_closed(engine: Engine) -> bool:
    return engine.storage.store._closed


def test_one_directory_has_one_engine_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    (tmp_path / "link").symlink_to(data)
    monkeypatch.chdir(tmp_path)
    engines = [open_engine(data), open_engine("data"), open_engine("./x/../data"), open_engine(tmp_path / "link")]
    assert all(engine is engines[0] for engine in engines)
    for engine in engines[1:]:
        release_engine(engine)
    assert not is_closed(engines[0])
    release_engine(engines[0])
    assert is_closed(engines[0])
    assert (data / DATABASE_FILE).exists()


def test_a_released_directory_can_be_opened_again(tmp_path: Path) -> None:
    first = open_engine(tmp_path)
    release_engine(first)
    second = open_engine(tmp_path)
    assert second is not first
    assert not is_closed(second)
    release_engine(second)


def test_memory_is_private() -> None:
    first, second = open_engine(":memory:"), open_engine(":memory:")
    assert first is not second
    release_engine(first)
    assert not is_closed(second)
    release_engine(second)


def test_releasing_too_often_is_harmless(tmp_path: Path) -> None:
    first, second = open_engine(tmp_path), open_engine(tmp_path / "other")
    release_engine(first)
    release_engine(first)
    assert not is_closed(second)
    release_engine(second)


def test_other_settings_for_an_open_directory_are_refused(tmp_path: Path) -> None:
    engine = open_engine(tmp_path, EngineConfig(cursor_idle_ms_max=5000))
    with pytest.raises(ConfigurationError):
        open_engine(tmp_path, EngineConfig(cursor_idle_ms_max=6000))
    assert open_engine(tmp_path, EngineConfig(cursor_idle_ms_max=5000)) is engine
    assert open_engine(tmp_path) is engine
    for _ in range(3):
        release_engine(engine)
    assert is_closed(engine)


def test_threads_that_open_at_once_get_one_engine(tmp_path: Path) -> None:
    engines: list[Engine] = []
    threads = [threading.Thread(target=lambda: engines.append(open_engine(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(engines) == 8
    assert len(set(map(id, engines))) == 1
    for engine in engines:
        release_engine(engine)
    assert is_closed(engines[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_forked_child_opens_its_own_and_leaves_its_parents_alone(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    child = os.fork()
    if not child:
        ok = False
        try:
            own = open_engine(tmp_path)
            release_engine(engine)  # the parent's: nothing happens
            ok = own is not engine and not is_closed(engine)
            release_engine(own)
            ok = ok and is_closed(own)
        finally:
            os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not is_closed(engine)
    assert open_engine(tmp_path) is engine
    release_engine(engine)
    release_engine(engine)
