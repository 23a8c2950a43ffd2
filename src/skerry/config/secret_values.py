"""Secrets: which settings are some, and where their values may be kept instead of in plain sight.

A secret comes as itself, from a file (the setting's name with `_file` behind it: `SKERRY_ADMIN_TOKEN_FILE`, or `token_file` in
`skerry.toml`), or from the system's keyring (`keyring:SERVICE/NAME` in its place). No error repeats its value.
"""

import dataclasses
import stat
from pathlib import Path
from typing import Any, Final

from skerry.errors import ConfigurationError

FILE_SUFFIX: Final = "_file"
KEYRING: Final = "keyring:"


def is_secret(field: "dataclasses.Field[Any]") -> bool:
    """Whether a setting is, or may hold, a secret."""
    return bool(field.metadata.get("secret"))


def secrets_of(config: type) -> frozenset[str]:
    """Return the names of the secrets of a configuration."""
    return frozenset(field.name for field in dataclasses.fields(config) if is_secret(field))


def file_of_secret(config: type, name: str) -> str | None:
    """Return the secret for which `name` names a file, None where it names something else."""
    secret = name.removesuffix(FILE_SUFFIX)
    return secret if secret != name and secret in secrets_of(config) else None


def read_secret_file(setting: str, path: object) -> str:
    """Return the first line of the file. Raises `ConfigurationError` when it cannot be read or is empty."""
    if not isinstance(path, str | Path) or not str(path):
        raise ConfigurationError(setting, path, "the path of a file whose first line is the secret")
    try:
        text = Path(path).read_text("utf-8").partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError:
        raise ConfigurationError(setting, str(path), "a file with text") from None
    except OSError as error:
        raise ConfigurationError(setting, str(path), f"a file that can be read ({error.strerror})") from error
    if not text:
        raise ConfigurationError(setting, str(path), "a file whose first line is the secret; it is empty")
    return text


def is_readable_by_everybody(path: Path) -> bool:
    """Whether users other than the owner and his group can read the file."""
    return bool(path.stat().st_mode & stat.S_IROTH)


def revealed(setting: str, value: str) -> str:
    """Return the secret that `keyring:SERVICE/NAME` stands for, anything else as it is. Raises `ConfigurationError`."""
    if not value.startswith(KEYRING):
        return value
    service, slash, name = value.removeprefix(KEYRING).rpartition("/")
    if not slash or not service or not name:
        raise ConfigurationError(setting, "", f"{KEYRING}SERVICE/NAME")
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise ConfigurationError(setting, value, "the package of skerry[keyring], to look into the keyring") from error
    try:
        found = keyring.get_password(service, name)
    except KeyringError as error:
        reason = type(error).__name__
        raise ConfigurationError(setting, value, f"a keyring that can be opened ({reason})") from error
    if not found:
        raise ConfigurationError(setting, value, "an entry of the keyring; there is none of this name")
    return found
