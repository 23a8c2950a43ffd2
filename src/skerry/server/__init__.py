"""The MongoDB wire protocol over TCP and Unix sockets."""
