"""Whether the values of a configuration are possible, judged by the metadata of its fields."""

import dataclasses
from enum import StrEnum
from typing import Any, TypeVar

from skerry.errors import ConfigurationError

E = TypeVar("E", bound=StrEnum)


def check_ranges(config: Any, table: str) -> None:
    """Raise `ConfigurationError` for the first field of the dataclass `config` that lies outside its `least` or `most`.

    `table` is the name of the configuration in `skerry.toml`. `None` and fields without limits pass.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        least, most = field.metadata.get("least"), field.metadata.get("most")
        if value is None or (least is None and most is None):
            continue
        too_small = least is not None and value < least
        too_large = most is not None and value > most
        if too_small or too_large:
            raise ConfigurationError(f"{table}.{field.name}", value, allowed_range(least, most))


def allowed_range(least: int | None, most: int | None) -> str:
    """Say which numbers are possible, for the message of an error."""
    if most is None:
        return f"at least {least}"
    if least is None:
        return f"at most {most}"
    return f"{least} to {most}"


def choice(kind: type[E], setting: str, value: object) -> E:
    """Return the member of `kind` whose value is `value`. Raises `ConfigurationError`."""
    for member in kind:
        if member == value:
            return member
    raise ConfigurationError(setting, value, f"one of {', '.join(kind)}")
