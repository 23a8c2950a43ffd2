"""TLS of the listener, from the settings: TLS 1.2 at least, and clients' certificates where they are asked for."""

import ssl
from pathlib import Path
from typing import Final

from skerry.config import ServerConfig
from skerry.config.server_config import ClientCertificates
from skerry.errors import ConfigurationError

_VERIFY: Final = {
    ClientCertificates.NONE: ssl.CERT_NONE,
    ClientCertificates.ALLOWED: ssl.CERT_OPTIONAL,
    ClientCertificates.REQUIRED: ssl.CERT_REQUIRED,
}


def server_context(config: ServerConfig) -> ssl.SSLContext | None:
    """Return what the listener needs, None for a server without TLS.

    Raises ConfigurationError for a file that cannot be read, is no PEM, or whose key has another password or belongs to
    another certificate.
    """
    if config.tls_certificate_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_certificate(context, config.tls_certificate_file, config)
    if config.tls_ca_file is not None:
        try:
            context.load_verify_locations(config.tls_ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise ConfigurationError("server.tls_ca_file", str(config.tls_ca_file), f"a PEM file ({error})") from error
    context.verify_mode = _VERIFY[config.tls_client_certificates]
    return context


def _load_certificate(context: ssl.SSLContext, certificate: Path, config: ServerConfig) -> None:
    def password() -> str:
        if config.tls_key_password is None:
            key = str(config.tls_key_file or certificate)
            raise ConfigurationError("server.tls_key_password", None, f"the password of the key in {key}")
        return config.tls_key_password

    try:
        context.load_cert_chain(certificate, config.tls_key_file, password=password)
    except OSError as error:
        allowed = f"a PEM file with a certificate and its key, and the key's password if it has one ({error})"
        raise ConfigurationError("server.tls_certificate_file", str(certificate), allowed) from error
