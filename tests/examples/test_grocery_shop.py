"""The shop's files, and the way of the page docs/your_data.md with a small one."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections import Counter
from pathlib import Path

import pytest

from examples.grocery_shop import write_shop
from tests.scripts.running import Scripts

PAGE = Path(__file__).parents[2] / "docs" / "your_data.md"
SMALL = {"num_customers": 60, "num_purchases": 1500, "num_products": 80}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("grocery") / "shop"
    write_shop(path, **SMALL)
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def settings_of_the_page() -> list[str]:
    found = re.search(r'^SHOP="(.*?)"$', PAGE.read_text(encoding="utf-8"), re.S | re.M)
    assert found is not None
    return shlex.split(found[1])


def test_the_same_seed_gives_the_same_files(shop: Path, tmp_path: Path):
    write_shop(tmp_path / "again", **SMALL)
    write_shop(tmp_path / "other", **SMALL, seed=2)
    for path in shop.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
        assert path.read_bytes() != (tmp_path / "other" / path.name).read_bytes()


def test_purchases_are_as_tills_write_them(shop: Path):
    rows = rows_of(shop / "purchases.csv")
    assert len(rows) >= 1500
    customers = [row["customer_no"] for row in rows]
    assert "" in customers and any(own != own.strip() for own in customers)
    assert all(re.fullmatch(r" ?0\d{5}", own) for own in customers if own)
    quantities = [row["quantity"] for row in rows]
    assert any(quantity.startswith("-") for quantity in quantities) and any("," in quantity for quantity in quantities)
    pairs = Counter((row["customer_no"].strip(), row["article_no"].strip()) for row in rows)
    assert sum(pairs.values()) > 1.5 * len(pairs)  # what is bought is bought again
    assert [row["bought_at"] for row in rows] == sorted(row["bought_at"] for row in rows)


def test_products_come_and_go(shop: Path):
    products = rows_of(shop / "products.csv")
    assert len(products) == 80
    assert {row["in_stock"] for row in products} == {row["discontinued"] for row in products} == {"true", "false"}
    assert all(row["in_stock"] == "false" for row in products if row["discontinued"] == "true")
    since = {row["article_no"]: row["on_sale_since"] for row in products}
    for row in rows_of(shop / "purchases.csv"):
        assert row["bought_at"] >= since[row["article_no"].strip()]


def test_from_its_files_to_an_answer(shop: Path, scripts: Scripts):
    (scripts.directory / "shop").symlink_to(shop)
    settings = settings_of_the_page()
    prepared = scripts("prepare", *settings)
    assert prepared.status == 0, prepared.err
    assert "decimal commas" in prepared.out and "repeat an earlier one and are kept" in prepared.out
    trained = scripts("train", *settings, "split=temporal", "model=ease", "refit=all", "tracking=none")
    assert trained.status == 0, trained.err
    known = json.loads((scripts.directory / trained.run / "metrics.json").read_text())["before_refit/test/known_share"]
    assert 0.2 < known < 0.8 and f"{known:.1%} of the test pairs" in " ".join(trained.out.split())
    exported = scripts("export", f"run={trained.run}", "output=bundles/shop", f"filters={FILTERS}")
    assert exported.status == 0, exported.err
    written = scripts("recommend_all", "bundle=bundles/shop", "output=lists.csv", "k=5")
    assert written.status == 0, written.err
    with (scripts.directory / "lists.csv").open(encoding="utf-8", newline="") as file:
        lists = list(csv.DictReader(file))
    absent = {row["article_no"] for row in rows_of(shop / "products.csv") if row["in_stock"] == "false"}
    assert len(absent) > 3 and lists and absent.isdisjoint(row["item_id"] for row in lists)


FILTERS = "{discontinued: {none_of: [true]}, in_stock: {any_of: [true]}}"
