import pytest

from skerry.sync.protocol.coalesce import Keep, note_local_write
from skerry.sync.protocol.document_state import Shadow, State


def test_a_new_document_is_dirty_without_a_base() -> None:
    noted = note_local_write(None, is_delete=False, order=5, stamp=7)
    assert noted.shadow == Shadow(State.DIRTY, None, first_write=5, first_hlc=7, last_hlc=7)
    assert noted.keep is Keep.NOTHING


def test_deleting_what_no_hub_has_heard_of_leaves_nothing() -> None:
    assert note_local_write(None, is_delete=True, order=5, stamp=7).shadow is None
    unpushed = Shadow(State.DIRTY, None, first_write=5)
    assert note_local_write(unpushed, is_delete=True, order=6, stamp=8).shadow is None


def test_the_first_write_on_a_clean_document_keeps_its_base() -> None:
    noted = note_local_write(Shadow(State.CLEAN, b"base", last_hlc=3), is_delete=False, order=5, stamp=7)
    assert noted.keep is Keep.BASE
    assert noted.shadow is not None
    assert (noted.shadow.state, noted.shadow.base, noted.shadow.first_write) == (State.DIRTY, b"base", 5)


def test_further_writes_change_nothing_but_the_stamp() -> None:
    dirty = Shadow(State.DIRTY, b"base", first_write=5, first_hlc=7, last_hlc=7)
    noted = note_local_write(dirty, is_delete=True, order=6, stamp=9)
    assert noted.shadow == Shadow(State.DIRTY, b"base", first_write=5, first_hlc=7, last_hlc=9)
    assert noted.keep is Keep.NOTHING


@pytest.mark.parametrize("state", [State.INFLIGHT, State.AWAIT])
def test_a_write_that_overtakes_a_batch_keeps_what_the_batch_carries(state: State) -> None:
    noted = note_local_write(Shadow(state, b"base", batch=3, pushed=b"p"), is_delete=True, order=6, stamp=9)
    assert noted.keep is Keep.PUSHED
    assert noted.shadow is not None
    assert (noted.shadow.state, noted.shadow.batch, noted.shadow.pushed) == (state, 3, b"p")


def test_writing_a_quarantined_document_gives_it_another_chance() -> None:
    refused = Shadow(State.QUARANTINED, b"base", first_write=5, next_retry=1000, error="no")
    noted = note_local_write(refused, is_delete=False, order=6, stamp=9)
    assert noted.shadow is not None
    assert (noted.shadow.state, noted.shadow.next_retry) == (State.DIRTY, None)


def test_a_stamp_is_always_after_the_version_it_replaces() -> None:
    noted = note_local_write(Shadow(State.CLEAN, b"base", last_hlc=100), is_delete=False, order=5, stamp=7)
    assert noted.shadow is not None
    assert noted.shadow.last_hlc == 101
