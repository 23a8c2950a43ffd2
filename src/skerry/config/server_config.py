"""Where the wire server listens and how much it takes on."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from skerry.config.checks import check_ranges
from skerry.errors import ConfigurationError

PORT_MAX = 65_535
BIND_ALLOWED = "HOST:PORT, for example 127.0.0.1:27017 or [::1]:27017"


class ClientCertificates(StrEnum):
    """What the server asks of clients that come over TLS."""

    NONE = "none"
    ALLOWED = "allowed"
    REQUIRED = "required"


class LogFormat(StrEnum):
    """How lines of the log look."""

    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    """What is logged: this and whatever is graver."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Settings of the wire server of one node."""

    bind_host: str = field(
        default="127.0.0.1",
        metadata={"help": "Name or address to listen on; without users and without auth only the loopback."},
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

    auth: bool = field(
        default=False,
        metadata={
            "help": "Everybody has to log in, even while there is no user; once there is one, that is so anyway."
        },
    )
    tls_certificate_file: Path | None = field(
        default=None, metadata={"help": "PEM file with the server's certificate chain; none: no TLS."}
    )
    tls_key_file: Path | None = field(
        default=None, metadata={"help": "PEM file with the certificate's key; none: it is in the certificate's file."}
    )
    tls_key_password: str | None = field(
        default=None, repr=False, metadata={"help": "Password of the key, where it has one.", "secret": True}
    )
    tls_ca_file: Path | None = field(
        default=None, metadata={"help": "PEM file with the authorities whose client certificates are accepted."}
    )
    tls_client_certificates: ClientCertificates = field(
        default=ClientCertificates.NONE,
        metadata={"help": "Whether clients show a certificate: none, allowed or required."},
    )
    log_format: LogFormat = field(
        default=LogFormat.CONSOLE,
        metadata={
            "help": "How `skerry serve` writes its log to standard error: console for people, json for programs."
        },
    )
    log_level: LogLevel = field(
        default=LogLevel.INFO, metadata={"help": "What it logs: debug, info, warning or error, and what is graver."}
    )
    traces: bool = field(
        default=False,
        metadata={
            "help": "Whether `skerry serve` sends OpenTelemetry traces; needs skerry[otel], reads its OTEL_ variables."
        },
    )

    def __post_init__(self) -> None:
        if not self.bind_host:
            raise ConfigurationError("server.bind_host", self.bind_host, "a name or an address")
        if self.tls_certificate_file is None and (self.tls_key_file or self.tls_key_password or self.tls_ca_file):
            raise ConfigurationError(
                "server.tls_certificate_file", None, "a PEM file, since other TLS settings are given"
            )
        wants_certificates = self.tls_client_certificates is not ClientCertificates.NONE
        if wants_certificates and self.tls_ca_file is None:
            raise ConfigurationError("server.tls_ca_file", None, "the authorities of the clients' certificates")
        if self.tls_ca_file is not None and not wants_certificates:
            raise ConfigurationError("server.tls_client_certificates", "none", "allowed or required, with tls_ca_file")
        check_ranges(self, "server")


def parse_bind(text: str, setting: str = "server.bind") -> tuple[str, int]:
    """Return host and port of `HOST:PORT`; an IPv6 address stands in brackets. Raises `ConfigurationError`."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isascii() or not port.isdigit() or (":" in host and not bracketed):
        raise ConfigurationError(setting, text, BIND_ALLOWED)
    host = host[1:-1] if bracketed else host
    if not host or int(port) > PORT_MAX:
        raise ConfigurationError(setting, text, BIND_ALLOWED)
    return host, int(port)
