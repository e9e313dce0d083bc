"""The programs in ``examples`` run on tables of one's own."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.api import board

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs an example with tables of a board, in a directory of its own; returns what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    board.interactions().to_csv("interactions.csv", index=False)
    board.items().to_csv("items.csv", index=False)

    def run(name: str, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", [name, *arguments, "interactions.csv", "items.csv"])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_five_lines(run):
    printed = run("five_lines.py")
    assert printed.split("\n")[0].split() == ["user_id", "item_id", "score", "rank", "title"]
    assert printed.count("Square") == 30 and "| EASE " in printed


def test_a_bundle_in_ten_lines(run, tmp_path):
    printed = run("bundle_in_ten_lines.py", "shop")
    assert printed.count("because_item_id") == 1 and "similar_item_id" in printed
    lists = pd.read_parquet(tmp_path / "shop" / "lists.parquet")
    assert lists["user_id"].nunique() == 30 and (tmp_path / "shop" / "run" / "run.json").is_file()
