"""The commands of MongoDB 8.0 that skerry lacks: asked for, they are refused by name (manual: Database Commands)."""

from typing import Final

# fmt: off
UNSUPPORTED_COMMANDS: Final = frozenset((
    "abortMoveCollection", "abortReshardCollection", "abortUnshardCollection", "addShard", "addShardToZone", "analyze",
    "analyzeShardKey", "appendOplogNote", "applyOps", "autoCompact", "autoSplitVector",
    "balancerCollectionStatus", "balancerStart", "balancerStatus", "balancerStop", "checkMetadataConsistency",
    "cleanupOrphaned", "cleanupReshardCollection", "cleanupStructuredEncryptionData", "clearJumboFlag", "clearLog",
    "cloneCollectionAsCapped", "commitMoveCollection", "commitReshardCollection",
    "compactStructuredEncryptionData", "configureQueryAnalyzer", "connPoolStats", "connPoolSync", "convertToCapped",
    "createRole", "createSearchIndexes", "currentOp", "dataSize", "dbHash", "driverOIDTest",
    "dropAllRolesFromDatabase", "dropConnections", "dropRole", "dropSearchIndex",
    "enableSharding", "exportCollection", "features", "filemd5", "flushRouterConfig", "fsync",
    "fsyncUnlock", "getAuditConfig", "getDatabaseVersion", "getShardMap", "getShardVersion", "grantPrivilegesToRole",
    "grantRolesToRole", "invalidateUserCache", "killAllSessions",
    "killAllSessionsByPattern", "killOp", "listCommands", "listSearchIndexes", "listShards", "lockInfo",
    "logApplicationMessage", "logRotate", "mapReduce", "mergeAllChunksOnShard", "mergeChunks", "modifyChunks",
    "moveChunk", "moveCollection", "movePrimary", "moveRange", "netstat", "planCacheClear", "planCacheClearFilters",
    "planCacheListFilters", "planCacheSetFilter", "profile", "reIndex", "refineCollectionShardKey",
    "removeQuerySettings", "removeShard", "removeShardFromZone", "replSetAbortPrimaryCatchUp", "replSetFreeze",
    "replSetGetConfig", "replSetInitiate", "replSetMaintenance", "replSetReconfig", "replSetResizeOplog",
    "replSetStepDown", "replSetSyncFrom", "reshardCollection", "resyncAuthorizationInfo", "revokePrivilegesFromRole",
    "revokeRolesFromRole", "rotateCertificates",
    "setAllowMigrations", "setAuditConfig", "setClusterParameter", "setDefaultRWConcern",
    "setFeatureCompatibilityVersion", "setIndexCommitQuorum", "setParameter", "setQuerySettings",
    "setUserWriteBlockMode", "shardCollection", "shardConnPoolStats", "shardingState", "shutdown", "split",
    "splitChunk", "splitVector", "top", "transitionFromDedicatedConfigServer", "transitionToDedicatedConfigServer",
    "unsetSharding", "unshardCollection", "updateRole", "updateSearchIndex", "updateZoneKeyRange",
    "validateDBMetadata", "waitForFailPoint", "whatsmysni",
))
# fmt: on
