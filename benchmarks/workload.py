"""What every subject has to do: the documents, the operations on them, and the answers that are right."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, Protocol, TypeVar

T = TypeVar("T")

BATCH_DOCUMENTS: Final = 1000
CUSTOMER_DOCUMENTS: Final = 50  # so many documents an indexed find returns
RANGE_WIDTH: Final = 100.0
RANGE_LIMIT: Final = 20
HEAVY_KG: Final = 5
STATUSES: Final = ("open", "paid", "packed", "sent")
CATEGORIES: Final = ("anchors", "books", "charts", "flags", "lamps", "oars", "ropes", "sails")
CITIES: Final = ("Bergen", "Brest", "Cork", "Gdynia", "Lerwick", "Porto", "Turku")


def document(number: int) -> dict[str, Any]:
    """Return the document with this number: eleven fields, about 300 bytes of BSON, the same in every run."""
    return {
        "_id": number,
        "customer": customer(number),
        "status": STATUSES[number % len(STATUSES)],
        "category": CATEGORIES[number * 5 // 4 % len(CATEGORIES)],
        "quantity": number * 31 % 100,
        "total": number * 7919 % 100_000 / 100,
        "gift": number % 3 == 0,
        "ordered": datetime(2025, 1, 1) + timedelta(minutes=number % 400_000),
        "shipping": {"city": CITIES[number % len(CITIES)], "weight": number * 13 % 10},
        "tags": [CATEGORIES[number % 8], STATUSES[number // 8 % 4]],
        "note": f"Handle with care, order {number:08}; call before delivery.",
    }


def customer(number: int) -> str:
    """Return the customer of a document; every run of `CUSTOMER_DOCUMENTS` numbers is one customer's."""
    return f"customer-{number // CUSTOMER_DOCUMENTS:06}"


def is_heavy(document: Mapping[str, Any]) -> bool:
    """Whether the document is among those that `Store.delete_heavy` deletes."""
    return bool(document["shipping"]["weight"] > HEAVY_KG)


def is_heavy_and_open(document: Mapping[str, Any]) -> bool:
    """Whether the document is among those that `Store.count_heavy_open` counts."""
    return document["status"] == "open" and is_heavy(document)


