"""What the engine is asked and what it answers, as plain data: the vocabulary between `commands` and `engine`.

Documents travel as BSON bytes (`raw`); filters, updates and projections as decoded documents.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from skerry.errors import CommandError

SortPattern = Sequence[tuple[str, int]]
UpdateSpec = Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class WriteError:
    """One failed statement of a write command; `index` is its place in the command."""

    index: int
    error: CommandError


def is_statement_error(error: CommandError) -> bool:
    """Whether an error belongs to one statement (`writeErrors`) rather than to the whole command."""
    return error.code not in _COMMAND_ERRORS


_COMMAND_ERRORS: Final = frozenset({50, 91, 112, 166, 225, 251, 14031})
"""MaxTimeMSExpired, ShutdownInProgress, WriteConflict, CommandNotSupportedOnView, TransactionTooOld, NoSuchTransaction,
OutOfDiskSpace."""


@dataclass(slots=True)
class InsertResult:
    inserted: int = 0
    errors: list[WriteError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class UpdateStatement:
    filter: Mapping[str, Any]
    update: UpdateSpec
    multi: bool = False
    upsert: bool = False
    array_filters: Sequence[Mapping[str, Any]] = ()
    hint: str | Mapping[str, Any] | None = None
    sort: SortPattern | None = None
    let: Mapping[str, Any] | None = None


@dataclass(slots=True)
class UpdateResult:
    """`upserted` lists (statement index, new `_id`); `matched` includes the upserted, as `n` does in MongoDB's reply."""

    matched: int = 0
    modified: int = 0
    upserted: list[tuple[int, Any]] = field(default_factory=list)
    errors: list[WriteError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DeleteStatement:
    filter: Mapping[str, Any]
    multi: bool
    hint: str | Mapping[str, Any] | None = None
    let: Mapping[str, Any] | None = None


@dataclass(slots=True)
class DeleteResult:
    deleted: int = 0
    errors: list[WriteError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FindAndModifyStatement:
    """`update` is None to remove."""

    filter: Mapping[str, Any]
    update: UpdateSpec | None
    sort: SortPattern | None = None
    projection: Mapping[str, Any] | None = None
    return_new: bool = False
    upsert: bool = False
    array_filters: Sequence[Mapping[str, Any]] = ()
    hint: str | Mapping[str, Any] | None = None
    let: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class FindAndModifyResult:
    """`document` is the raw document before (or after, `return_new`) the change, projected; None when there was none."""

    document: bytes | None
    matched: int
    updated_existing: bool
    upserted_id: Any = None
    was_upsert: bool = False


@dataclass(frozen=True, slots=True)
class FindQuery:
    filter: Mapping[str, Any]
    sort: SortPattern | None = None
    projection: Mapping[str, Any] | None = None
    skip: int = 0
    limit: int | None = None
    hint: str | Mapping[str, Any] | None = None
    min: Mapping[str, Any] | None = None
    max: Mapping[str, Any] | None = None
    let: Mapping[str, Any] | None = None
    tailable: bool = False
    await_data: bool = False
    return_key: bool = False
    show_record_id: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether none of the options that are not implemented is used."""
        return self.min is None and self.max is None and not self.return_key and not self.show_record_id


@dataclass(frozen=True, slots=True)
class AggregateRequest:
    """`collectionless` is true for `{aggregate: 1}`: a database-level pipeline."""

    pipeline: Sequence[Mapping[str, Any]]
    collectionless: bool = False
    let: Mapping[str, Any] | None = None
    hint: str | Mapping[str, Any] | None = None
    bypass_document_validation: bool = False


@dataclass(frozen=True, slots=True)
class CountQuery:
    filter: Mapping[str, Any]
    skip: int = 0
    limit: int | None = None
    hint: str | Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CreateIndexesResult:
    before: int
    after: int
    created_collection: bool
