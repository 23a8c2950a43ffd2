from skerry.sync.protocol import document_state as states
from skerry.sync.protocol.document_state import BEGINNING, Position, Shadow, State, content_hash

HERE, THERE, NOW = b"here", b"there", Position(7, 2)


def test_positions_sort_as_their_bytes_do() -> None:
    positions = [BEGINNING, Position(1, 0), Position(1, 300), Position(2, 0), Position(1 << 40, 5)]
    assert sorted(positions) == positions
    assert [Position.decode(raw) for raw in sorted(each.encode() for each in positions)] == positions
    assert Position.decode(None) == BEGINNING


def test_no_document_has_no_hash_and_equal_bytes_have_equal_ones() -> None:
    assert content_hash(None) is None
    assert content_hash(b"a") == content_hash(b"a") != content_hash(b"b")
    assert len(content_hash(b"") or b"") == 16


def test_a_document_goes_from_dirty_to_clean_through_its_batch() -> None:
    shadow = Shadow(State.DIRTY, b"base", first_write=1, last_hlc=9)
    shadow = states.sent(shadow, 4, HERE)
    assert (shadow.state, shadow.batch, shadow.pushed) == (State.INFLIGHT, 4, HERE)
    shadow = states.acknowledged(shadow)
    assert shadow.state is State.AWAIT
    done = states.settled(shadow, local=HERE, position=NOW)
    assert done == Shadow(State.CLEAN, HERE, NOW, first_hlc=9, last_hlc=9)


def test_a_write_after_the_push_leaves_the_document_dirty_on_what_was_pushed() -> None:
    shadow = states.acknowledged(states.sent(Shadow(State.DIRTY, b"base", first_write=1), 4, HERE))
    later = states.settled(shadow, local=b"newer", position=NOW)
    assert later is not None
    assert (later.state, later.base, later.batch, later.pushed) == (State.DIRTY, HERE, None, None)


def test_a_pushed_deletion_leaves_no_shadow() -> None:
    shadow = states.acknowledged(states.sent(Shadow(State.DIRTY, b"base"), 4, None))
    assert states.settled(shadow, local=None, position=NOW) is None
    reinserted = states.settled(shadow, local=HERE, position=NOW)
    assert reinserted is not None
    assert (reinserted.state, reinserted.base) == (State.DIRTY, None)


def test_an_aborted_batch_keeps_the_old_base_and_the_place_in_the_queue() -> None:
    shadow = states.not_written(states.sent(Shadow(State.DIRTY, b"base", first_write=1), 4, HERE))
    assert shadow == Shadow(State.DIRTY, b"base", first_write=1)


def test_a_left_out_document_waits_until_pull_brings_news() -> None:
    left = states.not_written(Shadow(State.INFLIGHT, b"base", batch=4), retry_at=500)
    assert (left.next_retry, left.attempts) == (500, 1)
    assert states.advanced(left, NOW).next_retry is None


def test_a_refused_document_is_quarantined_with_its_reason() -> None:
    refused = states.refused(Shadow(State.INFLIGHT, b"base", batch=4, pushed=HERE), "too large", retry_at=900)
    assert (refused.state, refused.error, refused.next_retry) == (State.QUARANTINED, "too large", 900)
    assert refused.batch is None
    assert states.advanced(refused, NOW).next_retry == 900  # else it would never be tried again


def test_a_merged_document_is_dirty_on_the_hubs_version() -> None:
    old = Shadow(State.QUARANTINED, b"base", first_write=3, first_hlc=5, last_hlc=8, attempts=4, error="x")
    merged = states.rebased(old, THERE, NOW, order=99, stamp=20)
    assert merged == Shadow(State.DIRTY, THERE, NOW, first_write=3, first_hlc=5, last_hlc=20)
    assert states.rebased(None, None, NOW, order=99, stamp=20).first_write == 99


def test_what_the_hub_deleted_is_not_remembered() -> None:
    assert states.integrated(None, NOW, 3) is None
