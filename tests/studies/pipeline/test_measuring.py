from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from recsys.data.feedback_view import FeedbackView
from recsys.errors import RetrievalError, RunError
from recsys.evaluation.ranking import RankingEvaluator
from recsys.studies.pipeline import measuring
from recsys.studies.pipeline.measuring import RETRIEVERS, measure_pipeline
from recsys.studies.pipeline.report import write_report
from tests.models.board_data import NUM_ITEMS, board_split, prepared_board
from tests.studies.comparison.made_runs import MANIFEST

MAKE = partial(RankingEvaluator, bootstrap_samples=0)


class ByIndex(nn.Module):
    """Ranks items by their index for everyone."""

    def score(self, query):
        return torch.arange(NUM_ITEMS, 0, -1).float().expand(len(query), -1)


class ByColour(nn.Module):
    """Knows the board: a user likes the items of their parity."""

    def score(self, query):
        return ((query.users[:, None] + torch.arange(NUM_ITEMS)) % 2 == 0).float()


class Rates(ByColour):
    def predict_ratings(self, query, rows, items):
        raise NotImplementedError


def run_of(model, **manifest):
    return SimpleNamespace(model=model, prepared=prepared_board(), config=None, manifest=replace(MANIFEST, **manifest))


@pytest.fixture(autouse=True)
def board(monkeypatch):
    """Every run has the implicit view and the split of the board."""
    view = FeedbackView.implicit(prepared_board())
    monkeypatch.setattr(measuring, "split_of_run", lambda run: (view, board_split(view.interactions)))
    monkeypatch.setattr(measuring, "training_device", lambda config: torch.device("cpu"))


def measured(run, ranking_run=None, **settings):
    given = {
        "retrieval": "scores",
        "stage": "test",
        "k": 3,
        "num_candidates": NUM_ITEMS,
        "diversity": None,
        "diversity_weight": 0.5,
        "diversity_weights": [0.0],
        "content": None,
        "explain": False,
        "make_evaluator": MAKE,
    }
    return measure_pipeline(run, ranking_run, **(given | settings))


def test_a_ranker_orders_the_candidates_of_the_retriever():
    alone, ranked = measured(run_of(ByIndex())), measured(run_of(ByIndex()), run_of(ByColour()))
    assert alone.ranked is None
    assert ranked.ranked is not None
    name = "recall@3"
    assert ranked.retrieved.result.means()[name] == alone.retrieved.result.means()[name]
    assert ranked.ranked.result.means()[name] > alone.retrieved.result.means()[name]


def test_all_re_rankers_are_compared_unless_one_is_chosen():
    names = {name for name, _ in measured(run_of(ByIndex()), diversity_weights=[0.0, 0.3]).diversified}
    assert {"mmr", "calibrated"} <= names
    chosen = measured(run_of(ByIndex()), diversity="mmr", diversity_weight=0.7, diversity_weights=[0.0, 0.3])
    assert set(chosen.diversified) == {("mmr", 0.0), ("mmr", 0.3), ("mmr", 0.7)}
    assert "diversify" in chosen.batch_milliseconds


def test_without_weight_the_lists_are_those_of_the_ranker():
    report = measured(run_of(ByIndex()), diversity="mmr", diversity_weight=0.0)
    plain, diversified = report.plain.result.means(), report.diversified["mmr", 0.0].result.means()
    assert diversified == {name: plain[name] for name in diversified}
    assert "ndcg@3" in diversified


def test_items_without_values_leave_diversity_out(tmp_path):
    run = run_of(ByIndex())
    run.prepared = replace(run.prepared, schema=replace(run.prepared.schema, item_features=()))
    report = measured(run)
    assert report.diversified == {} and report.plain.divergence is None
    page = write_report(report, None, "toy", tmp_path / "out")
    assert "png" not in page.read_text(encoding="utf-8")
    assert sorted(path.name for path in page.parent.iterdir()) == ["pipeline.json", page.name]
    with pytest.raises(RetrievalError, match="Diversity needs items with several values"):
        measured(run, diversity="mmr")


def test_retrievers_have_their_names():
    assert set(RETRIEVERS) == {"scores", "vectors"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"retrieval": "magic"}, "retrieval must be scores or vectors, but it is magic"),
        ({"k": 0}, "k must be from 1 to num_candidates=30, but it is 0"),
        ({"k": 4, "num_candidates": 3}, "k must be from 1 to num_candidates=3, but it is 4"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(RetrievalError, match=message):
        measured(run_of(ByIndex()), **settings)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (run_of(ByColour(), data_hash="c" * 64), "Runs of the same data and split are required, but their data_hash"),
        (run_of(ByColour(), split_hash="c" * 64), "but their split_hash are bbbbbbbbbbbb and cccccccccccc"),
        (run_of(Rates()), "both read the same histories, but got ByIndex and Rates. Choose another ranker"),
    ],
)
def test_runs_that_do_not_fit_together_are_refused(other, message):
    with pytest.raises(RunError, match=message):
        measured(run_of(ByIndex()), other)