class Store(Protocol):
    """What a subject must do; indexes on `customer` and `total` exist from the beginning where it has indexes."""

    def insert_many(self, documents: list[dict[str, Any]]) -> None: ...

    def insert_one(self, document: dict[str, Any]) -> None: ...

    def find_by_id(self, number: int) -> dict[str, Any] | None: ...

    def find_by_customer(self, customer: str) -> list[dict[str, Any]]: ...

    def find_dearest(self, least: float, below: float) -> list[dict[str, Any]]:
        """Return the `RANGE_LIMIT` documents with the greatest totals in [least, below), greatest first."""
        ...

    def count_heavy_open(self) -> int: ...

    def increment_quantity(self, number: int) -> int: ...

    def review_open(self) -> int:
        """Set `reviewed` and increment `quantity` in all open documents and return how many were changed."""
        ...

    def group_by_category(self) -> dict[str, tuple[int, int]]:
        """Return the number of documents and the sum of `quantity` of each category."""
        ...

    def delete_heavy(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done; a row of many operations ends early after `row_seconds_max`."""

    documents: int
    operations: int
    row_seconds_max: float


@dataclass(slots=True)
class Progress:
    """What a subject holds at the moment, which decides the right answers."""

    scale: Scale
    inserted: int = 0
    random: Random = field(default_factory=lambda: Random(7))

    def documents(self) -> Iterable[dict[str, Any]]:
        """Yield the documents as they were inserted."""
        return (document(number) for number in range(self.inserted))


@dataclass(slots=True)
class Stopwatch:
    """Adds up the time of the calls alone, not that of making their arguments or checking their answers."""

    seconds_max: float
    seconds: float = 0.0
    count: int = 0
    wrong: str | None = None

    def time(self, call: Callable[..., T], *arguments: Any) -> T:
        """Call and return what the call returns."""
        start = time.perf_counter()
        answer = call(*arguments)
        self.seconds += time.perf_counter() - start
        return answer

    @property
    def is_over(self) -> bool:
        """Whether the time of this row is used up."""
        return self.seconds > self.seconds_max

    def expect(self, answer: object, right: object) -> None:
        """Remember the first answer that is not the right one."""
        if answer != right and self.wrong is None:
            self.wrong = f"expected {str(right)[:80]}, got {str(answer)[:80]}"


def insert_many(store: Store, progress: Progress, watch: Stopwatch) -> None:
    """Load the collection in batches."""
    while progress.inserted < progress.scale.documents and not watch.is_over:
        end = min(progress.inserted + BATCH_DOCUMENTS, progress.scale.documents)
        batch = [document(number) for number in range(progress.inserted, end)]
        watch.time(store.insert_many, batch)
        watch.count += len(batch)
        progress.inserted = end


def insert_one(store: Store, progress: Progress, watch: Stopwatch) -> None:
    """Add single documents to the loaded collection."""
    for _ in range(progress.scale.operations):
        watch.time(store.insert_one, document(progress.inserted))
        watch.count += 1
        progress.inserted += 1
        if watch.is_over:
            break


def find_by_id(store: Store, progress: Progress, watch: Stopwatch) -> None:
    """Read single documents in random order."""
    for _ in range(progress.scale.operations):
        number = progress.random.randrange(progress.inserted)
        found = watch.time(store.find_by_id, number)
        watch.expect(found and found["note"], document(number)["note"])
        watch.count += 1
        if watch.is_over:
            break


def find_indexed(store: Store, progress: Progress, watch: Stopwatch) -> None:
    """Read all documents of single customers."""
    for _ in range(progress.scale.operations // 10):
        number = progress.random.randrange(progress.inserted)
        found = watch.time(store.find_by_customer, customer(number))
        start = number // CUSTOMER_DOCUMENTS * CUSTOMER_DOCUMENTS
        right = range(start, min(start + CUSTOMER_DOCUMENTS, progress.inserted))
        watch.expect(sorted(one["_id"] for one in found), list(right))
        watch.count += 1
        if watch.is_over:
            break


def range_sort_limit(store: Store, progress: Progress, watch: Stopwatch) -> None:
    """Read the dearest few orders of a range of totals."""
    totals = sorted(one["total"] for one in progress.documents())
    for _ in range(progress.scale.operations // 10):
        least = float(progress.random.randrange(900))
        found = watch.time(store.find_dearest, least, least + RANGE_WIDTH)
        within = [total for total in totals if least <= total < least + RANGE_WIDTH]
        watch.expect([one["total"] for one in found], within[: -RANGE_LIMIT - 1 : -1])
        watch.count += 1
        if watch.is_over:
            break


def count_filtered(store: Store, progress: Progress, watch: Stopwatch) -> None:
    """Count by two fields without an index; counts the documents looked at."""
    right = sum(map(is_heavy_and_open, progress.documents()))
    for _ in range(3):
        watch.expect(watch.time(store.count_heavy_open), right)
        watch.count += progress.inserted
        if watch.is_over:
            break


def group(store: Store, progress: Progress, watch: Stopwatch) -> None:
    """Group the whole collection; counts the documents looked at."""
    right: dict[str, tuple[int, int]] = {}
    for one in progress.documents():
        number, quantity = right.get(one["category"], (0, 0))
        right[one["category"]] = (number + 1, quantity + one["quantity"])
    watch.expect(watch.time(store.group_by_category), right)
    watch.count += progress.inserted


def update_one(store: Store, progress: Progress, watch: Stopwatch) -> None:
    """Change a number in single documents in random order."""
    for _ in range(progress.scale.operations):
        number = progress.random.randrange(progress.inserted)
        watch.expect(watch.time(store.increment_quantity, number), 1)
        watch.count += 1
        if watch.is_over:
            break


def update_many(store: Store, progress: Progress, watch: Stopwatch) -> None:
    """Change a quarter of the collection; counts the documents changed."""
    right = sum(one["status"] == "open" for one in progress.documents())
    watch.expect(watch.time(store.review_open), right)
    watch.count += right


def delete_many(store: Store, progress: Progress, watch: Stopwatch) -> None:
    """Delete two fifths of the collection; counts the documents deleted."""
    right = sum(map(is_heavy, progress.documents()))
    watch.expect(watch.time(store.delete_heavy), right)
    watch.count += right


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; rates count operations, or documents where the title says so."""

    title: str
    run: Callable[[Store, Progress, Stopwatch], None]


# In the order in which they run: each row finds the collection as the rows before left it.
ROWS: Final[Mapping[str, Row]] = {
    "insert_many": Row("insert_many, documents", insert_many),
    "insert_one": Row("insert_one", insert_one),
    "find_by_id": Row("find_one by _id", find_by_id),
    "find_indexed": Row(f"indexed find of {CUSTOMER_DOCUMENTS}", find_indexed),
    "range_sort_limit": Row(f"range+sort+limit {RANGE_LIMIT}", range_sort_limit),
    "count_filtered": Row("unindexed count, documents", count_filtered),
    "group": Row("$group, documents", group),
    "update_one": Row("update_one by _id", update_one),
    "update_many": Row("update_many, documents", update_many),
    "delete_many": Row("delete_many, documents", delete_many),
}
