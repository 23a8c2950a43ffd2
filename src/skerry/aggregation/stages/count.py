"""`$count`: one document with the number of documents, or none when there are none. Source: MongoDB manual, `$count`."""

from typing import Any

from skerry.aggregation.stage import Documents, Run, StageScope
from skerry.errors import CommandError
from skerry.values.numbers import normalize


def check_count(spec: Any) -> str:
    """Return the field's name. Raises CommandError 40156 to 40160 for one that a field cannot have."""
    if not isinstance(spec, str):
        raise CommandError("the count field must be a non-empty string", 40156)
    if not spec:
        raise CommandError("the count field must be a non-empty string", 40157)
    if spec.startswith("$"):
        raise CommandError("the count field cannot be a $-prefixed path", 40158)
    if "\0" in spec:
        raise CommandError("the count field cannot contain a null byte", 40159)
    if "." in spec:
        raise CommandError("the count field cannot contain '.'", 40160)
    return spec


def parse_count(spec: Any, scope: StageScope) -> Run:  # noqa: ARG001
    """Parse `$count`."""
    name = check_count(spec)

    def run(documents: Documents) -> Documents:
        count = sum(1 for _ in documents)
        if count:
            yield {name: normalize(count)}

    return run
