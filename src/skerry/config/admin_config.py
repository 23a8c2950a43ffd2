"""Where the admin API listens, and the token that opens it the first time."""

from dataclasses import dataclass, field

from skerry.config.checks import check_ranges
from skerry.config.server_config import PORT_MAX
from skerry.errors import ConfigurationError

TOKEN_CHARACTERS_MIN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminConfig:
    """Settings of the admin API of one node; there is none unless `bind_host` or `bind_port` is set."""

    bind_host: str = field(
        default="127.0.0.1",
        metadata={
            "help": "Name or address to listen on; there is no TLS, so beyond the loopback put a proxy before it."
        },
    )
    bind_port: int = field(
        default=27080,
        metadata={
            "help": "TCP port of the admin API; 0 takes any free one. Without it and `bind_host` there is no admin API.",
            "least": 0,
            "most": PORT_MAX,
        },
    )
    token: str | None = field(
        default=None,
        repr=False,
        metadata={
            "help": "Bearer token with the role admin, at least 16 characters; best as `SKERRY_ADMIN_TOKEN`. Stored as a hash.",
            "secret": True,
        },
    )

    def __post_init__(self) -> None:
        if not self.bind_host:
            raise ConfigurationError("admin.bind_host", self.bind_host, "a name or an address")
        if self.token is not None and (len(self.token) < TOKEN_CHARACTERS_MIN or not self.token.isascii()):
            # The value is not repeated: it is a secret.
            raise ConfigurationError("admin.token", "", f"at least {TOKEN_CHARACTERS_MIN} ASCII characters")
        check_ranges(self, "admin")
