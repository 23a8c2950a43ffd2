"""URIs on the command line: never with a password, because lists of processes show arguments."""

import sys
from typing import Final

from skerry.config.hub_uri import has_password
from skerry.errors import ConfigurationError

STANDARD_INPUT: Final = "-"


def uri_of(option: str, given: str | None, *, otherwise: str) -> str | None:
    """Return what was given with `option`, its first line read from the standard input for '-'.

    Raises `ConfigurationError` for a URI with a password, which it does not repeat; `otherwise` is the other way.
    """
    if given == STANDARD_INPUT:
        return sys.stdin.readline().strip()
    if given is not None and has_password(given):
        advice = f"a URI without a password: '-' reads it from the standard input; or {otherwise}"
        raise ConfigurationError(option, "", advice)
    return given
