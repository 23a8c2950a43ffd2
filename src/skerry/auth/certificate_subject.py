"""A certificate's subject as MongoDB names the user who shows it: RFC 2253, the most particular part first.

Source: MongoDB manual, "Use x.509 Certificates to Authenticate Clients"; RFC 2253 2.3 and 2.4, of which RFC 4514 is the heir.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

_SHORT_NAMES: Final[Mapping[str, str]] = {
    "commonName": "CN",
    "countryName": "C",
    "domainComponent": "DC",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "stateOrProvinceName": "ST",
    "streetAddress": "STREET",
    "userId": "UID",
}
"""RFC 2253's own; others keep the name by which OpenSSL knows them, as with the server."""
_SPECIAL: Final = frozenset(',+"\\<>;')

RelativeName = Sequence[tuple[str, str]]


def subject_name(certificate: Mapping[str, Any]) -> str | None:
    """Return the subject of a certificate in the form of `ssl.SSLSocket.getpeercert`; None for one without any."""
    names: Sequence[RelativeName] = certificate.get("subject", ())
    return ",".join("+".join(map(_shown, name)) for name in reversed(names)) or None


def _shown(attribute: tuple[str, str]) -> str:
    name, value = attribute
    escaped = "".join("\\" + each if each in _SPECIAL else each for each in value)
    if escaped[:1] in (" ", "#"):
        escaped = "\\" + escaped
    if len(value) > 1 and value[-1] == " ":
        escaped = escaped[:-1] + "\\ "
    return f"{_SHORT_NAMES.get(name, name)}={escaped}"
