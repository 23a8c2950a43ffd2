"""A backup as one file: a ZIP archive of the database and of a manifest that says what must be in it.

    manifest.json   {"format": 1, "created": ISO, "skerryVersion": …, "schemaVersion": …, "database": {"bytes": …, "sha256": …},
                     "collections": …, "documents": …, "clusterTime": …}
    skerry.db       the database, one file without a log

The manifest comes last, because the hash is known only then. SHA-256 finds every damage and also what was changed on purpose;
ZIP's own checksums find only the former. Any ZIP program can look inside.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from skerry.errors import DamagedBackupError, InvalidManifestError
from skerry.storage.store import DATABASE_FILE

FORMAT: Final = 1
MANIFEST_FILE: Final = "manifest.json"
MANIFEST_BYTES_MAX: Final = 1024 * 1024
CHUNK_BYTES: Final = 1024 * 1024
_COMPRESSION_LEVEL: Final = 1  # three quarters of what level 6 saves, in a third of its time
_EXPECTED: Final = "a backup of skerry"

Progress = Callable[[int, int], None]
"""Told how many bytes are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds; `cluster_time` is that of the newest entry of the oplog, seconds << 32 | increment."""

    created: str
    skerry_version: str
    schema_version: int
    database_bytes: int
    database_sha256: str
    collections: int
    documents: int
    cluster_time: int

    def to_json(self) -> bytes:
        """Return the manifest as it stands in the archive."""
        document = {
            "format": FORMAT,
            "created": self.created,
            "skerryVersion": self.skerry_version,
            "schemaVersion": self.schema_version,
            "database": {"bytes": self.database_bytes, "sha256": self.database_sha256},
            "collections": self.collections,
            "documents": self.documents,
            "clusterTime": self.cluster_time,
        }
        return json.dumps(document, indent=1).encode()

    @classmethod
    def from_json(cls, raw: bytes, url: str) -> "Manifest":
        """Raises `InvalidManifestError`."""
        try:
            document: dict[str, Any] = json.loads(raw)
            if document["format"] != FORMAT:
                reason = f"its format is {document['format']!r}; this skerry reads format {FORMAT}"
                raise InvalidManifestError(url, _EXPECTED, reason)
            manifest = cls(
                created=document["created"],
                skerry_version=document["skerryVersion"],
                schema_version=document["schemaVersion"],
                database_bytes=document["database"]["bytes"],
                database_sha256=document["database"]["sha256"],
                collections=document["collections"],
                documents=document["documents"],
                cluster_time=document["clusterTime"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidManifestError(url, _EXPECTED, f"its manifest cannot be read: {error!r}") from error
        for name, value in asdict(manifest).items():
            if not isinstance(value, cls.__annotations__[name]) or isinstance(value, bool):
                raise InvalidManifestError(url, _EXPECTED, f"its manifest has {value!r} for {name}")
        return manifest


def pack(database: Path, archive: Path, manifest: Callable[[int, str], Manifest], on_progress: Progress) -> Manifest:
    """Write `database` into a new archive; `manifest` is called with its size in bytes and its SHA-256."""
    total = database.stat().st_size
    digest = hashlib.sha256()
    done = 0
    with zipfile.ZipFile(archive, "x", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL) as packed:
        info = zipfile.ZipInfo(DATABASE_FILE)
        info.compress_type = zipfile.ZIP_DEFLATED
        with database.open("rb") as source, packed.open(info, "w", force_zip64=True) as target:
            while chunk := source.read(CHUNK_BYTES):
                digest.update(chunk)
                target.write(chunk)
                done += len(chunk)
                on_progress(done, total)
        written = manifest(done, digest.hexdigest())
        packed.writestr(MANIFEST_FILE, written.to_json())
    return written


def verify(archive: Path, url: str, on_progress: Progress) -> Manifest:
    """Read the whole archive and compare it with its manifest. Raises `InvalidManifestError`, `DamagedBackupError`."""
    with _opened(archive, url) as (packed, manifest):
        for _ in _checked_content(packed, manifest, url, on_progress):
            pass
    return manifest


def unpack(archive: Path, target: BinaryIO, url: str, on_progress: Progress) -> Manifest:
    """Write the archive's database to `target` while checking it. Raises `InvalidManifestError`, `DamagedBackupError`."""
    with _opened(archive, url) as (packed, manifest):
        for chunk in _checked_content(packed, manifest, url, on_progress):
            target.write(chunk)
    return manifest


@contextmanager
def _opened(archive: Path, url: str) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    try:
        with zipfile.ZipFile(archive) as packed:
            if packed.getinfo(MANIFEST_FILE).file_size > MANIFEST_BYTES_MAX:
                raise InvalidManifestError(url, _EXPECTED, "its manifest is too large")
            yield packed, Manifest.from_json(packed.read(MANIFEST_FILE), url)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DamagedBackupError(url, _EXPECTED, f"the archive is damaged: {error}") from error
    except KeyError as error:
        raise InvalidManifestError(url, _EXPECTED, f"the archive has no {MANIFEST_FILE}") from error


def _checked_content(packed: zipfile.ZipFile, manifest: Manifest, url: str, on_progress: Progress) -> Iterator[bytes]:
    """Yield the database; never more than the manifest says, and no end before its hash is right."""
    if DATABASE_FILE not in packed.namelist():
        raise DamagedBackupError(url, _EXPECTED, f"the archive has no {DATABASE_FILE}")
    digest = hashlib.sha256()
    done = 0
    with packed.open(DATABASE_FILE) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            done += len(chunk)
            if done > manifest.database_bytes:
                break
            digest.update(chunk)
            on_progress(done, manifest.database_bytes)
            yield chunk
    if done != manifest.database_bytes:
        raise DamagedBackupError(
            url, _EXPECTED, f"the database should have {manifest.database_bytes} bytes, not {done}"
        )
    if digest.hexdigest() != manifest.database_sha256:
        raise DamagedBackupError(url, _EXPECTED, "the hash of the database is not the one in the manifest")
