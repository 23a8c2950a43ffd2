"""The hub's connection string: whether a driver can read it, and what of it may be shown."""

import re
from typing import Final

from skerry.errors import ConfigurationError

SETTING: Final = "sync.hub_uri"
_CREDENTIALS: Final = re.compile(r"(?<=//).*@")
_SECRET_OPTIONS: Final = re.compile(r"((?:password|token|secret)[^=:&,]*[=:])[^&,]*", re.IGNORECASE)


def check_hub_uri(uri: str, password: str | None) -> None:
    """Raise `ConfigurationError` unless pymongo can read `uri`, and `password` has a user in it to belong to.

    The value is never repeated: a mistyped URI may hold a password.
    """
    if not uri.startswith(("mongodb://", "mongodb+srv://")):
        raise ConfigurationError(SETTING, "", "a URI that begins with mongodb:// or mongodb+srv://")
    name = user_of(uri)
    if password is not None and not name:
        raise ConfigurationError("sync.hub_password", "", "a user's name in sync.hub_uri, to whom it belongs")
    if password is not None and has_password(uri):
        raise ConfigurationError("sync.hub_password", "", "no other password in sync.hub_uri")
    if uri.startswith("mongodb://"):  # to read the other kind takes a question to the name server
        from pymongo.errors import PyMongoError
        from pymongo.uri_parser import parse_uri

        try:
            parse_uri(uri, validate=True, warn=False)  # a client would only warn, and go on without TLS for tls=yes
        except (PyMongoError, ValueError, TypeError, OSError):
            allowed = "a URI with options that pymongo knows; in names and passwords, / : @ and % are percent-encoded"
            raise ConfigurationError(SETTING, "", allowed) from None


def user_of(uri: str) -> str:
    """Return the user's name in a URI, "" for none."""
    return _credentials(uri).partition(":")[0]


def has_password(uri: str) -> bool:
    """Whether a URI has a password in it."""
    return bool(_credentials(uri).partition(":")[2])


def without_secrets(uri: str) -> str:
    """Return the URI as it may be shown."""
    return _SECRET_OPTIONS.sub(r"\1…", _CREDENTIALS.sub("…@", uri))


def _credentials(uri: str) -> str:
    return uri.partition("://")[2].rpartition("@")[0]
