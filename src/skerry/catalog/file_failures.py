"""What an exception of a file storage means: which of our errors it is, and whether trying again may help.

Storages raise OSError, or exceptions of their own client libraries, which are told by module and name, so that none of those
libraries has to be installed.
"""

import errno
from typing import Final, NoReturn

from skerry.errors import FileIOError, FileServiceError, MissingFileError, PermissionDeniedError, QuotaExceededError

_CLIENT_LIBRARIES: Final = frozenset(
    {"aiobotocore", "aiohttp", "botocore", "gcsfs", "google", "azure", "requests", "urllib3"}
)
_CREDENTIALS: Final = frozenset({"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"})
_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NEVER_BETTER: Final = frozenset(
    {errno.EEXIST, errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EROFS}
)
_TOO_MANY_REQUESTS: Final = (
    "slow down",
    "slowdown",
    "reduce your request rate",
    "too many requests",
    "throttl",
    "rate limit",
)


def is_of_a_storage(error: BaseException) -> bool:
    """Whether the exception comes from a storage at all; others are mistakes of ours and pass unchanged."""
    return isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _CLIENT_LIBRARIES


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed a little later."""
    if not is_of_a_storage(error) or isinstance(error, FileNotFoundError) or _is_permission(error):
        return False
    return not (isinstance(error, OSError) and error.errno in _NO_SPACE | _NEVER_BETTER)


def raise_translated(error: Exception, operation: str, url: str) -> NoReturn:
    """Raise what `error` means to a caller who tried `operation` ("read", "write", …) on `url`."""
    if not is_of_a_storage(error):
        raise error
    raise _kind(error)(operation, url, str(error) or type(error).__name__) from error


def _kind(error: BaseException) -> type[FileServiceError]:
    if isinstance(error, FileNotFoundError):
        return MissingFileError
    if _is_permission(error):
        return PermissionDeniedError
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return QuotaExceededError
    text = str(error).lower()
    return QuotaExceededError if any(words in text for words in _TOO_MANY_REQUESTS) else FileIOError


def _is_permission(error: BaseException) -> bool:
    return isinstance(error, PermissionError) or type(error).__name__ in _CREDENTIALS
