"""What a program calls for a database's whole life: made once, opened, indexed in a file, copied, put back."""

from pathlib import Path

import pytest

import skerry
from skerry.engine.index_backup import Outcome
from skerry.errors import DatabaseExistsError, DatabaseInUseError, DatabaseNotFoundError


def test_a_database_is_made_once_and_opened_afterwards(tmp_path: Path) -> None:
    with pytest.raises(DatabaseNotFoundError):
        skerry.open_database(tmp_path / "data")
    assert not (tmp_path / "data").exists(), "looking makes nothing"
    with skerry.create_database(tmp_path / "data") as client:
        client.shop.orders.insert_one({"_id": 1})
    with pytest.raises(DatabaseExistsError):
        skerry.create_database(tmp_path / "data")
    with skerry.open_database(tmp_path / "data") as client:
        assert client.shop.orders.count_documents({}) == 1


def test_the_index_comes_back_from_its_document(tmp_path: Path) -> None:
    url = str(tmp_path / "index.json")
    with skerry.create_database(tmp_path / "data") as client:
        client.shop.orders.create_index("item", unique=True)
        client.shop.orders.insert_one({"item": "oars"})
        assert skerry.backup_index(tmp_path / "data", url) == 1
        client.drop_database("shop")
        (recovered,) = skerry.recover(tmp_path / "data", url)
        assert recovered.outcome is Outcome.CREATED
        assert set(client.shop.orders.index_information()) == {"_id_", "item_1"}


def test_a_backup_taken_while_open_is_put_back_elsewhere(tmp_path: Path) -> None:
    url = str(tmp_path / "copy.zip")
    with skerry.create_database(tmp_path / "data") as client:
        client.shop.orders.insert_many([{"_id": number} for number in range(100)])
        report = skerry.backup(tmp_path / "data", url)
        assert report.manifest.documents == 100
        client.shop.orders.delete_many({})
        with pytest.raises(DatabaseInUseError):
            skerry.restore(url, tmp_path / "data", overwrite=True)
    skerry.restore(url, tmp_path / "other")
    with skerry.open_database(tmp_path / "other") as client:
        assert client.shop.orders.count_documents({}) == 100
