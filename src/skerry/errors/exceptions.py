"""What can go wrong, as one tree.

    SkerryError
    ├── CommandError(code, message, labels)     anything a MongoDB reply can carry
    │   ├── BadValueError 2, FailedToParseError 9, TypeMismatchError 14, … (one class a code that callers tell apart)
    │   ├── DuplicateKeyError 11000             key_pattern, key_value, index_name
    │   ├── WriteConflictError 112              label TransientTransactionError inside a transaction
    │   └── ChangeStreamHistoryLostError 286    label NonResumableChangeStreamError
    ├── ConfigurationError                      setting, value, allowed
    └── StorageError                            the file itself: path
        ├── NotADatabaseError                   no skerry database
        ├── NewerSchemaError                    written by a newer version
        ├── CorruptDatabaseError                damaged
        └── OutOfDiskSpaceError                 (also a CommandError 14031)

Facts are attributes, never only part of the message.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from skerry.errors.codes import code_name


class SkerryError(Exception):
    """The root: everything that skerry raises on purpose."""


class CommandError(SkerryError):
    """An error that a MongoDB reply can carry.

    `code` is MongoDB's number, `labels` its error labels, `details` further fields of the reply (for example `keyPattern`).
    """

    default_code: ClassVar[int] = 8
    default_labels: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        message: str,
        code: int | None = None,
        *,
        labels: tuple[str, ...] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = self.default_code if code is None else code
        self.labels = self.default_labels if labels is None else labels
        self.details: dict[str, Any] = dict(details or {})

    @property
    def code_name(self) -> str:
        """MongoDB's name of the code."""
        return code_name(self.code)


class BadValueError(CommandError):
    default_code = 2


class UserNotFoundError(CommandError):
    default_code = 11


class FailedToParseError(CommandError):
    default_code = 9


class UnauthorizedError(CommandError):
    default_code = 13


class TypeMismatchError(CommandError):
    default_code = 14


class NumericOverflowError(CommandError):
    default_code = 15


class InvalidLengthError(CommandError):
    default_code = 16


class ProtocolError(CommandError):
    default_code = 17


class AuthenticationFailedError(CommandError):
    """A log-in that failed; the message never says why."""

    default_code = 18

    def __init__(self, message: str = "Authentication failed.") -> None:
        super().__init__(message)


class IllegalOperationError(CommandError):
    default_code = 20


class InvalidBsonError(CommandError):
    default_code = 22


class NamespaceNotFoundError(CommandError):
    default_code = 26


class IndexNotFoundError(CommandError):
    default_code = 27


class PathNotViableError(CommandError):
    default_code = 28


class RoleNotFoundError(CommandError):
    default_code = 31


class ConflictingUpdateOperatorsError(CommandError):
    default_code = 40


class CursorNotFoundError(CommandError):
    default_code = 43


class NamespaceExistsError(CommandError):
    default_code = 48


class MaxTimeExpiredError(CommandError):
    default_code = 50


class DollarPrefixedFieldNameError(CommandError):
    default_code = 52


class InvalidIdFieldError(CommandError):
    default_code = 53


class EmptyFieldNameError(CommandError):
    default_code = 56


class CommandNotFoundError(CommandError):
    default_code = 59


class ImmutableFieldError(CommandError):
    default_code = 66


class CannotCreateIndexError(CommandError):
    default_code = 67


class InvalidOptionsError(CommandError):
    default_code = 72


class InvalidNamespaceError(CommandError):
    default_code = 73


class IndexOptionsConflictError(CommandError):
    default_code = 85


class IndexKeySpecsConflictError(CommandError):
    default_code = 86


class WriteConflictError(CommandError):
    default_code = 112
    default_labels = ("TransientTransactionError",)


class DocumentValidationFailureError(CommandError):
    default_code = 121


class ExceededMemoryLimitError(CommandError):
    default_code = 146


class CommandNotSupportedOnViewError(CommandError):
    default_code = 166


class InvalidPipelineOperatorError(CommandError):
    default_code = 168


class CannotIndexParallelArraysError(CommandError):
    default_code = 171


class TransactionTooOldError(CommandError):
    default_code = 225


class NotImplementedYetError(CommandError):
    """A feature of MongoDB that skerry does not have; the message names it."""

    default_code = 238


class CursorKilledError(CommandError):
    default_code = 237


class ConversionFailureError(CommandError):
    default_code = 241


class NoSuchTransactionError(CommandError):
    default_code = 251
    default_labels = ("TransientTransactionError",)


class TransactionCommittedError(CommandError):
    default_code = 256


class InvalidResumeTokenError(CommandError):
    default_code = 260
    default_labels = ("NonResumableChangeStreamError",)


class OperationNotSupportedInTransactionError(CommandError):
    default_code = 263


class ChangeStreamFatalError(CommandError):
    default_code = 280
    default_labels = ("NonResumableChangeStreamError",)


class ChangeStreamHistoryLostError(CommandError):
    default_code = 286
    default_labels = ("NonResumableChangeStreamError",)


class TemporarilyUnavailableError(CommandError):
    """All places of a limited number are taken; label TransientTransactionError where it is transactions."""

    default_code = 365


class BsonObjectTooLargeError(CommandError):
    default_code = 10334


class ShutdownError(CommandError):
    default_code = 91


class InterruptedAtShutdownError(CommandError):
    """The server stops, and the operation was not done in the time that is left for it."""

    default_code = 11600


class DuplicateKeyError(CommandError):
    """A unique index already holds this key."""

    default_code = 11000

    def __init__(
        self, namespace: str, index_name: str, key_pattern: Mapping[str, Any], key_value: Mapping[str, Any]
    ) -> None:
        shown = ", ".join(f"{path}: {value!r}" for path, value in key_value.items())
        super().__init__(
            f"E11000 duplicate key error collection: {namespace} index: {index_name} dup key: {{ {shown} }}",
            details={"keyPattern": dict(key_pattern), "keyValue": dict(key_value)},
        )
        self.namespace = namespace
        self.index_name = index_name
        self.key_pattern = dict(key_pattern)
        self.key_value = dict(key_value)


class ConfigurationError(SkerryError):
    """A setting is unknown or its value impossible; `allowed` says in words what would be possible."""

    code: ClassVar[str] = "CONFIGURATION_ERROR"

    def __init__(self, setting: str, value: object, allowed: str) -> None:
        given = "" if value is None or value == "" else f" cannot be {value!r}:"
        super().__init__(f"{setting}{given} expected {allowed}" if given else f"{setting}: expected {allowed}")
        self.setting = setting
        self.value = value
        self.allowed = allowed


class StorageError(SkerryError):
    """Something is wrong with the database file itself; `path` names it."""

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path


class NotADatabaseError(StorageError):
    """The file is no skerry database."""


class NewerSchemaError(StorageError):
    """The file was written by a newer version of skerry."""


class CorruptDatabaseError(StorageError):
    """The file is damaged."""


class ReadOnlyDatabaseError(StorageError):
    """The file or its directory cannot be written."""


class OutOfDiskSpaceError(CommandError):
    """The disk is full; the write was rolled back and nothing is lost."""

    default_code = 14031
