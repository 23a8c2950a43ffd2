"""An edge in a process of its own, writing without end and saying what was acknowledged, until it is killed or kills itself."""

import os
import random
import sys

import bson
from crash_points import arm

from skerry.config.sync_config import SyncConfig, parse_rule
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.engine.requests import UpdateStatement
from skerry.sync.replicator import Replicator
from skerry.values.namespace import Namespace

HUB_URI = "SKERRY_TEST_HUB_URI"  # not an argument: it can have a password


def main(path: str, database: str, seed: int, point: str = "", times: int = 1) -> None:
    if point:
        arm(point, times)
    choose = random.Random(seed)
    engine = Engine(path)
    rules = (parse_rule(f"{database}.*=both"),)
    Replicator(
        engine, SyncConfig(hub_uri=os.environ[HUB_URI], rules=rules, batch_documents_max=7, backoff_ms_min=5)
    ).start()
    orders = Namespace(database, "orders")
    for n in range(3_000 if point else 1_000_000):
        id_value = f"{seed}-{n}"
        raw = bson.encode({"_id": id_value, "n": n})
        engine.insert(orders, [raw], ordered=True, ctx=OperationContext())
        earlier = f"{seed}-{choose.randrange(n + 1)}"
        statement = UpdateStatement({"_id": earlier}, {"$inc": {"touched": 1}})
        engine.update(orders, [statement], ordered=True, ctx=OperationContext())
        sys.stdout.write(f"{id_value} {earlier}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:3], int(sys.argv[3]), *sys.argv[4:5], *map(int, sys.argv[5:6]))
