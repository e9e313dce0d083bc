"""What is told to the steps, and of them; the whole way is gone with the script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recsys.errors import RunError
from recsys.studies.quickstart.columns import ColumnChoice
from recsys.studies.quickstart.quickstart import Tables, holdout_table


def _tables(**columns: str | None) -> Tables:
    choices = [ColumnChoice(role, column, "given") for role, column in columns.items()]
    return Tables(Path("/data/my shop.csv.gz"), Path("/data/items.csv"), choices, {})


def test_events_without_ratings_may_come_again_and_times_choose_the_split():
    settings = _tables(user="who", item="a b", timestamp="at", rating=None).settings()
    assert settings[:4] == [
        "data=table",
        'data.name="my shop"',
        'data.interactions="/data/my shop.csv.gz"',
        'data.items="/data/items.csv"',
    ]
    assert {"data.columns.user=who", 'data.columns.item="a b"', "data.columns.rating=null"} <= set(settings)
    assert {"preparation.repeats=keep", "split=leave_last_out"} <= set(settings)


@pytest.mark.parametrize(
    ("header", "told"),
    [(False, "data.header={interactions: false}"), (["a b", "c"], 'data.header={interactions: ["a b",c]}')],
)
def test_a_table_without_a_header_is_told_to_the_training(header: bool | list[str], told: str):
    tables = Tables(Path("a.csv"), None, [ColumnChoice("user", "0", "given")], {}, header)
    assert told in tables.settings()


def test_a_second_rating_replaces_the_first():
    settings = _tables(user="who", item="what", timestamp=None, rating="stars").settings()
    assert not any(one.startswith(("preparation.repeats", "split=")) for one in settings)


def test_the_test_is_told_with_intervals_beside_the_most_popular(tmp_path: Path):
    numbers = {"ndcg@10": 0.2, "ndcg@10_low": 0.1, "ndcg@10_high": 0.3}
    metrics = {f"before_refit/test/{name}": value for name, value in numbers.items()}
    metrics |= {f"before_refit/baseline/test/{name}": value / 2 for name, value in numbers.items()}
    (tmp_path / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    rows = [[cell.text for cell in row] for row in holdout_table(tmp_path, "ease").rows]
    assert rows == [["most popular", "0.1000 [0.0500, 0.1500]"], ["ease", "0.2000 [0.1000, 0.3000]"]]


def test_a_run_without_a_test_is_refused(tmp_path: Path):
    (tmp_path / "metrics.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RunError, match="numbers of the test part"):
        holdout_table(tmp_path, "ease")
