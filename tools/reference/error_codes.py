"""The error codes of replies and the classes of exceptions, from `skerry.errors`."""

import inspect
from typing import Final

from skerry import errors
from skerry.errors import CODE_NAMES, CommandError, SkerryError
from tools.reference.markdown import table

MEANINGS: Final[dict[int, str]] = {
    11: "No such user in this database.",
    13: "The user's roles do not allow this. See [Security](security.md).",
    18: "Wrong name, password or database of the user.",
    43: "The cursor was closed, timed out, or belongs to another session.",
    50: "The command took longer than its `maxTimeMS`.",
    59: "Neither skerry nor MongoDB has a command of this name.",
    91: "The node is stopping; drivers try again.",
    112: "Another write to the same document came first. See [Troubleshooting](troubleshooting.md#write-conflict-112).",
    115: "MongoDB has this, skerry has not.",
    121: "The document does not pass the collection's validator.",
    238: "MongoDB has this, skerry has not; the message names it.",
    246: "The snapshot that a transaction asks for is not there any more.",
    251: "The transaction is over, was aborted, or never began.",
    256: "The transaction has been committed already.",
    260: "The resume token is none of this server's.",
    280: "The resume token is not found in the stream.",
    286: "The oplog ends before the token. See [Troubleshooting](troubleshooting.md#change-stream-history-lost-286).",
    290: "The transaction was open for longer than `transaction_lifetime_ms_max`.",
    292: "A sort or group would hold more than `sort_memory_bytes_max` in memory.",
    303: "An option that skerry has not.",
    334: "A log-in mechanism other than SCRAM.",
    365: "There is no room for now; try again.",
    10334: "The document would be larger than 16 MiB.",
    11000: "A unique index has this key already. See [Troubleshooting](troubleshooting.md#duplicate-key-11000).",
    14031: "The disk is full; nothing of the write was kept.",
}


def codes() -> str:
    """Every code with its name, its class and, where the name does not say it all, what it means."""
    by_code: dict[int, list[str]] = {}
    for name, kind in _classes():
        if issubclass(kind, CommandError):
            by_code.setdefault(kind.default_code, []).append(name)
    rows = [
        (str(code), f"`{name}`", ", ".join(f"`{each}`" for each in by_code.get(code, ())), MEANINGS.get(code, ""))
        for code, name in sorted(CODE_NAMES.items())
    ]
    return table(("code", "name", "class in `skerry.errors`", "meaning"), rows)


def classes() -> str:
    """The exceptions that are raised in the program itself."""
    rows = []
    for name, kind in _classes():
        if issubclass(kind, CommandError):
            continue
        code = getattr(kind, "code", None)
        rows.append((f"`{name}`", f"`{code}`" if code else "", _first_sentence(kind)))
    return table(("class", "code", "meaning"), rows)


def _classes() -> list[tuple[str, type[SkerryError]]]:
    found = ((name, getattr(errors, name)) for name in errors.__all__)
    return [(name, kind) for name, kind in found if inspect.isclass(kind) and issubclass(kind, SkerryError)]


def _first_sentence(kind: type) -> str:
    return " ".join((kind.__dict__.get("__doc__") or "").split("\n\n", maxsplit=1)[0].split())
