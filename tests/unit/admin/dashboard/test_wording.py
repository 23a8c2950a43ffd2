"""Numbers as people read them."""

import pytest

from skerry.admin.dashboard import wording


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, wording.NOTHING),
        (0, "0 ms"),
        (0.25, "250 µs"),
        (40, "40 ms"),
        (1_000, "1 s"),
        (1_500, "1.5 s"),
        (59_000, "59 s"),
        (90_000, "1.5 min"),
        (7_200_000, "2 h"),
        (172_800_000, "2 d"),
    ],
)
def test_a_length_of_time_is_told_in_its_largest_unit(milliseconds: float | None, text: str) -> None:
    assert wording.duration(milliseconds) == text


def test_counts_moments_and_shares() -> None:
    assert wording.count(1234567) == "1\u202f234\u202f567"
    assert wording.plural(1, "document") == "1 document"
    assert wording.plural(0, "document") == "0 documents"
    assert wording.moment(0) == "1970-01-01 00:00:00"
    assert wording.ago(None, 5) == "never"
    assert wording.ago(10, 5) == "0 ms ago"
    assert wording.share(0.126) == "13%"
    assert wording.as_text({"$oid": "a"}) == '{"$oid": "a"}'
    assert wording.as_text("a") == "a"
