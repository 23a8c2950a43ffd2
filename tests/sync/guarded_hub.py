"""A `skerry serve` that wants TLS and a log-in: stands in for a deployment that others look after, such as Atlas."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme
from pymongo import MongoClient

from benchmarks.processes import skerry_server

ROLES_OF_THE_SUITE = (("readWriteAnyDatabase", "admin"),)
"""What the user in SKERRY_TEST_MONGODB_URI has to have."""


class GuardedServer:
    """Makes users; each has the roles that it needs and no other."""

    def __init__(self, address: str, authority: Path) -> None:
        self._address, self._authority = address, authority
        with MongoClient(
            self._uri(), serverSelectionTimeoutMS=5000
        ) as nobody:  # the first user is made without a log-in
            nobody.admin.command("createUser", "root", pwd="root's", roles=["root"])
        self.root: MongoClient[dict[str, Any]] = MongoClient(self._uri("root:root's@"))

    def user_with(self, roles: Sequence[tuple[str, str]]) -> str:
        """Make a user with (role, database) and return the URI with which it logs in."""
        name = f"user-{uuid.uuid4().hex[:8]}"
        granted = [{"role": role, "db": db} for role, db in roles]
        self.root.admin.command("createUser", name, pwd="secret", roles=granted)
        return self._uri(f"{name}:secret@")

    def _uri(self, user: str = "") -> str:
        return f"mongodb://{user}{self._address}/?tls=true&tlsCAFile={self._authority}&authSource=admin"


@contextmanager
def guarded_server(directory: Path) -> Iterator[GuardedServer]:
    authority, certificate, data = directory / "ca.pem", directory / "server.pem", directory / "data"
    signer = trustme.CA()
    signer.cert_pem.write_to_path(str(authority))
    signer.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    data.mkdir()
    (data / "skerry.toml").write_text(f'[server]\ntls_certificate_file = "{certificate}"\n', "utf-8")
    with skerry_server(data) as running:
        server = GuardedServer(running.uri.rpartition("/")[2], authority)
        yield server
        server.root.close()
