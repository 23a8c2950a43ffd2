"""Which names and passwords a user may have (manual: createUser; RFC 4013, SASLprep).

Length and composition of a password are the operator's affair, as with the server; what cannot work is refused here. The limit
of its length keeps a log-in cheap.
"""

from typing import Final

from skerry.errors import BadValueError

NAME_BYTES_MAX: Final = 512
PASSWORD_BYTES_MAX: Final = 1024


def check_user_name(name: str) -> str:
    """Return the name. Raises BadValueError when nobody can be called so."""
    if not name.isprintable() or not 0 < len(name.encode()) <= NAME_BYTES_MAX:
        raise BadValueError(f"a user's name has 1 to {NAME_BYTES_MAX} bytes and only characters that can be seen")
    return name


def check_password(password: str) -> str:
    """Return the password. Raises BadValueError when it cannot be one; the message never has the password."""
    if not password:
        raise BadValueError("Password cannot be empty")
    if len(password.encode()) > PASSWORD_BYTES_MAX:
        raise BadValueError(f"a password has at most {PASSWORD_BYTES_MAX} bytes")
    if "\x00" in password:
        raise BadValueError("a password has no null")
    return password
