"""From a table to a bundle in one command, with a shop's own files."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.grocery_shop import write_shop
from recsys.runtime.hot_swap import HotSwapRecommender
from recsys.runtime.request import RecommendationRequest
from tests.scripts.running import Scripts


def test_a_shop_gets_a_bundle_of_what_is_in_stock(scripts: Scripts):
    write_shop(scripts.directory / "shop", num_customers=80, num_purchases=2_500, num_products=60)
    files = ("shop/purchases.csv", "--items", "shop/products.csv", "--yes")
    finished = scripts("quickstart", *files, "serve=false", "models=[popularity,ease]")
    assert finished.status == 0, finished.err
    assert "| timestamp | bought_at   | by its name" in finished.out
    assert "Lists keep to items that can be had, by in_stock, discontinued" in finished.out
    assert "| **ease**   |" in finished.out and "| most popular | 0." in finished.out
    assert "95 % bootstrap intervals over users" in finished.out
    last = finished.out.splitlines()[-1]
    assert last.startswith("bundle: ")
    bundle = Path(last.removeprefix("bundle: "))
    gone = {
        line.split(";")[0]
        for line in (scripts.directory / "shop" / "products.csv").read_text().splitlines()
        if line.split(";")[5:] != ["true", "false"]
    }
    history = [line.split(";")[1].strip() for line in _purchases(scripts.directory)[:3]]
    answer = HotSwapRecommender(bundle).recommend_one(RecommendationRequest(history=history, k=60))
    assert answer.personalized and len(answer.item_ids) > 40
    assert len(gone) > 1 and gone.isdisjoint(answer.item_ids)


def _purchases(directory: Path) -> list[str]:
    return (directory / "shop" / "purchases.csv").read_text().splitlines()[1:]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "interactions is required"),
        (["none.csv"], "none.csv"),
        (["a.csv"], "pass columns.user=kunde or columns.user=ware"),
        (["u.tsv"], "Set header=false and say which column is which, counted from 0, such as columns.user=0"),
        (["a.csv", "b.csv"], "One interactions is required"),
        (["a.csv", "--items"], "--items requires a value"),
    ],
    ids=["no file", "a missing file", "unclear columns", "no header", "two files", "an option without its value"],
)
def test_what_is_missing_is_told_in_one_message(scripts: Scripts, arguments: list[str], message: str):
    (scripts.directory / "a.csv").write_text("kunde,ware\n1,a\n1,b\n2,a\n", encoding="utf-8")
    (scripts.directory / "u.tsv").write_text("196\t242\t3\n186\t302\t3\n196\t302\t1\n", encoding="utf-8")
    finished = scripts("quickstart", *arguments)
    assert finished.status == 2
    assert message in finished.err and "Traceback" not in finished.err
    assert not (scripts.directory / "quickstart").exists()
