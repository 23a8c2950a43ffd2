"""`$out`: puts the results in the place of a collection. Source: MongoDB manual, `$out`."""

from collections.abc import Mapping
from typing import Any

from skerry.aggregation.stage import Documents, Run, StageScope
from skerry.errors import CommandError, NotImplementedYetError
from skerry.values.namespace import Namespace


def parse_out(spec: Any, scope: StageScope) -> Run:
    """Parse `$out`: a collection, or `{db, coll}`. Raises CommandError 16990 or 16994 for another form."""
    context = scope.context
    if isinstance(spec, str):
        target = Namespace.checked(context.namespace.db, spec)
    elif isinstance(spec, Mapping):
        if "timeseries" in spec:
            raise NotImplementedYetError("$out to a time series collection is not supported")
        if set(spec) != {"db", "coll"} or not all(isinstance(name, str) for name in spec.values()):
            raise CommandError("If an object is passed to $out it must have exactly 2 fields: 'db' and 'coll'", 16994)
        target = Namespace.checked(spec["db"], spec["coll"])
    else:
        raise CommandError(f"$out only supports a string or object argument, but found {spec!r}", 16990)
    if target.is_system:
        raise CommandError(f"cannot $out to special collection: {target.coll}", 17385)

    def run(documents: Documents) -> Documents:
        context.replace_collection(target, documents)
        yield from ()

    return run
