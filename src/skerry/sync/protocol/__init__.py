"""Every decision of the sync protocol, pure: no socket, no SQLite, no clock."""
