"""`$sample`: some documents at random, each at most once. Source: MongoDB manual, `$sample`."""

import random
from collections.abc import Mapping
from typing import Any

from skerry.aggregation.stage import Document, Documents, Run, StageScope
from skerry.errors import CommandError
from skerry.values.numbers import is_number, to_int64_exact


def parse_sample(spec: Any, scope: StageScope) -> Run:
    """Parse `$sample: {size: n}`. Raises CommandError 28745 to 28749 for another form."""
    if not isinstance(spec, Mapping):
        raise CommandError("the $sample stage specification must be an object", 28745)
    for name in spec:
        if name != "size":
            raise CommandError(f"unrecognized option to $sample: {name}", 28748)
    if "size" not in spec:
        raise CommandError("$sample stage must specify a size", 28749)
    if not is_number(spec["size"]):
        raise CommandError("size argument to $sample must be a number", 28746)
    size = to_int64_exact(spec["size"])
    if size is None or size <= 0:
        raise CommandError("size argument to $sample must be a positive integer", 28747)

    def run(documents: Documents) -> Documents:
        # A reservoir: each document that comes takes a random place with the probability size / (number so far).
        meter = scope.meter("$sample")
        chosen: list[Document] = []
        for number, document in enumerate(documents):
            if number < size:
                meter.add_sampled(document)
                chosen.append(document)
            else:
                place = random.randrange(number + 1)
                if place < size:
                    chosen[place] = document
        random.shuffle(chosen)
        yield from chosen

    return run
