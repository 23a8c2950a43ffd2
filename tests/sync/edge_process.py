"""An edge in a process of its own, writing without end and saying what was acknowledged, until it is killed."""

import random
import sys

import bson

from skerry.config.sync_config import SyncConfig, parse_rule
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.engine.requests import UpdateStatement
from skerry.sync.replicator import Replicator
from skerry.values.namespace import Namespace


def main(path: str, hub_uri: str, seed: int) -> None:
    choose = random.Random(seed)
    engine = Engine(path)
    rules = (parse_rule("shop.*=both"),)
    Replicator(engine, SyncConfig(hub_uri=hub_uri, rules=rules, batch_documents_max=7, backoff_ms_min=5)).start()
    orders = Namespace("shop", "orders")
    for n in range(1_000_000):
        id_value = f"{seed}-{n}"
        raw = bson.encode({"_id": id_value, "n": n})
        engine.insert(orders, [raw], ordered=True, ctx=OperationContext())
        earlier = f"{seed}-{choose.randrange(n + 1)}"
        statement = UpdateStatement({"_id": earlier}, {"$inc": {"touched": 1}})
        engine.update(orders, [statement], ordered=True, ctx=OperationContext())
        sys.stdout.write(f"{id_value} {earlier}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
