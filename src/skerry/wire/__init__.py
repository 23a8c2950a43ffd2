"""MongoDB wire protocol messages: bytes in, messages out, no sockets."""
