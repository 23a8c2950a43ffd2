"""`$unwind`: one document for each element of an array. Source: MongoDB manual, `$unwind`."""

from collections.abc import Iterator, Mapping
from typing import Any

from bson.int64 import Int64

from skerry.aggregation.document_paths import Document, plain_value, with_value
from skerry.aggregation.stage import Documents, Run, StageScope
from skerry.errors import CommandError
from skerry.values import field_path
from skerry.values.missing import MISSING


def parse_unwind(spec: Any, scope: StageScope) -> Run:  # noqa: ARG001
    """Parse `$unwind`: a path or `{path, includeArrayIndex, preserveNullAndEmptyArrays}`.

    Raises CommandError 15981 for another form, 28808 to 28812, 28818 and 28822 for its fields.
    """
    path, index_path, keeps_empty = _read_options(spec)
    parts = field_path.split(path)
    index_parts = None if index_path is None else field_path.split(index_path)
    name = parts[0] if len(parts) == 1 and index_parts is None else None

    def run(documents: Documents) -> Documents:
        for document in documents:
            value = document.get(name) if name is not None else plain_value(document, parts)
            if value.__class__ is not list:
                if keeps_empty or (value is not None and value is not MISSING):
                    yield document if index_parts is None else with_value(document, index_parts, None)
            elif value:
                if name is not None:
                    for element in value:
                        yield {**document, name: element}
                else:
                    yield from _elements(document, value, parts, index_parts)
            elif keeps_empty:
                yield _emptied(document, parts, index_parts)

    return run


def _elements(
    document: Document, array: list[Any], parts: tuple[str, ...], index_parts: tuple[str, ...] | None
) -> Iterator[Document]:
    for position, element in enumerate(array):
        unwound = with_value(document, parts, element)
        yield unwound if index_parts is None else with_value(unwound, index_parts, Int64(position))


def _emptied(document: Document, parts: tuple[str, ...], index_parts: tuple[str, ...] | None) -> Document:
    emptied = with_value(document, parts, MISSING)
    return emptied if index_parts is None else with_value(emptied, index_parts, None)


def _read_options(spec: Any) -> tuple[str, str | None, bool]:
    index_path: str | None = None
    keeps_empty = False
    path: Any = spec
    if isinstance(spec, Mapping):
        path = None
        for name, value in spec.items():
            if name == "path":
                path = _checked_string(value, "expected a string as the path for $unwind stage", 28808)
            elif name == "preserveNullAndEmptyArrays":
                if not isinstance(value, bool):
                    raise CommandError(
                        "expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage", 28809
                    )
                keeps_empty = value
            elif name == "includeArrayIndex":
                index_path = _checked_string(
                    value, "expected a non-empty string for the includeArrayIndex option to $unwind stage", 28810
                )
                if not index_path:
                    raise CommandError("expected a non-empty string for the includeArrayIndex option", 28810)
            else:
                raise CommandError(f"unrecognized option to $unwind stage: {name}", 28811)
        if path is None:
            raise CommandError("no path specified to $unwind stage", 28812)
    elif not isinstance(spec, str):
        raise CommandError("expected either a string or an object as specification for $unwind stage", 15981)
    if not path.startswith("$"):
        raise CommandError(f"path option to $unwind stage should be prefixed with a '$': {path}", 28818)
    if index_path is not None:
        if index_path.startswith("$"):
            raise CommandError(
                f"includeArrayIndex option to $unwind stage should not be prefixed with a '$': {index_path}", 28822
            )
        field_path.validate(index_path)
    field_path.validate(path[1:])
    return path[1:], index_path, keeps_empty


def _checked_string(value: Any, message: str, code: int) -> str:
    if not isinstance(value, str):
        raise CommandError(message, code)
    return value
