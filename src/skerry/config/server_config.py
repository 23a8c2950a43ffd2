"""Where the wire server listens and how much it takes on."""

from dataclasses import dataclass, field
from pathlib import Path

from skerry.config.checks import check_ranges
from skerry.errors import ConfigurationError

PORT_MAX = 65_535
BIND_ALLOWED = "HOST:PORT, for example 127.0.0.1:27017 or [::1]:27017"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Settings of the wire server of one node."""

    bind_host: str = field(
        default="127.0.0.1",
        metadata={"help": "Name or address to listen on; there is no authentication, so stay on the loopback."},
    )
    bind_port: int = field(
        default=27017, metadata={"help": "TCP port to listen on; 0 takes any free one.", "least": 0, "most": PORT_MAX}
    )
    unix_socket_path: Path | None = field(
        default=None, metadata={"help": "Also listen on a Unix socket at this path; none: TCP only."}
    )
    connections_max: int = field(default=1000, metadata={"help": "Further connections are closed at once.", "least": 1})
    message_bytes_max: int = field(
        default=48_000_000,  # MongoDB's own maxMessageSizeBytes; drivers read it from hello
        metadata={"help": "A longer message ends its connection.", "least": 17 * 1024 * 1024},
    )

    def __post_init__(self) -> None:
        if not self.bind_host:
            raise ConfigurationError("server.bind_host", self.bind_host, "a name or an address")
        check_ranges(self, "server")


def parse_bind(text: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`; an IPv6 address stands in brackets. Raises `ConfigurationError`."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isascii() or not port.isdigit() or (":" in host and not bracketed):
        raise ConfigurationError("server.bind", text, BIND_ALLOWED)
    host = host[1:-1] if bracketed else host
    if not host or int(port) > PORT_MAX:
        raise ConfigurationError("server.bind", text, BIND_ALLOWED)
    return host, int(port)
