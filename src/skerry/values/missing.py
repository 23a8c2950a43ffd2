"""The value of a field that is not there: distinct from null, and never stored."""

from typing import Any, Final, NoReturn


class Missing:
    """The class of `MISSING`; test with `is MISSING`, its truth is refused because `if value` would hide null and 0."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> NoReturn:
        raise TypeError("MISSING is neither true nor false; test with `is MISSING`")

    def __copy__(self) -> "Missing":
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> "Missing":
        return self

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()
