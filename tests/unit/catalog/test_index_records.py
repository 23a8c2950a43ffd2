import datetime
from typing import Any

import pytest

from skerry.catalog.index_records import CollectionRecord, Lease, iso_of, ms_of
from skerry.errors import ConfigurationError

MOMENT_MS = 1_750_672_800_123


def test_times_are_shown_as_iso_8601_in_utc_with_milliseconds() -> None:
    assert iso_of(MOMENT_MS) == "2025-06-23T10:00:00.123Z"
    assert iso_of(0) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "given",
    [
        MOMENT_MS,
        "2025-06-23T10:00:00.123Z",
        "2025-06-23T12:00:00.123+02:00",
        "2025-06-23T10:00:00.123",
        datetime.datetime(2025, 6, 23, 10, 0, 0, 123_000),
        datetime.datetime(2025, 6, 23, 10, 0, 0, 123_000, tzinfo=datetime.UTC),
    ],
)
def test_a_time_may_be_given_in_any_usual_form(given: Any) -> None:
    assert ms_of("created", given) == MOMENT_MS


@pytest.mark.parametrize("given", ["yesterday", "", True, [], 1.5])
def test_what_is_no_time_is_refused_by_the_name_of_the_field(given: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        ms_of("created", given)
    assert refused.value.setting == "created"
    assert refused.value.code == "CONFIGURATION_ERROR"


def test_a_collection_is_shown_with_the_fields_of_the_index_document() -> None:
    lease = Lease("users", "op", MOMENT_MS, MOMENT_MS + 1000, 7)
    record = CollectionRecord("users", "c_1", MOMENT_MS, MOMENT_MS, 3, "1-a", lease, {"note": "x"})
    assert record.as_document() == {
        "name": "users",
        "fileId": "c_1",
        "created": "2025-06-23T10:00:00.123Z",
        "lastModified": "2025-06-23T10:00:00.123Z",
        "documentCount": 3,
        "modificationToken": "1-a",
        "lockStatus": {
            "lockedBy": "op",
            "lockedAt": "2025-06-23T10:00:00.123Z",
            "expiresAt": "2025-06-23T10:00:01.123Z",
        },
        "note": "x",
    }
