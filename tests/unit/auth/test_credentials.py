"""A password becomes salted keys in MongoDB's form."""

import base64
import hashlib
import hmac

import pytest

from skerry.auth.credentials import ITERATIONS, MECHANISMS, make_credentials, stored_keys
from skerry.auth.password_rules import PASSWORD_BYTES_MAX, check_user_name
from skerry.errors import BadValueError


def test_the_keys_are_those_of_the_standard() -> None:
    keys = stored_keys(make_credentials("alice", "pencil"), "SCRAM-SHA-256")
    assert keys is not None
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", keys.salt, 15_000)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    assert keys.stored_key == hashlib.sha256(client_key).digest()
    assert keys.server_key == hmac.digest(salted, b"Server Key", "sha256")


def test_with_sha_1_the_password_is_the_digest_that_drivers_send() -> None:
    keys = stored_keys(make_credentials("alice", "pencil"), "SCRAM-SHA-1")
    assert keys is not None
    digest = hashlib.md5(b"alice:mongo:pencil").hexdigest()
    salted = hashlib.pbkdf2_hmac("sha1", digest.encode(), keys.salt, 10_000)
    assert keys.stored_key == hashlib.sha1(hmac.digest(salted, b"Client Key", "sha1")).digest()


def test_the_stored_form_is_that_of_a_user_document() -> None:
    stored = make_credentials("alice", "pencil")
    assert list(stored) == list(MECHANISMS)
    for mechanism, keys in stored.items():
        assert list(keys) == ["iterationCount", "salt", "storedKey", "serverKey"]
        assert keys["iterationCount"] == ITERATIONS[mechanism]
    assert len(base64.b64decode(stored["SCRAM-SHA-1"]["salt"])) == 16
    assert len(base64.b64decode(stored["SCRAM-SHA-256"]["salt"])) == 28


def test_equal_passwords_get_different_salts() -> None:
    first, second = (make_credentials("alice", "pencil", ["SCRAM-SHA-256"]) for _ in range(2))
    assert first != second


def test_only_the_wanted_mechanisms_get_keys() -> None:
    stored = make_credentials("alice", "pencil", ["SCRAM-SHA-256"])
    assert list(stored) == ["SCRAM-SHA-256"]
    assert stored_keys(stored, "SCRAM-SHA-1") is None


@pytest.mark.parametrize("mechanisms", [[], ["PLAIN"], ["SCRAM-SHA-256", "MONGODB-X509"]])
def test_mechanisms_that_are_none_are_refused(mechanisms: list[str]) -> None:
    with pytest.raises(BadValueError):
        make_credentials("alice", "pencil", mechanisms)


@pytest.mark.parametrize("password", ["", "a\x00b", "x" * (PASSWORD_BYTES_MAX + 1), "bell\x07"])
def test_passwords_that_cannot_be_are_refused_without_being_repeated(password: str) -> None:
    with pytest.raises(BadValueError) as caught:
        make_credentials("alice", password, ["SCRAM-SHA-256"])
    assert not password or password not in caught.value.message


@pytest.mark.parametrize("name", ["", "a\x00", "a\nb", "é" * 300])
def test_names_that_cannot_be_are_refused(name: str) -> None:
    with pytest.raises(BadValueError):
        check_user_name(name)


@pytest.mark.parametrize("name", ["alice", "Ål, = ©", "a@b.c/d"])
def test_other_names_are_taken_as_they_are(name: str) -> None:
    assert check_user_name(name) == name
