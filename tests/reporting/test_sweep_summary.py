from __future__ import annotations

import csv
import io
import json
import math

import pytest
from omegaconf import OmegaConf
from rich.console import Console

from recsys.reporting.sweep_summary import best_of, read_combinations, summary_table, write_summary
from recsys.runs.run_directory import RunDirectory
from tests.studies.comparison.made_runs import make_run

MONITOR = {"fitting": {"monitor": "valid/ndcg@10"}}


def job(sweep, number, overrides, test, valid=None, finished=True):
    """A combination whose run has these numbers."""
    parent = sweep / "runs" / str(number)
    metrics = {"test/ndcg@10": test, "test/recall@10": test / 2}
    if finished:
        path = make_run(parent, f"run{number}", None, config=MONITOR, metrics=metrics)
    else:
        path = RunDirectory.create(parent, f"run{number}").path
        OmegaConf.save(OmegaConf.create(MONITOR), path / "config.yaml")
    if valid is not None:
        rows = ["epoch,valid/ndcg@10", *(f"{epoch},{value}" for epoch, value in enumerate(valid, start=1))]
        (path / "history.csv").write_text("\n".join(rows), encoding="utf-8")
    (sweep / "jobs").mkdir(exist_ok=True)
    content = {"overrides": overrides, "run": str(path)}
    (sweep / "jobs" / f"{9 - number}.json").write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def sweep(tmp_path):
    """Best on validation is the second, in its second epoch; best on the test is the first."""
    job(tmp_path, 0, ["data=toy", "model=mf", "seed=1"], 0.5, [0.2, 0.25])
    job(tmp_path, 1, ["data=toy", "model=mf", "seed=2"], 0.4, [0.1, 0.3, 0.2])
    return tmp_path


def test_combinations_come_in_their_order_with_what_differs(sweep):
    found = read_combinations(sweep)
    assert [combination.overrides for combination in found] == [("seed=1",), ("seed=2",)]
    assert [combination.monitored for combination in found] == [0.25, 0.3]


def test_the_best_is_that_of_validation_and_is_marked(sweep):
    found = read_combinations(sweep)
    assert best_of(found) == (found[1], "valid/ndcg@10")
    table = summary_table(found)
    assert table.columns == ["combination, run", "valid/\nndcg@10", "test/\nndcg@10", "test/\nrecall@10"]
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["seed=1", "0.2500", "0.5000", "0.2500"],
        ["* seed=2", "0.3000", "0.4000", "0.2000"],
    ]
    assert table.note == "* best by valid/ndcg@10."


def test_without_validation_for_all_the_test_decides_and_it_is_said(sweep):
    job(sweep, 2, ["data=toy", "model=ease"], 0.6)
    found = read_combinations(sweep)
    assert math.isnan(found[2].monitored)
    assert best_of(found) == (found[2], "test/ndcg@10")
    assert "looks better than it is" in summary_table(found).note


def test_one_that_was_not_finished_is_told(sweep):
    job(sweep, 2, ["data=toy", "model=mf", "seed=3"], 0.6, [0.9], finished=False)
    found = read_combinations(sweep)
    assert best_of(found)[0] is found[1]
    assert summary_table(found).rows[2][0].detail == "not finished"


def test_it_fits_eighty_columns(sweep):
    console = Console(file=io.StringIO(), width=80)
    console.print(summary_table(read_combinations(sweep)).for_terminal())
    assert all(len(line) <= 80 for line in console.file.getvalue().splitlines())
    assert "0.2500" in console.file.getvalue()


def test_all_numbers_are_written_for_programs(sweep):
    found = read_combinations(sweep)
    write_summary(found, sweep / "summary.csv")
    with (sweep / "summary.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[1]["seed"] == "2" and float(rows[1]["test/recall@10"]) == 0.2
    assert rows[1]["run"] == str(found[1].run)


def test_no_sweep_has_no_table(tmp_path):
    assert read_combinations(tmp_path) == []
    assert best_of([]) == (None, "")
