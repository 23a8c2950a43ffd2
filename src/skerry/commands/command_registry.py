"""Every command by name, alphabetically: those that skerry has, and those of MongoDB that it lacks and says so."""

from typing import Final

from skerry.commands.aggregate_commands import AGGREGATE, EXPLAIN
from skerry.commands.authentication import CONNECTION_STATUS, LOGOUT, SASL_CONTINUE, SASL_START
from skerry.commands.bulk_write import BULK_WRITE
from skerry.commands.certificate_log_in import AUTHENTICATE
from skerry.commands.collection_commands import (
    COLL_MOD,
    CREATE,
    DROP,
    DROP_DATABASE,
    LIST_COLLECTIONS,
    LIST_DATABASES,
    RENAME_COLLECTION,
)
from skerry.commands.command import Command
from skerry.commands.compact_command import COMPACT
from skerry.commands.diagnostic_commands import (
    BUILD_INFO,
    BUILD_INFO_LOWER,
    GET_CMD_LINE_OPTS,
    GET_DEFAULT_RW_CONCERN,
    GET_LOG,
    GET_PARAMETER,
    HOST_INFO,
    PING,
    REPL_SET_GET_STATUS,
    SERVER_STATUS,
    WHATS_MY_URI,
)
from skerry.commands.find_and_modify import FIND_AND_MODIFY, FIND_AND_MODIFY_LOWER
from skerry.commands.find_commands import COUNT, DISTINCT, FIND, GET_MORE, KILL_CURSORS
from skerry.commands.hello import HELLO, IS_MASTER, IS_MASTER_LOWER
from skerry.commands.index_commands import CREATE_INDEXES, DELETE_INDEXES, DROP_INDEXES, LIST_INDEXES
from skerry.commands.master_index_command import MASTER_INDEX
from skerry.commands.session_commands import (
    ABORT_TRANSACTION,
    COMMIT_TRANSACTION,
    END_SESSIONS,
    KILL_SESSIONS,
    REFRESH_SESSIONS,
    START_SESSION,
)
from skerry.commands.statistics_commands import COLL_STATS, COLL_STATS_LOWER, DB_STATS, DB_STATS_LOWER, VALIDATE
from skerry.commands.unsupported_commands import UNSUPPORTED_COMMANDS
from skerry.commands.user_commands import (
    CREATE_USER,
    DROP_ALL_USERS_FROM_DATABASE,
    DROP_USER,
    GRANT_ROLES_TO_USER,
    REVOKE_ROLES_FROM_USER,
    ROLES_INFO,
    UPDATE_USER,
    USERS_INFO,
)
from skerry.commands.write_commands import DELETE, INSERT, UPDATE
from skerry.errors import CommandNotFoundError, NotImplementedYetError

COMMANDS: Final[dict[str, Command]] = {
    "abortTransaction": ABORT_TRANSACTION,
    "aggregate": AGGREGATE,
    "authenticate": AUTHENTICATE,
    "buildInfo": BUILD_INFO,
    "buildinfo": BUILD_INFO_LOWER,
    "bulkWrite": BULK_WRITE,
    "collMod": COLL_MOD,
    "collStats": COLL_STATS,
    "collstats": COLL_STATS_LOWER,
    "commitTransaction": COMMIT_TRANSACTION,
    "compact": COMPACT,
    "connectionStatus": CONNECTION_STATUS,
    "count": COUNT,
    "create": CREATE,
    "createIndexes": CREATE_INDEXES,
    "createUser": CREATE_USER,
    "dbStats": DB_STATS,
    "dbstats": DB_STATS_LOWER,
    "delete": DELETE,
    "deleteIndexes": DELETE_INDEXES,
    "distinct": DISTINCT,
    "drop": DROP,
    "dropAllUsersFromDatabase": DROP_ALL_USERS_FROM_DATABASE,
    "dropDatabase": DROP_DATABASE,
    "dropIndexes": DROP_INDEXES,
    "dropUser": DROP_USER,
    "endSessions": END_SESSIONS,
    "explain": EXPLAIN,
    "find": FIND,
    "findAndModify": FIND_AND_MODIFY,
    "findandmodify": FIND_AND_MODIFY_LOWER,
    "getCmdLineOpts": GET_CMD_LINE_OPTS,
    "getDefaultRWConcern": GET_DEFAULT_RW_CONCERN,
    "getLog": GET_LOG,
    "getMore": GET_MORE,
    "getParameter": GET_PARAMETER,
    "grantRolesToUser": GRANT_ROLES_TO_USER,
    "hello": HELLO,
    "hostInfo": HOST_INFO,
    "insert": INSERT,
    "isMaster": IS_MASTER,
    "ismaster": IS_MASTER_LOWER,
    "killCursors": KILL_CURSORS,
    "killSessions": KILL_SESSIONS,
    "listCollections": LIST_COLLECTIONS,
    "listDatabases": LIST_DATABASES,
    "listIndexes": LIST_INDEXES,
    "logout": LOGOUT,
    "masterIndex": MASTER_INDEX,
    "ping": PING,
    "refreshSessions": REFRESH_SESSIONS,
    "renameCollection": RENAME_COLLECTION,
    "replSetGetStatus": REPL_SET_GET_STATUS,
    "revokeRolesFromUser": REVOKE_ROLES_FROM_USER,
    "rolesInfo": ROLES_INFO,
    "saslContinue": SASL_CONTINUE,
    "saslStart": SASL_START,
    "serverStatus": SERVER_STATUS,
    "startSession": START_SESSION,
    "update": UPDATE,
    "updateUser": UPDATE_USER,
    "usersInfo": USERS_INFO,
    "validate": VALIDATE,
    "whatsmyuri": WHATS_MY_URI,
}


def find(name: str) -> Command:
    """Return the command called `name`.

    Raises NotImplementedYetError for a command that only MongoDB has, CommandNotFoundError for any other name.
    """
    command = COMMANDS.get(name)
    if command is None:
        if name in UNSUPPORTED_COMMANDS:
            raise NotImplementedYetError(f"the command '{name}' is not implemented")
        raise CommandNotFoundError(f"no such command: '{name}'")
    return command
