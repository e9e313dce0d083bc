"""The scripts around a Triton server, on a bundle of the board."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recsys_serving.triton.repository import served_version

from tests.export.board_bundles import board_bundle
from tests.scripts.running import Scripts


@pytest.fixture
def repository(scripts: Scripts) -> Path:
    finished = scripts("export_triton", f"bundle={board_bundle('pure_svd')}", "output=models", "version=3")
    assert finished.status == 0, finished.err
    assert finished.out.splitlines()[-2:] == ["version 3", "repository: models"]
    return scripts.directory / "models"


def test_a_repository_is_written_and_a_version_added(scripts: Scripts, repository: Path):
    added = scripts("export_triton", f"bundle={board_bundle('ease')}", "output=models", "version=4")
    assert added.status == 0, added.err
    assert served_version(repository) == 3
    again = scripts("export_triton", f"bundle={board_bundle('ease')}", "output=models", "version=4")
    assert again.status == 2 and "models has version 4 already" in again.err


def test_a_bundle_that_is_not_there_is_told(scripts: Scripts):
    finished = scripts("export_triton", "bundle=nowhere", "output=models")
    assert finished.status == 2 and "nowhere has no manifest.json" in finished.err


def test_without_a_server_it_is_said_how_to_start_one(scripts: Scripts):
    asked = scripts("query_triton", "user=1")
    assert (
        asked.status == 2 and "none was started in .triton. Start one with python scripts/triton_server.py" in asked.err
    )
    served = scripts("triton_server", "serve", "1")
    assert served.status == 2 and "A running server is required" in served.err
    status = scripts("triton_server", "status")
    assert (status.status, status.out) == (1, "No Triton server runs.\n")
    assert scripts("triton_server", "stop").out == "No Triton server runs.\n"


def test_a_table_of_what_is_in_stock_is_fed(scripts: Scripts, repository: Path):
    (scripts.directory / "stock.csv").write_text("article,in_stock,price\ni02,false,2.5\ni99,true,\n")
    feed = ("table=stock.csv", "item=article", "repository=models")
    refused = scripts("update_items", *feed)
    assert refused.status == 2 and "Items that are known are required, but i99 are not" in refused.err
    fed = scripts("update_items", *feed, "skip_unknown=true")
    assert fed.status == 0, fed.err
    assert fed.out.splitlines() == [
        "in_stock: 1 items of version 3 (1 are not there)",
        "price: 1 items of version 3",
        "repository: models",
    ]
    (change,) = (repository / "recommender" / "3" / "items").glob("*.json")
    assert json.loads(change.read_text()) == {"in_stock": {"i02": False}, "price": {"i02": 2.5}}


def test_items_of_a_server_need_one_or_its_models(scripts: Scripts):
    (scripts.directory / "stock.csv").write_text("item_id,in_stock\ni02,false\n")
    fed = scripts("update_items", "table=stock.csv")
    assert fed.status == 2 and "or name its models with repository=DIR" in fed.err


def test_what_does_not_fit_is_not_started(scripts: Scripts, repository: Path):
    config = repository / "recommend" / "config.pbtxt"
    config.write_text(config.read_text().replace("TYPE_FP32", "TYPE_FP64"))
    started = scripts("triton_server", "start", "models")
    assert started.status == 2 and "ratings must be TYPE_FP32, but it is TYPE_FP64" in started.err
    assert not (scripts.directory / ".triton").exists()


@pytest.mark.triton
def test_start_ask_exchange_stop(scripts: Scripts, repository: Path, triton_environment: Path):
    scripts("export_triton", f"bundle={board_bundle('ease')}", "output=models", "version=4")
    (scripts.directory / ".triton").mkdir()
    (scripts.directory / ".triton" / "venv").symlink_to(triton_environment)
    started = scripts("triton_server", "start", "models")
    try:
        assert started.status == 0, started.err
        assert started.out.startswith("Triton: environment\nTriton: models\nTriton answers, process ")
        assert started.out.endswith(scripts("triton_server", "status").out)
        for protocol in ("grpc", "http"):
            asked = scripts("query_triton", "history=[i02,i08]", "k=3", f"protocol={protocol}")
            assert asked.status == 0, asked.err
            assert "For a new user" in asked.out and asked.out.endswith("version 3\n")
            assert asked.out.count("Square") == 3
        white = scripts("query_triton", "history=[i02]", "filters={colours: {any_of: [white]}}", "explain=true").out
        assert "title and contributions" in white and "Square 4" not in white
        assert "Nothing is left to recommend" in scripts("query_triton", "user=u03").out
        assert "Most popular (score: interactions in board)" in scripts("query_triton", "user=nobody").out
        assert "User nobody is not in board" in scripts("query_triton", "user=nobody").out
        here = ("query_triton", "history=[i02]", "k=100", "filters={in_stock: {none_of: [false]}}")
        unknown = scripts(*here)
        assert unknown.status == 2 and "There is no column in_stock" in unknown.err
        (scripts.directory / "stock.csv").write_text("item_id,in_stock\ni04,false\ni06,true\ni99,true\n")
        fed = scripts("update_items", "table=stock.csv", "skip_unknown=true")  # of the server that runs
        assert fed.status == 0, fed.err
        assert "in_stock: 2 items of version 3 (1 are not there)" in fed.out
        shown = scripts(*here).out
        assert "Square 6" in shown and "Square 4" not in shown
        (scripts.directory / "stock.csv").write_text("item_id,in_stock\ni04,true\n")
        assert scripts("update_items", "table=stock.csv").status == 0
        assert "Square 4" in scripts(*here).out
        wrong = scripts("query_triton", "history=[i02]", "ratings=[7]")
        assert wrong.status == 2 and "Ratings of board are from 1 to 5, but 7 came" in wrong.err
        assert scripts("triton_server", "serve", "4").out == "Version 4 answers.\n"
        assert scripts("query_triton", "user=u01").out.endswith("version 4\n")
        missing = scripts("triton_server", "serve", "5")
        assert missing.status == 2 and "must have version 5 to serve it, but has 3, 4" in missing.err
    finally:
        assert scripts("triton_server", "stop").out == "Triton has stopped.\n"
