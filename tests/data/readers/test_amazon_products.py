from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.data.readers import amazon_products
from recsys.data.readers.amazon_products import product_features, read_products
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError


def read(tmp_path: Path, *products: dict[str, object], id_field: str = "asin") -> pa.Table:
    path = tmp_path / "meta.jsonl"
    path.write_text("".join(json.dumps(product) + "\n" for product in products), encoding="utf-8")
    return read_products(RawFile(path), id_field)


def test_the_fields_of_a_product(tmp_path: Path) -> None:
    product = {"asin": "B1", "title": "Soap", "brand": "Acme", "price": "$1,234.50", "categories": [["Beauty", "Soap"]]}
    assert read(tmp_path, product).to_pylist() == [
        {"item_id": "B1", "title": "Soap", "brand": "Acme", "price": 1234.5, "categories": ["Beauty", "Soap"]}
    ]


def test_releases_name_fields_differently(tmp_path: Path) -> None:
    newer = {"parent_asin": "B1", "store": "Acme", "main_category": "Beauty"}
    found = read(tmp_path, newer, id_field="parent_asin").to_pylist()[0]
    assert (found["brand"], found["categories"]) == ("Acme", ["Beauty"])
    middle = read(tmp_path, {"asin": "B1", "category": ["Beauty", "Soap", "Beauty"]}).to_pylist()[0]
    assert middle["categories"] == ["Beauty", "Soap"]


@pytest.mark.parametrize(
    ("price", "expected"),
    [(9.99, 9.99), (3, 3.0), ("$5", 5.0), (" 7.25 ", 7.25), ("from $5", None), ("<span>", None), (None, None)],
)
def test_prices_in_dollars_or_null(tmp_path: Path, price: object, expected: float | None) -> None:
    assert read(tmp_path, {"asin": "B1", "price": price})["price"].to_pylist() == [expected]


def test_values_of_the_wrong_type_are_null(tmp_path: Path) -> None:
    found = read(tmp_path, {"asin": "B1", "title": ["a"], "brand": 7, "categories": [1, ""]}).to_pylist()[0]
    assert (found["title"], found["brand"], found["categories"]) == (None, None, None)


def test_products_without_an_id_are_left_out(tmp_path: Path) -> None:
    assert read(tmp_path, {"title": "no id"}, {"asin": 5}, {"asin": "B2"})["item_id"].to_pylist() == ["B2"]
    with pytest.raises(DataError, match="no line has the field 'asin'. Check that it is the right file"):
        read(tmp_path, {"title": "no id"})


def test_python_literals_of_2014_are_read(tmp_path: Path) -> None:
    path = tmp_path / "meta.json"
    path.write_text("{'asin': 'B1', 'title': 'It\\'s'}\n", encoding="utf-8")
    assert read_products(RawFile(path), "asin")["title"].to_pylist() == ["It's"]


def test_parts_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amazon_products, "_PART_ROWS", 2)
    products = [{"asin": f"B{number}"} for number in range(5)]
    assert read(tmp_path, *products)["item_id"].to_pylist() == ["B0", "B1", "B2", "B3", "B4"]


def test_columns_without_values_are_no_features(tmp_path: Path) -> None:
    products = read(tmp_path, {"asin": "B1", "title": "Soap"}, {"asin": "B2", "price": 2})
    assert product_features(products) == (
        FeatureColumn("title", FeatureKind.TEXT),
        FeatureColumn("price", FeatureKind.NUMBER),
    )
