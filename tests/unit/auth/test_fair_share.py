"""Nobody keeps others out of a limited number of places."""

from hypothesis import given
from hypothesis import strategies as st

from skerry.auth.fair_share import FairShare


def test_while_there_is_room_nobody_gives_way() -> None:
    share: FairShare[str] = FairShare(2)
    share.take("a")
    assert share.must_yield("a") is None


def test_who_has_the_most_gives_way_to_who_has_fewer() -> None:
    share: FairShare[str] = FairShare(4)
    for holder in "aaab":
        share.take(holder)
    assert share.must_yield("c") == "a"
    assert share.must_yield("b") == "a"


def test_who_has_the_most_is_refused_himself() -> None:
    share: FairShare[str] = FairShare(3)
    for holder in "aab":
        share.take(holder)
    assert share.must_yield("a") == "a"


def test_equals_do_not_push_each_other_out_forever() -> None:
    share: FairShare[str] = FairShare(4)
    for holder in "aabb":
        share.take(holder)
    assert share.must_yield("a") == "a"
    assert share.must_yield("b") == "b"


@given(st.lists(st.sampled_from("abcd"), max_size=60), st.integers(4, 8))
def test_everybody_who_asks_has_a_place_in_the_end(asking: list[str], places: int) -> None:
    share: FairShare[str] = FairShare(places)
    for holder in asking:
        loser = share.must_yield(holder)
        if loser == holder:
            continue
        if loser is not None:
            share.give_back(loser)
        share.take(holder)
    assert share.taken == sum(share.held_by(holder) for holder in "abcd") <= places
    assert all(share.held_by(holder) for holder in asking)
