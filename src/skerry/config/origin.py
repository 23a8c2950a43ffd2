"""Where the value of a setting came from."""

from dataclasses import dataclass
from typing import Final

ARGUMENT: Final = "argument"
ENVIRONMENT: Final = "environment"
FILE: Final = "file"


@dataclass(frozen=True, slots=True)
class Origin:
    """`kind` is file, environment or argument; `name` the path, the variable or the option."""

    kind: str
    name: str
