from skerry.sync.protocol.document_state import Position
from skerry.sync.protocol.event_grouping import BatchId, EventGrouping, Marker

OURS = Marker(BatchId("edge", 1, 7))
KEY, OTHER = (b"session", 1), (b"session", 2)


def test_events_behind_a_marker_belong_to_it_until_the_transaction_changes() -> None:
    grouping = EventGrouping()
    assert grouping.take(5, KEY, OURS).leads
    assert grouping.take(5, KEY).marker is OURS
    assert grouping.take(6, KEY).marker is OURS
    assert grouping.take(6, OTHER).marker is None
    assert grouping.take(6, KEY).marker is None


def test_events_without_a_transaction_belong_to_nobody() -> None:
    grouping = EventGrouping()
    grouping.take(5, KEY, OURS)
    assert grouping.take(5, None).marker is None
    assert grouping.take(5, KEY).marker is None


def test_events_of_one_cluster_time_are_numbered() -> None:
    grouping = EventGrouping()
    taken = [grouping.take(time, None).position for time in (5, 5, 6, 6, 6, 7)]
    assert taken == [(5, 0), (5, 1), (6, 0), (6, 1), (6, 2), (7, 0)]


def test_numbering_goes_on_behind_a_token_and_at_a_time_that_comes_again() -> None:
    grouping = EventGrouping(Position(5, 3), KEY, OURS)
    assert grouping.take(5, KEY).position == (5, 4)
    grouping.start_again(Position(5, 7))
    found = grouping.take(5, KEY)
    assert (found.position, found.marker) == ((5, 8), None)
    assert grouping.take(6, KEY).position == (6, 0)


def test_only_markers_have_batch_ids() -> None:
    assert BatchId.from_document({"e": "edge", "i": 1, "n": 7}) == OURS.batch
    assert OURS.batch.to_document() == {"e": "edge", "i": 1, "n": 7}
    assert BatchId.from_document({"flush": "edge"}) is None
    assert BatchId.from_document("text") is None
