"""How a filter's path walks a document: which values does `a.b.0` reach, and does one of them pass a test?

The rules (MongoDB manual, "Query an Array" and "Query an Array of Embedded Documents"):

* An array met on the way is traversed: each element that is a document is asked for the rest of the path; other
  elements are passed over and yield nothing, so `{"a.b": null}` does not match `{a: []}` or `{a: [1]}`.
* A numeric component also means that position of the array. A path that ends with a position yields the element as it
  is; it is not expanded again.
* Where a document lacks the field, or a scalar stands in the way, `MISSING` is reached.
* With `expand`, an array at the end of the path yields its elements and itself; without, itself only.

Tests must be pure functions of one value. The paths become nested closures once, so that matching costs one call a
component.
"""

from collections.abc import Callable, Iterator
from typing import Any

from skerry.values.field_path import array_position, split
from skerry.values.missing import MISSING

ValueTest = Callable[[Any], bool]
Predicate = Callable[[dict[str, Any]], bool]


def compile_path(path: str, test: ValueTest, *, expand: bool) -> Predicate:
    """Return a predicate: does some value at `path` pass `test`?"""
    leaf = expanded(test) if expand else test
    parts = split(path)
    if len(parts) == 1:
        return _single(parts[0], test, expand=expand)
    step = _last_step(parts[-1], test, leaf)
    for component in reversed(parts[:-1]):
        step = _inner_step(component, step, missing=test(MISSING))
    return step


def expanded(test: ValueTest) -> ValueTest:
    """Return the test that an array passes when one of its elements or the whole array does."""

    def test_elements(value: Any) -> bool:
        if value.__class__ is list:
            for element in value:
                if test(element):
                    return True
        return test(value)

    return test_elements


def _single(name: str, test: ValueTest, *, expand: bool) -> Predicate:
    if not expand:
        return lambda document: test(document.get(name, MISSING))

    def match_field(document: dict[str, Any]) -> bool:
        value = document.get(name, MISSING)
        if value.__class__ is list:
            for element in value:
                if test(element):
                    return True
        return test(value)

    return match_field


def _last_step(name: str, test: ValueTest, leaf: ValueTest) -> ValueTest:
    position = array_position(name)
    missing = test(MISSING)

    def step(value: Any) -> bool:
        if value.__class__ is dict:
            return leaf(value.get(name, MISSING))
        if value.__class__ is list:
            for element in value:
                if element.__class__ is dict and leaf(element.get(name, MISSING)):
                    return True
            return position is not None and position < len(value) and test(value[position])
        return missing

    return step


def _inner_step(name: str, rest: ValueTest, *, missing: bool) -> ValueTest:
    position = array_position(name)

    def step(value: Any) -> bool:
        if value.__class__ is dict:
            return rest(value.get(name, MISSING))
        if value.__class__ is list:
            for element in value:
                if element.__class__ is dict and rest(element.get(name, MISSING)):
                    return True
            if position is not None and position < len(value):
                element = value[position]
                return (element.__class__ is dict or element.__class__ is list) and rest(element)
            return False
        return missing

    return step


def positions(document: dict[str, Any], path: str, *, expand: bool) -> Iterator[tuple[Any, int | None]]:
    """Yield what `compile_path` tests, in the server's order, each with its offset in the outermost traversed array.

    The offset is None where no array was traversed; it is what the positional `$` of an update stands for. An array that a
    number in the middle of the path points into is not traversed.
    """
    return _positions(document, split(path), 0, expand=expand)


def _positions(value: Any, parts: tuple[str, ...], depth: int, *, expand: bool) -> Iterator[tuple[Any, int | None]]:
    if depth == len(parts):
        if expand and value.__class__ is list:
            for offset, element in enumerate(value):
                yield element, offset
        yield value, None
    elif value.__class__ is dict:
        yield from _positions(value.get(parts[depth], MISSING), parts, depth + 1, expand=expand)
    elif value.__class__ is list:
        yield from _array_positions(value, parts, depth, expand=expand)
    else:
        yield MISSING, None


def _array_positions(
    array: list[Any], parts: tuple[str, ...], depth: int, *, expand: bool
) -> Iterator[tuple[Any, int | None]]:
    wanted = array_position(parts[depth])
    for offset, element in enumerate(array):
        if element.__class__ is dict:
            for reached, _ in _positions(element, parts, depth, expand=expand):
                yield reached, offset
        if offset == wanted:
            if depth + 1 == len(parts):
                yield element, offset
            elif element.__class__ is dict or element.__class__ is list:
                yield from _positions(element, parts, depth + 1, expand=expand)
