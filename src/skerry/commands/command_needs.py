"""What each command needs to be allowed, in one table (manual: Privilege Actions, and "Access Control" of each command).

Rules: a command that is not in the table is allowed to nobody who has to log in. The table has the needs that follow from the
command's name, database and first field, which a connection remembers; where they depend on more, `closer` looks at the rest,
if having all that it could need is not enough already. The owner, in the process or where there are no users, is not asked.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from skerry.auth.privileges import Need
from skerry.commands.client_access import REMEMBERED_MAX, ClientAccess
from skerry.commands.pipeline_needs import pipeline_needs
from skerry.commands.user_needs import (
    create_user_needs,
    grant_needs,
    revoke_needs,
    role_info_needs,
    update_user_needs,
    user_info_needs,
)
from skerry.errors import UnauthorizedError
from skerry.values import documents
from skerry.wire.op_msg import OpMsg


class Call(NamedTuple):
    """One call of a command, as it came."""

    name: str
    db: str
    body: Mapping[str, Any]
    message: OpMsg
    access: ClientAccess

    @property
    def coll(self) -> str:
        """The collection that the first field names, "" where it names none."""
        target = self.body.get(self.name)
        return target if isinstance(target, str) else ""

    def statements(self, field: str) -> list[Mapping[str, Any]]:
        """The documents of a field that may have come as a sequence."""
        raws = self.message.sequences.get(field)
        listed = [documents.decode(raw) for raw in raws] if raws is not None else self.body.get(field)
        return [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []


Needs = Callable[[Call], Iterable[Need]]


class Requirement(NamedTuple):
    """`most` is what a call with this name, database and first field could need; `closer` what this very call needs."""

    most: Needs | None
    closer: Needs | None = None
    is_open: bool = False


def _nothing(_call: Call) -> Iterable[Need]:
    return ()


def _on_collection(*actions: str) -> Requirement:
    return Requirement(lambda call: [Need(action, call.db, call.coll) for action in actions])


def _on_database(*actions: str) -> Requirement:
    return Requirement(lambda call: [Need(action, call.db) for action in actions])


def _on_cluster(*actions: str) -> Requirement:
    return Requirement(lambda _call: [Need(action) for action in actions])


def _bypass(call: Call) -> Iterator[Need]:
    if call.body.get("bypassDocumentValidation"):
        yield Need("bypassDocumentValidation", call.db, call.coll)


def _insert(call: Call) -> Iterator[Need]:
    yield Need("insert", call.db, call.coll)
    yield from _bypass(call)


def _update(call: Call) -> Iterator[Need]:
    yield Need("update", call.db, call.coll)
    insert = Need("insert", call.db, call.coll)
    if call.access.allows(insert) or any(each.get("upsert") for each in call.statements("updates")):
        yield insert
    yield from _bypass(call)


def _find_and_modify(call: Call) -> Iterator[Need]:
    yield Need("find", call.db, call.coll)
    if call.body.get("remove"):
        yield Need("remove", call.db, call.coll)
    if not call.body.get("remove") or "update" in call.body:
        yield Need("update", call.db, call.coll)
    if call.body.get("upsert"):
        yield Need("insert", call.db, call.coll)
    yield from _bypass(call)


def _aggregate(call: Call) -> Iterator[Need]:
    yield from pipeline_needs(call.db, call.coll, call.body.get("pipeline"))
    if call.body.get("bypassDocumentValidation"):
        for need in pipeline_needs(call.db, call.coll, call.body.get("pipeline")):
            if need.action in ("insert", "update"):
                yield Need("bypassDocumentValidation", need.db, need.coll)


def _bulk_write(call: Call) -> Iterator[Need]:
    named = [str(each.get("ns")) for each in call.statements("nsInfo")]
    namespaces = [(db, coll) for db, _, coll in (name.partition(".") for name in named)]
    most = [Need(action, *namespace) for namespace in namespaces for action in ("insert", "update", "remove")]
    if not call.access.allows_all(tuple(most)):
        most = list(_bulk_operations(call, namespaces))
    yield from most
    if call.body.get("bypassDocumentValidation"):
        for db, coll in namespaces:
            yield Need("bypassDocumentValidation", db, coll)


def _bulk_operations(call: Call, namespaces: list[tuple[str, str]]) -> Iterator[Need]:
    for operation in call.statements("ops"):
        kind = next(iter(operation), "")
        index = operation.get(kind)
        # A number of another type may mean any of them here; the handler knows which, or refuses it.
        meant = namespaces[index : index + 1] if index.__class__ is int and index >= 0 else namespaces
        for db, coll in meant:
            yield Need("remove" if kind == "delete" else kind, db, coll)
            if operation.get("upsert"):
                yield Need("insert", db, coll)


def _create(call: Call) -> Iterator[Need]:
    db, coll = call.db, call.coll
    is_view = "viewOn" in call.body or "pipeline" in call.body
    inserts = Need("insert", db, coll)
    yield inserts if not is_view and call.access.allows(inserts) else Need("createCollection", db, coll)
    if is_view:
        yield from pipeline_needs(db, str(call.body.get("viewOn", "")), call.body.get("pipeline"))


def _modify(call: Call) -> Iterator[Need]:
    yield Need("collMod", call.db, call.coll)
    if "viewOn" in call.body or "pipeline" in call.body:
        yield from pipeline_needs(call.db, str(call.body.get("viewOn", "")), call.body.get("pipeline"))


def _rename(call: Call) -> Iterator[Need]:
    source, target = (str(call.body.get(field)).partition(".") for field in (call.name, "to"))
    (db, _, coll), (target_db, _, target_coll) = source, target
    allows = call.access.allows
    if db == target_db and not (
        allows(Need("find", target_db, target_coll)) and not allows(Need("find", db, coll))
    ):  # whoever may not read the source must not get to read it under another name
        yield Need("renameCollectionSameDB", db, coll)
        yield Need("renameCollectionSameDB", target_db, target_coll)
    else:
        yield Need("find", db, coll)
        yield Need("dropCollection", db, coll)
        yield Need("insert", target_db, target_coll)
        yield Need("createIndex", target_db, target_coll)
    if call.body.get("dropTarget"):
        yield Need("dropCollection", target_db, target_coll)


def _master_index(call: Call) -> Iterator[Need]:
    method, arguments = call.body.get("masterIndex"), call.body.get("arguments")
    if method in ("add", "remove"):
        name = arguments.get("name") if isinstance(arguments, Mapping) else None
        yield Need("createCollection" if method == "add" else "dropCollection", call.db, str(name))
    reads = method in _MASTER_INDEX_READS
    yield Need("listCollections" if reads else "update", call.db)


def _list_collections(call: Call) -> Iterator[Need]:
    asks_for_own = call.body.get("nameOnly") and call.body.get("authorizedCollections")
    if not (asks_for_own and call.access.privileges.allow_anything_in(call.db)):
        yield Need("listCollections", call.db)


def _explain(call: Call) -> Iterable[Need]:
    explained = call.body.get("explain")
    name = next(iter(explained), "") if isinstance(explained, Mapping) else ""
    requirement = REQUIREMENTS.get(name)
    if not isinstance(explained, Mapping) or requirement is None or name == "explain":
        return ()  # it fails by itself
    needs = requirement.closer or requirement.most or _nothing
    return needs(call._replace(name=name, body=explained))


def _of_users(needs: Callable[[str, Mapping[str, Any], ClientAccess], Iterable[Need]]) -> Requirement:
    return Requirement(None, lambda call: needs(call.db, call.body, call.access))


_MASTER_INDEX_READS: Final = ("collection", "collections", "history", "lease", "leases")

OPEN: Final = Requirement(None, is_open=True)
"""For everybody, before a log-in as well: what a driver has to say and ask first."""
LOGGED_IN: Final = Requirement(_nothing)
"""For every user: what is done is his own affair, or the handler shows him only what he may see."""

_FIND_AND_MODIFY: Final = Requirement(_on_collection("find", "update", "insert", "remove").most, _find_and_modify)

REQUIREMENTS: Final[dict[str, Requirement]] = {
    "abortTransaction": LOGGED_IN,
    "aggregate": Requirement(None, _aggregate),
    "authenticate": OPEN,
    "buildInfo": OPEN,
    "buildinfo": OPEN,
    "bulkWrite": Requirement(None, _bulk_write),
    "collMod": Requirement(None, _modify),
    "collStats": _on_collection("collStats"),
    "collstats": _on_collection("collStats"),
    "commitTransaction": LOGGED_IN,
    "compact": _on_collection("compact"),
    "connectionStatus": OPEN,
    "count": _on_collection("find"),
    "create": Requirement(None, _create),
    "createIndexes": _on_collection("createIndex"),
    "createUser": _of_users(create_user_needs),
    "dbStats": _on_database("dbStats"),
    "dbstats": _on_database("dbStats"),
    "delete": _on_collection("remove"),
    "deleteIndexes": _on_collection("dropIndex"),
    "distinct": _on_collection("find"),
    "drop": _on_collection("dropCollection"),
    "dropAllUsersFromDatabase": _on_database("dropUser"),
    "dropDatabase": _on_database("dropDatabase"),
    "dropIndexes": _on_collection("dropIndex"),
    "dropUser": _on_database("dropUser"),
    "endSessions": LOGGED_IN,
    "explain": Requirement(None, _explain),
    "find": _on_collection("find"),
    "findAndModify": _FIND_AND_MODIFY,
    "findandmodify": _FIND_AND_MODIFY,
    "getCmdLineOpts": _on_cluster("getCmdLineOpts"),
    "getDefaultRWConcern": _on_cluster("getDefaultRWConcern"),
    "getLog": _on_cluster("getLog"),
    "getMore": LOGGED_IN,
    "getParameter": _on_cluster("getParameter"),
    "grantRolesToUser": _of_users(grant_needs),
    "hello": OPEN,
    "hostInfo": _on_cluster("hostInfo"),
    "insert": Requirement(_on_collection("insert").most, _insert),
    "isMaster": OPEN,
    "ismaster": OPEN,
    "killCursors": LOGGED_IN,
    "killSessions": LOGGED_IN,
    "listCollections": Requirement(_on_database("listCollections").most, _list_collections),
    "listDatabases": LOGGED_IN,
    "listIndexes": _on_collection("listIndexes"),
    "logout": OPEN,
    "masterIndex": Requirement(None, _master_index),
    "ping": OPEN,
    "refreshSessions": LOGGED_IN,
    "renameCollection": Requirement(None, _rename),
    "replSetGetStatus": _on_cluster("replSetGetStatus"),
    "revokeRolesFromUser": _of_users(revoke_needs),
    "rolesInfo": _of_users(role_info_needs),
    "saslContinue": OPEN,
    "saslStart": OPEN,
    "serverStatus": _on_cluster("serverStatus"),
    "startSession": LOGGED_IN,
    "update": Requirement(_on_collection("update", "insert").most, _update),
    "updateUser": _of_users(update_user_needs),
    "usersInfo": _of_users(user_info_needs),
    "validate": _on_collection("validate"),
    "whatsmyuri": OPEN,
}


def authorize(name: str, db: str, body: Mapping[str, Any], message: OpMsg, access: ClientAccess) -> tuple[Need, ...]:
    """Return what the call needs. Raises UnauthorizedError when the client may not do it."""
    access.renew()
    if access.is_owner:
        return ()
    target = body[name]
    key = (name, db, target if target.__class__ is str else None)
    remembered = access.remembered.get(key)
    if remembered is not None and "bypassDocumentValidation" not in body:
        return remembered
    requirement = REQUIREMENTS.get(name)
    if requirement is not None and requirement.is_open:
        return ()
    if access.user is None:
        if name == "createUser" and db == "admin" and access.may_make_first_user:
            return ()
        raise UnauthorizedError(f"Command {name} requires authentication")
    if requirement is None:
        raise _unauthorized(name, db, target)
    call = Call(name, db, body, message, access)
    if requirement.most is not None and "bypassDocumentValidation" not in body:
        needs = tuple(requirement.most(call))
        if access.allows_all(needs):
            if len(access.remembered) >= REMEMBERED_MAX:
                access.remembered.clear()
            access.remembered[key] = needs
            return needs
    needs = tuple((requirement.closer or requirement.most or _nothing)(call))
    if not access.allows_all(needs):
        raise _unauthorized(name, db, target)
    return needs


def _unauthorized(name: str, db: str, target: Any) -> UnauthorizedError:
    shown = f'"{target}"' if isinstance(target, str) else "..."
    return UnauthorizedError(f"not authorized on {db} to execute command {{ {name}: {shown} }}")
