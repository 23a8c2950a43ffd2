"""The master index over HTTP: the same facts, and for the same cause the same error, as in the library."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

import skerry
from skerry.admin.api import Api
from skerry.admin.app import create_app
from skerry.errors import CollectionNotFoundError
from skerry.node import Node


@pytest.fixture
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = Node(tmp_path_factory.mktemp("node"))
    node.start()
    yield node
    node.stop()


@pytest.fixture
def http(node: Node) -> Iterator[TestClient]:
    api = Api(node)
    with TestClient(create_app(api), headers={"Authorization": f"Bearer {api.tokens.run_token}"}) as client:
        yield client


def test_the_index_of_a_database_is_what_the_library_says(node: Node, http: TestClient) -> None:
    with skerry.connect(node.engine.path) as client:
        client.shop.orders.insert_many([{}, {}])
        index = skerry.MasterIndex(client.shop)
        expected = index.get_collection("orders")
    assert expected is not None
    answered = http.get("/api/index/shop/orders").json()["data"]
    assert answered["documentCount"] == 2
    assert answered["modificationToken"] == expected["modificationToken"]
    assert set(http.get("/api/index/shop").json()["data"]["collections"]) == {"orders"}
    assert http.get("/api/index/shop/orders/history").json()["data"]["changes"]


def test_an_unknown_collection_is_the_same_error_as_in_the_library(node: Node, http: TestClient) -> None:
    with skerry.connect(node.engine.path) as client, pytest.raises(CollectionNotFoundError) as missing:
        skerry.MasterIndex(client.shop).update_collection_metadata("nobody", {})
    for path in ("/api/index/shop/nobody", "/api/index/shop/nobody/history"):
        refused = http.get(path)
        assert refused.status_code == 404
        error = refused.json()["error"]
        assert error == {"code": missing.value.code, "message": str(missing.value), "details": missing.value.facts}


def test_nobody_sees_the_index_without_a_token(node: Node) -> None:
    with TestClient(create_app(Api(node))) as stranger:
        assert stranger.get("/api/index/shop").status_code == 401
