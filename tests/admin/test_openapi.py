"""The OpenAPI document against a served node: schemathesis asks, the node answers as it says, and strangers learn nothing."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
import requests
import schemathesis
from admin_answers import wait_until
from admin_site import Site
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from skerry.admin.gate import OPEN_PATHS
from skerry.admin.listener import AdminListener
from skerry.config import AdminConfig

CASES: Final = 8  # of each kind, for each operation
KNOWN: Final = {"name": "hub", "namespace": "shop.orders", "database": "shop", "collection": "orders"}
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
MAY_BE_503: Final = ("/api/sync/health", "/api/sync/bidirectional/health")
pytestmark = pytest.mark.filterwarnings(  # the threads of the node draw random numbers while requests are being made
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)
search = settings(max_examples=CASES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))


class Served:
    """A linked node with a conflict and a dead letter, its admin API on a port, and the operations of its document."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.listener = AdminListener(site.edge, AdminConfig(bind_port=0, token="a-token-for-all-of-it"))
        self.listener.start()
        self.headers = {"Authorization": "Bearer a-token-for-all-of-it"}
        self.session = requests.Session()
        self.known: dict[str, Any] = {**KNOWN, "id": site.make_conflict()}
        site.edge_client.shop.people.create_index("email", unique=True)
        site.edge_client.shop.people.insert_one({"_id": "here", "email": "x"})
        site.hub_client.shop.people.insert_one({"_id": "there", "email": "x"})
        wait_until(lambda: site.edge.replicator and site.edge.replicator.status().dead_letters == 1)

    def operations(self) -> list[Any]:
        """Return all of them, those that only look first."""
        config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
        address = f"{self.listener.url}/openapi.json"
        schema = schemathesis.openapi.from_url(address, headers=self.headers, config=config)
        found = [each.ok() for each in schema.get_all_operations()]
        return sorted(found, key=lambda operation: operation.method != "get")

    def close(self) -> None:
        self.session.close()
        self.listener.stop()
        self.site.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    served = Served(Site("shop.*=both"))
    yield served
    served.close()


def strategies(operation: Any, known: dict[str, Any]) -> list[Any]:
    """Return requests that fit the document, such for things that are there, and such that do not fit it."""
    names = {each["name"]: each["in"] for each in operation.definition.raw.get("parameters", ())}
    endless = {"query": {"once": True}} if "once" in names else {}
    found = [operation.as_strategy(**endless)]
    in_path = {name: known[name] for name, place in names.items() if place == "path"}
    if in_path:
        found.append(operation.as_strategy(path_parameters=in_path, **endless))
    # whatever a path has is text, so that only numbers in it can be wrong
    can_be_wrong = "requestBody" in operation.definition.raw or "query" in names.values() or "id" in names
    if can_be_wrong and not endless:
        found.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    return found


def ask(served: Served, cases: Any, checks: list[Any]) -> None:
    @search
    @given(cases)
    def answers(case: Any) -> None:
        case.call_and_validate(session=served.session, headers=served.headers, checks=checks)

    answers()


def test_every_operation_answers_as_its_document_says(served: Served, subtests: pytest.Subtests) -> None:
    operations = served.operations()
    assert len(operations) > 40
    for operation in operations:
        checks = CHECKS[1:] if operation.path in MAY_BE_503 else CHECKS
        for requests_of_kind in strategies(operation, served.known):
            with subtests.test(operation.label):
                ask(served, requests_of_kind, checks)
        served.site.edge.start_sync()


def test_without_a_token_every_operation_answers_the_same_and_tells_nothing(
    served: Served, subtests: pytest.Subtests
) -> None:
    answers = set()
    for operation in served.operations():
        if operation.path in OPEN_PATHS:
            continue

        @search
        @given(operation.as_strategy())
        def is_refused(case: Any) -> None:
            answer = case.call(session=served.session)
            assert answer.status_code == 401
            answers.add(bytes(answer.content))

        with subtests.test(operation.label):
            is_refused()
    assert len(answers) == 1
    assert b"a bearer token of this node is needed" in answers.pop()
