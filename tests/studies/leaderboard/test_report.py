from __future__ import annotations

import numpy as np
import pytest

from recsys.studies.comparison.compared_runs import open_runs
from recsys.studies.comparison.comparing import Settings, compare
from recsys.studies.leaderboard.entrant import Standing
from recsys.studies.leaderboard.final_runs import best_of_models
from recsys.studies.leaderboard.jobs import DataFacts
from recsys.studies.leaderboard.report import (
    Leaderboard,
    cost_table,
    going_on,
    ranking_table,
    tune_command,
    write_report,
)
from recsys.studies.leaderboard.result_directory import FinalRun, ResultDirectory
from recsys.studies.tuning.finished_trial import FinishedTrial
from recsys.studies.tuning.objective import TrialResult
from tests.studies.comparison.made_runs import make_run, table

NOISE = np.random.default_rng(0).random(60)


class Named:
    searchable = True

    def __init__(self, name):
        self.name = name


def done(seconds, result, overrides=None):
    return FinishedTrial(1, overrides or {}, result, wall_seconds=seconds)


@pytest.fixture
def board(tmp_path):
    """ease is best and was cut short; one of the two trials of popularity failed."""
    paths = {name: make_run(tmp_path, name, table(NOISE + level)) for name, level in (("popularity", 0), ("ease", 0.4))}
    trials = {
        "popularity": [done(1.0, TrialResult(0.1, 0, 1.0)), FinishedTrial(2, {}, None, "no")],
        "ease": [done(2.5, TrialResult(0.3, 0, 2.0, cut_short=True), {"model.l2": "5.0"})],
    }
    shared = ("data=toy", "data.name=a b")
    standings = [Standing(Named(name), done) for name, done in trials.items()]
    return Leaderboard(
        data=DataFacts("toy", 60, 40, 100, 20, shared, ()),
        command="python scripts/benchmark_models.py data=toy",
        directory=ResultDirectory.create(tmp_path / "results", "toy", [], 3.0),
        comparison=compare(open_runs(list(paths.values())), Settings(baseline="popularity")),
        best=best_of_models(standings, "valid/ndcg@10", shared),
        tested={name: FinalRun(str(path), 0.51) for name, path in paths.items()},
        left_out={},
        metric="valid/ndcg@10",
        search_seconds=3.5,
        elapsed_seconds=170.0,
    )


def test_the_ranking_has_places_intervals_and_costs(board):
    found = ranking_table(board)
    rows = [[cell.text for cell in row] for row in found.rows]
    assert [row[:2] for row in rows] == [["ease", "1"], ["popularity", "2"]]
    assert rows[0][3:] == ["0.25", "0.5", "1"]
    assert found.rows[0][2].detail.startswith("[")
    assert "corrected for 1)" in found.note


def test_costs_say_what_failed_and_what_was_cut_short(board):
    rows = {row[0].text: [cell.text for cell in row[1:4]] for row in cost_table(board).rows}
    assert rows == {"ease": ["1 (cut short)", "2.50", ".3000"], "popularity": ["2 (1 failed)", "1.00", ".1000"]}


def test_the_commands_go_on_with_the_winner(board):
    commands = dict(going_on(board))
    assert commands["recommend with the winner"].endswith(f"run={board.tested['ease'].run} k=10")
    assert commands["serve the winner"].endswith("output=bundles/ease_toy")
    assert commands["train the winner again"] == (
        "python scripts/train.py data=toy 'data.name=a b' model=ease model.l2=5.0 refit=true"
    )
    assert commands["tune ease longer"] == tune_command(board, board.best[0])
    assert commands["tune ease longer"].endswith(f"output={board.directory.path}/tuning/ease trials=31")


def test_the_page_says_what_was_spent_of_the_budget(board):
    text = write_report(board).read_text(encoding="utf-8")
    assert "A budget of 3 minutes of wall time" in text and "170 s were spent, 4 s of them on trials" in text


def test_what_was_known_before_is_said(board):
    assert "known before" not in write_report(board).read_text(encoding="utf-8")
    board.comparison.runs[0].metrics["test/known_share"] = 0.25
    assert "25.0% of the test pairs of a user and an item were known" in write_report(board).read_text(encoding="utf-8")
