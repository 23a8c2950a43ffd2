"""SCRAM when it is wanted: its package comes with `skerry[server]`, and a program that embeds skerry does without."""

from typing import Any

from skerry.errors import NotImplementedYetError


def scram_parts() -> tuple[Any, Any]:
    """Return `ScramConversation` and `stored_keys`. Raises NotImplementedYetError without the package scramp."""
    try:
        from skerry.auth.credentials import stored_keys
        from skerry.auth.scram import ScramConversation
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return ScramConversation, stored_keys


def credentials_of(name: str, password: str, mechanisms: Any) -> dict[str, Any]:
    """Return what is stored of a password. Raises NotImplementedYetError without the package scramp, BadValueError."""
    try:
        from skerry.auth.credentials import MECHANISMS, make_credentials
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return make_credentials(name, password, MECHANISMS if mechanisms is None else mechanisms)


def _missing(error: ModuleNotFoundError) -> NotImplementedYetError:
    return NotImplementedYetError(f"users need the package {error.name}, which comes with skerry[server]")
