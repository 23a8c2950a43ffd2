"""What can go wrong with files around the database: their storage, their contents, and databases that come and go.

    SkerryError
    ├── FileServiceError(operation, url)            a file outside the database
    │   ├── MissingFileError                        FILE_NOT_FOUND
    │   ├── PermissionDeniedError                   PERMISSION_DENIED
    │   ├── QuotaExceededError                      QUOTA_EXCEEDED: no space, or too many requests
    │   └── FileIOError                             FILE_IO_ERROR: anything else, after the retries
    ├── InvalidFileFormatError(url, expected, reason)   INVALID_FILE_FORMAT
    │   ├── InvalidJsonError                        no JSON
    │   ├── IndexStructureError                     an index document that is no object
    │   ├── IndexVersionError                       version
    │   ├── IndexCollectionsMissingError            no `collections`
    │   ├── IndexCollectionsCorruptError            `collections` is no object
    │   ├── IndexEntryError                         collection, field
    │   ├── InvalidManifestError                    a backup's manifest
    │   ├── DamagedBackupError                      a backup that is not what its manifest says
    │   └── DamagedDumpError                        a dump of mongodump that is cut or altered
    ├── DumpFailedError                             DUMP_FAILED: a dump that could not be written
    ├── RestoreFailedError(namespace)               RESTORE_FAILED: a dump that the target does not take
    └── StorageError(path)
        ├── DatabaseNotFoundError                   nothing there to open
        ├── DatabaseExistsError                     something there already
        └── DatabaseInUseError                      another program has it open

`code` is the name by which the error is known outside Python.
"""

from typing import ClassVar

from skerry.errors.exceptions import SkerryError, StorageError


class FileServiceError(SkerryError):
    """A file outside the database could not be read or written; `operation` says what was tried, `url` with what."""

    code: ClassVar[str] = "FILE_IO_ERROR"

    def __init__(self, operation: str, url: str, reason: str) -> None:
        super().__init__(f"cannot {operation} {url}: {reason}")
        self.operation = operation
        self.url = url
        self.reason = reason


class MissingFileError(FileServiceError):
    """There is no such file."""

    code = "FILE_NOT_FOUND"


class PermissionDeniedError(FileServiceError):
    """The file or its storage does not let us."""

    code = "PERMISSION_DENIED"


class QuotaExceededError(FileServiceError):
    """There is no space left, or there were too many requests."""

    code = "QUOTA_EXCEEDED"


class FileIOError(FileServiceError):
    """The storage failed, and did so again."""


class InvalidFileFormatError(SkerryError):
    """A file is there but not what it should be."""

    code: ClassVar[str] = "INVALID_FILE_FORMAT"

    def __init__(self, url: str, expected: str, reason: str) -> None:
        super().__init__(f"{url} is not {expected}: {reason}")
        self.url = url
        self.expected = expected
        self.reason = reason


class InvalidJsonError(InvalidFileFormatError):
    """The file is no JSON."""


class IndexStructureError(InvalidFileFormatError):
    """The index document is a list or a single value."""


class IndexVersionError(InvalidFileFormatError):
    """The index document has a version that this skerry does not read."""


class IndexCollectionsMissingError(InvalidFileFormatError):
    """The index document has no `collections`."""


class IndexCollectionsCorruptError(InvalidFileFormatError):
    """The `collections` of the index document are no object."""


class IndexEntryError(InvalidFileFormatError):
    """One collection of the index document is malformed; `field` is "" for the entry as a whole."""

    def __init__(self, url: str, collection: str, field: str, reason: str) -> None:
        place = f"collection {collection!r}" + (f", field {field!r}" if field else "")
        super().__init__(url, "a valid index document", f"{place}: {reason}")
        self.collection = collection
        self.field = field


class InvalidManifestError(InvalidFileFormatError):
    """The archive has no manifest of a backup, or one that cannot be read."""


class DamagedBackupError(InvalidFileFormatError):
    """What the archive holds is not what its manifest says, or is a damaged database."""


class DamagedDumpError(InvalidFileFormatError):
    """A dump of mongodump is cut off, differs from its checksums, or is none."""


class DumpFailedError(SkerryError):
    """A dump could not be written to its end."""

    code: ClassVar[str] = "DUMP_FAILED"


class RestoreFailedError(SkerryError):
    """The target refuses what a dump has, or went away; `namespace` names the collection, or the dump as a whole."""

    code: ClassVar[str] = "RESTORE_FAILED"

    def __init__(self, namespace: str, reason: str) -> None:
        super().__init__(f"{namespace} cannot be restored: {reason}")
        self.namespace = namespace
        self.reason = reason


class DatabaseNotFoundError(StorageError):
    """The directory has no database."""


class DatabaseExistsError(StorageError):
    """The directory has a database, or other files, already."""


class DatabaseInUseError(StorageError):
    """Another program, or another part of this one, has the database open."""
