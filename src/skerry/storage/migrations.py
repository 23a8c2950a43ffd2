"""Numbered changes of the schema, applied once each, in order; `PRAGMA user_version` says how far a file is.

Tables of a collection (`c_<file id>`) and of an index (`i_<index id>`) are made by the catalogue as they are needed.
"""

from typing import Final

import apsw

from skerry.errors import NewerSchemaError, NotADatabaseError

APPLICATION_ID: Final = 0x736B7279  # "skry", in the file's header

_VERSION_1: Final = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO setting VALUES ('catalog_version', 1);

CREATE TABLE collection (
    file_id INTEGER PRIMARY KEY AUTOINCREMENT,
    db TEXT NOT NULL,
    name TEXT NOT NULL,
    uuid BLOB NOT NULL,
    options BLOB NOT NULL,
    created INTEGER NOT NULL,
    last_modified INTEGER NOT NULL,
    document_count INTEGER NOT NULL DEFAULT 0,
    document_bytes INTEGER NOT NULL DEFAULT 0,
    modification_token TEXT NOT NULL,
    extra BLOB,
    recent_writes TEXT NOT NULL DEFAULT '',
    UNIQUE (db, name)
);
-- changes of a collection other than writes; the newest 50 are kept
CREATE TABLE collection_change (
    change_id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    operation TEXT NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX collection_change_of ON collection_change (file_id);
-- who may change a collection until when; a fencing number is never given twice
CREATE TABLE lease (
    fencing_number INTEGER PRIMARY KEY AUTOINCREMENT,
    db TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    acquired INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    UNIQUE (db, name)
);
CREATE TABLE collection_index (
    index_id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    spec BLOB NOT NULL,
    multikey_paths BLOB NOT NULL,
    UNIQUE (file_id, name)
);

-- ts is seconds << 32 | increment, strictly growing; wall is milliseconds since 1970
CREATE TABLE oplog (
    ts INTEGER PRIMARY KEY,
    wall INTEGER NOT NULL,
    op TEXT NOT NULL,
    db TEXT NOT NULL,
    coll TEXT NOT NULL,
    id BLOB,
    o BLOB,
    lsid BLOB,
    txn_number INTEGER,
    origin TEXT
);
CREATE TABLE retryable_write (
    lsid BLOB PRIMARY KEY,
    txn_number INTEGER NOT NULL,
    reply BLOB,
    at INTEGER NOT NULL
) WITHOUT ROWID;

-- apart from the collections, so that no client reads or writes it and no change of it is in the oplog
CREATE TABLE user_account (
    db TEXT NOT NULL, name TEXT NOT NULL, record BLOB NOT NULL, PRIMARY KEY (db, name)
) WITHOUT ROWID;

CREATE TABLE sync_link (link TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
-- the last state both sides agreed on, of every document that a link knows
-- (a place is one collection of one link; every local write adds a row, so rows are small and what is rarely set comes last)
CREATE TABLE sync_place (place INTEGER PRIMARY KEY, link TEXT NOT NULL, ns TEXT NOT NULL, UNIQUE (link, ns));
CREATE TABLE sync_doc (
    place INTEGER NOT NULL,
    key BLOB NOT NULL,
    id BLOB NOT NULL,
    state INTEGER NOT NULL,
    first_write INTEGER,
    first_hlc INTEGER,
    last_hlc INTEGER,
    base_hash BLOB,
    position BLOB,
    batch INTEGER,
    pushed_hash BLOB,
    attempts INTEGER,
    next_retry INTEGER,
    error TEXT,
    PRIMARY KEY (place, key)
) WITHOUT ROWID;
CREATE INDEX sync_doc_dirty ON sync_doc (state, first_write) WHERE state <> 0;
-- the whole base document, kept only while a document is not clean
CREATE TABLE sync_base (
    link TEXT NOT NULL, ns TEXT NOT NULL, key BLOB NOT NULL, doc BLOB,
    PRIMARY KEY (link, ns, key)
);
CREATE TABLE sync_batch (
    link TEXT NOT NULL, batch INTEGER NOT NULL, state TEXT NOT NULL, items BLOB NOT NULL, attempts INTEGER NOT NULL,
    PRIMARY KEY (link, batch)
) WITHOUT ROWID;
CREATE TABLE sync_conflict (
    id INTEGER PRIMARY KEY, link TEXT NOT NULL, ns TEXT NOT NULL, key BLOB NOT NULL, at INTEGER NOT NULL,
    resolved INTEGER NOT NULL DEFAULT 0, record BLOB NOT NULL
);
CREATE TABLE sync_dead (
    id INTEGER PRIMARY KEY, link TEXT NOT NULL, ns TEXT NOT NULL, key BLOB NOT NULL, at INTEGER NOT NULL, record BLOB NOT NULL
);
"""

# who did what over the admin API; `at` is milliseconds since 1970, `details` JSON
_VERSION_2: Final = """
CREATE TABLE admin_audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL, address TEXT NOT NULL, action TEXT NOT NULL,
    status INTEGER NOT NULL, details TEXT NOT NULL
);
"""

# which conflict makes room, and the dead letter of a document, are found without reading all of them
_VERSION_3: Final = """
CREATE INDEX sync_conflict_room ON sync_conflict (link, resolved DESC, id);
CREATE INDEX sync_dead_document ON sync_dead (link, ns, key);
"""

# which documents are pushed together (batch 0: they wait), in links that ask for it, and which of them are to be tried later
_VERSION_4: Final = """
CREATE TABLE sync_group (
    link TEXT NOT NULL, place INTEGER NOT NULL, key BLOB NOT NULL, batch INTEGER NOT NULL, grp INTEGER NOT NULL,
    PRIMARY KEY (link, place, key, batch)
) WITHOUT ROWID;
CREATE INDEX sync_group_members ON sync_group (link, batch, grp);
CREATE INDEX sync_doc_retry ON sync_doc (next_retry) WHERE next_retry IS NOT NULL;
"""

# the documents of a batch are found without reading all that wait, or await their echo
_VERSION_5: Final = """
CREATE INDEX sync_doc_batch ON sync_doc (batch) WHERE batch IS NOT NULL;
"""

_MIGRATIONS: Final = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5)
SCHEMA_VERSION: Final = len(_MIGRATIONS)


def fixed_tables() -> frozenset[str]:
    """Return the names of the tables that every database has."""
    connection = apsw.Connection("")
    try:
        for script in _MIGRATIONS:
            connection.execute(script)
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        )
        return frozenset(row[0] for row in names)
    finally:
        connection.close()


def has_schema(path: str) -> bool:
    """Whether an existing file is more than the empty beginning that a program leaves when it is killed while it makes one."""
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        return int(connection.pragma("application_id")) == APPLICATION_ID or int(connection.pragma("page_count")) > 1
    except apsw.Error:
        return True  # something is there; opening it says what
    finally:
        connection.close()


def check_identity(connection: apsw.Connection, path: str) -> int:
    """Return the schema version of the file, 0 when it is new.

    Raises `NotADatabaseError` for another program's SQLite file, `NewerSchemaError` for one of a newer skerry.
    """
    application_id = connection.pragma("application_id")
    version = int(connection.pragma("user_version"))
    is_empty = connection.execute("SELECT count(*) FROM sqlite_schema").get == 0
    if application_id != APPLICATION_ID and not (is_empty and application_id == 0):
        raise NotADatabaseError(f"{path} is an SQLite file of another program, not a skerry database", path)
    check_schema_version(version, path)
    return version


def check_schema_version(version: int, path: str) -> None:
    """Raise `NewerSchemaError` for a version that this skerry does not know."""
    if version > SCHEMA_VERSION:
        raise NewerSchemaError(
            f"{path} has schema version {version}; this skerry reads up to {SCHEMA_VERSION}: install a newer one", path
        )


def migrate(connection: apsw.Connection, path: str) -> None:
    """Bring the file to `SCHEMA_VERSION`; the caller holds the writer lock of the directory."""
    version = check_identity(connection, path)
    if version == SCHEMA_VERSION:
        return
    with connection:
        connection.pragma("application_id", APPLICATION_ID)
        for script in _MIGRATIONS[version:]:
            connection.execute(script)
        connection.pragma("user_version", SCHEMA_VERSION)
