from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from skerry.values.key_range import KeyRange, intersect, union

ends = st.binary(max_size=2)
ranges = st.lists(st.builds(KeyRange, ends, ends), max_size=5)


def has(spans: tuple[KeyRange, ...], key: bytes) -> bool:
    return any(key in span for span in spans)


@given(ranges, ends)
def test_a_union_holds_the_same_keys_in_order_and_apart(spans: list[KeyRange], key: bytes) -> None:
    joined = union(spans)
    assert has(joined, key) == has(tuple(spans), key)
    assert not any(span.is_empty for span in joined)
    assert all(a.upper < b.lower for a, b in pairwise(joined))


@given(ranges, ranges, ends)
def test_an_intersection_holds_the_keys_of_both(a: list[KeyRange], b: list[KeyRange], key: bytes) -> None:
    left, right = union(a), union(b)
    common = intersect(left, right)
    assert has(common, key) == (has(left, key) and has(right, key))
    assert not any(span.is_empty for span in common)
