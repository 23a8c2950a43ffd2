"""The server's side of the conversation, against scramp's client side."""

import hashlib
from typing import Any

import pytest
from scramp import ScramClient

from skerry.auth.credentials import MECHANISMS, ScramKeys, make_credentials, stored_keys
from skerry.auth.scram import PAYLOAD_BYTES_MAX, LookUp, ScramConversation
from skerry.errors import AuthenticationFailedError, ProtocolError

NAME, PASSWORD = "al=i,ce", "pencil"
STORED = make_credentials(NAME, PASSWORD)


def look_up(mechanism: str) -> LookUp:
    def keys(name: str) -> ScramKeys | None:
        return stored_keys(STORED, mechanism) if name == NAME else None

    return keys


def client_of(mechanism: str, name: str = NAME, password: str = PASSWORD) -> Any:
    digest = hashlib.md5(f"{name}:mongo:{password}".encode()).hexdigest()
    return ScramClient([mechanism], name, digest if mechanism == "SCRAM-SHA-1" else password)


def converse(conversation: ScramConversation, client: Any) -> None:
    client.set_server_first(conversation.step(client.get_client_first().encode()).decode())
    client.set_server_final(conversation.step(client.get_client_final().encode()).decode())


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_who_knows_the_password_proves_it_and_the_server_proves_that_it_knows_it_too(mechanism: str) -> None:
    conversation = ScramConversation(mechanism, look_up(mechanism))
    converse(conversation, client_of(mechanism))
    assert conversation.is_proved
    assert conversation.user_name == NAME
    assert not conversation.is_done
    assert conversation.step(b"") == b""
    assert conversation.is_done


def test_the_empty_exchange_can_be_left_out() -> None:
    conversation = ScramConversation("SCRAM-SHA-256", look_up("SCRAM-SHA-256"), skips_empty_exchange=True)
    converse(conversation, client_of("SCRAM-SHA-256"))
    assert conversation.is_done
    with pytest.raises(ProtocolError):
        conversation.step(b"")


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize(("name", "password"), [(NAME, "pen"), ("nobody", PASSWORD)])
def test_a_wrong_password_and_an_unknown_name_fail_in_the_same_way(mechanism: str, name: str, password: str) -> None:
    conversation = ScramConversation(mechanism, look_up(mechanism))
    with pytest.raises(AuthenticationFailedError, match=r"^Authentication failed\.$"):
        converse(conversation, client_of(mechanism, name, password))
    assert not conversation.is_proved


def test_an_unknown_name_gets_the_same_salt_each_time_and_one_of_the_usual_length() -> None:
    def salt(name: str) -> str:
        conversation = ScramConversation("SCRAM-SHA-256", look_up("SCRAM-SHA-256"))
        answer = conversation.step(client_of("SCRAM-SHA-256", name).get_client_first().encode()).decode()
        return answer.split(",")[1]

    assert salt("nobody") == salt("nobody") != salt("somebody")
    assert len(salt("nobody")) == len(salt(NAME))


def test_a_conversation_that_failed_cannot_go_on() -> None:
    conversation = ScramConversation("SCRAM-SHA-256", look_up("SCRAM-SHA-256"))
    client = client_of("SCRAM-SHA-256", password="pen")
    with pytest.raises(AuthenticationFailedError):
        converse(conversation, client)
    with pytest.raises(ProtocolError):
        conversation.step(b"")


def test_a_proof_for_another_nonce_is_none() -> None:
    first, second = (ScramConversation("SCRAM-SHA-256", look_up("SCRAM-SHA-256")) for _ in range(2))
    client = client_of("SCRAM-SHA-256")
    client.set_server_first(first.step(client.get_client_first().encode()).decode())
    second.step(client_of("SCRAM-SHA-256").get_client_first().encode())
    with pytest.raises(AuthenticationFailedError):
        second.step(client.get_client_final().encode())


@pytest.mark.parametrize(
    "payload", [b"", b"n,,", b"hello", b"\xff\xfe", b"p=tls-unique,,n=a,r=b", b"n,,n=a=b,r=c", b"n,a=x,n=a,r=c"]
)
def test_what_is_no_first_message_fails(payload: bytes) -> None:
    conversation = ScramConversation("SCRAM-SHA-256", look_up("SCRAM-SHA-256"))
    with pytest.raises(AuthenticationFailedError):
        conversation.step(payload)


def test_a_long_message_is_refused_unread() -> None:
    conversation = ScramConversation("SCRAM-SHA-256", look_up("SCRAM-SHA-256"))
    with pytest.raises(ProtocolError):
        conversation.step(b"n,,n=" + b"a" * PAYLOAD_BYTES_MAX)


def test_the_last_message_has_to_be_empty() -> None:
    conversation = ScramConversation("SCRAM-SHA-256", look_up("SCRAM-SHA-256"))
    converse(conversation, client_of("SCRAM-SHA-256"))
    with pytest.raises(ProtocolError):
        conversation.step(b"more")
