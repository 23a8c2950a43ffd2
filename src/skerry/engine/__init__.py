"""The embedded database: documents, indexes, oplog and catalogue acting as one."""
