import pytest

from skerry.sync.protocol.capability import Headroom, Tier, lacks_feature, tier_of


@pytest.mark.parametrize(
    ("transactions", "streams", "wire_version", "tier"),
    [
        (True, True, 25, Tier.A),
        (True, True, 17, Tier.A),
        (True, True, 13, Tier.B),
        (False, True, 25, Tier.C),
        (True, False, 25, Tier.D),
        (False, False, 6, Tier.D),
    ],
)
def test_the_tier_follows_from_what_the_hub_can_do(
    transactions: bool, streams: bool, wire_version: int, tier: Tier
) -> None:
    assert tier_of(transactions=transactions, streams=streams, wire_version=wire_version) is tier


def test_an_error_that_passes_is_no_missing_feature() -> None:
    assert lacks_feature(20, [])
    assert lacks_feature(40573, [])
    assert not lacks_feature(20, ["TransientTransactionError"])
    assert not lacks_feature(13, [])
    assert not lacks_feature(None, [])


@pytest.mark.parametrize(
    ("first", "last", "place", "is_low"),
    [(0, 1000, 990, False), (0, 1000, 600, False), (0, 1000, 400, True), (0, 1000, -5, True), (0, 10, 1, False)],
)
def test_headroom_is_low_for_a_link_that_is_far_behind(first: int, last: int, place: int, is_low: bool) -> None:
    found = Headroom(first, last, place)
    assert found.seconds == place - first
    assert found.is_low(patience_seconds=60) is is_low
