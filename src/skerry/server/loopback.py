"""Which addresses are this machine's own: the only ones where a server without users listens."""

import ipaddress
import logging
import socket
from typing import Final

LOG: Final = logging.getLogger("skerry.server")


def is_loopback(host: str) -> bool:
    """Whether a name or address reaches this machine and nobody else; false for a name that means nothing."""
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        return False
    return bool(found) and all(_is_loopback_address(address) for address in found)


def _is_loopback_address(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)


def loopback_only(host: str) -> str:
    """Return where to listen while there are no users: `host` if it is on the loopback, else the loopback; the log says so."""
    if is_loopback(host):
        LOG.info("there are no users: every program on this machine may do everything, and nobody else comes in")
        return host
    instead = "::1" if ":" in host else "127.0.0.1"
    LOG.warning(
        "there are no users: listening on %s instead of %s; add one with `skerry user add`, or set server.auth",
        instead,
        host,
    )
    return instead
