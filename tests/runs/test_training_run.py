import json

import pandas as pd
import pytest
import torch

from recsys.data.feedback_view import FeedbackView
from recsys.runs.assembly import build_model
from recsys.runs.fit_plan import fit_plan
from recsys.runs.run_directory import RunDirectory
from recsys.runs.training_run import Outcome, TrainingRun
from tests.models.board_data import prepared_board
from tests.runs.test_model_fitting import config

QUICK = ["evaluation.bootstrap_samples=10", "evaluation.progress=false", "evaluation.ks=[5]", "model.embedding_dim=4"]


def training_of(directory, *overrides: str, lines: list[str] | None = None) -> tuple[TrainingRun, torch.nn.Module]:
    """A training on the board in a new directory, and its fresh model."""
    settings = config("model=mf", *QUICK, *overrides)
    board = prepared_board()
    view = FeedbackView.implicit(board)
    model = build_model(settings.model, 1, board)
    plan = fit_plan(settings, view.interactions, model)
    directory.mkdir(exist_ok=True)
    (directory / "config.yaml").touch()
    printed = [] if lines is None else lines
    return TrainingRun(settings, board, view, plan, RunDirectory(directory), printed.append), model


def trained(directory, *overrides: str, lines: list[str] | None = None, told: list[int] | None = None) -> Outcome:
    run, model = training_of(directory, *overrides, lines=lines)
    return run.train(model, lambda epoch, _: None if told is None else told.append(epoch))


def content(directory, name):
    return json.loads((directory / name).read_text())


def test_a_refit_trains_for_as_many_epochs_as_were_best_on_validation(tmp_path):
    lines, told = [], []
    settings = ["trainer.max_epochs=12", "training.optimizer.lr=0.5", "fitting.patience=3"]
    apart = trained(tmp_path / "apart", *settings)
    best = content(tmp_path / "apart", "run.json")["best_epoch"]
    outcome = trained(tmp_path / "whole", *settings, "refit=true", lines=lines, told=told)
    run = content(tmp_path / "whole", "run.json")
    stopped = len(pd.read_csv(tmp_path / "apart" / "history.csv"))
    assert best < stopped
    assert (run["best_epoch"], run["trained_on"]) == (best, "training and validation")
    assert (run["epochs_chosen"], run["measured"]) == ("chosen on validation, in this run", "this model")
    assert f"now on training and validation (560), for {best} epochs" in lines
    assert told == list(range(1, stopped + 1))  # of the first fit
    assert outcome.monitored == apart.monitored
    assert len(pd.read_csv(tmp_path / "whole" / "history.csv")) == best
    assert len(pd.read_csv(tmp_path / "whole" / "selection" / "history.csv")) == stopped


def test_a_refit_on_everything_carries_the_metrics_of_the_fit_before_it(tmp_path):
    plain, outcome = trained(tmp_path / "plain"), trained(tmp_path / "all", "refit=all")
    assert outcome.metrics == {f"before_refit/{name}": value for name, value in plain.metrics.items()}
    assert content(tmp_path / "all", "run.json")["trained_on"] == "all interactions"
    weights = [one.model.state_dict() for one in (plain, outcome)]
    assert any(not torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_what_another_run_measured_is_carried_over(tmp_path):
    plain = trained(tmp_path / "plain")
    outcome = trained(tmp_path / "all", "refit=all", f"chosen_by='{tmp_path / 'plain'}'")
    assert outcome.evaluation is None
    assert outcome.metrics == {f"before_refit/{name}": value for name, value in plain.metrics.items()}
    in_one = trained(tmp_path / "one", "refit=all")
    for name, weights in in_one.model.state_dict().items():
        assert torch.equal(weights, outcome.model.state_dict()[name])
    again = trained(tmp_path / "again", "refit=all", f"chosen_by='{tmp_path / 'all'}'")
    assert again.metrics == outcome.metrics


def test_without_a_split_there_are_no_metrics(tmp_path):
    outcome = trained(tmp_path / "none", "split=none", "refit_epochs=1")
    assert (outcome.evaluation, outcome.metrics, outcome.monitored) == (None, {}, None)
    assert content(tmp_path / "none", "metrics.json") == {}


@pytest.mark.parametrize("asked", ["refit=true", "refit=all"])
def test_the_first_fit_is_not_made_again_when_a_run_goes_on(tmp_path, asked):
    whole = trained(tmp_path / "whole", asked)
    trained(tmp_path / "cut", asked)
    for name in ("run.json", "model.safetensors", "checkpoints/fit.json", "checkpoints/last.ckpt"):
        (tmp_path / "cut" / name).unlink()
    lines: list[str] = []
    again = trained(tmp_path / "cut", asked, lines=lines)
    assert "the first fit was made before the interruption" in lines
    assert (again.metrics, again.monitored) == (whole.metrics, whole.monitored)
    for name, weights in whole.model.state_dict().items():
        assert torch.equal(weights, again.model.state_dict()[name])


def test_the_towers_of_a_network_are_trained_for_their_own_epochs_again(tmp_path):
    settings = ["model=neumf", "model.mlp_embedding_dim=4", "model.hidden_dims=[4]", "training.optimizer.lr=0.5"]
    trained(
        *(tmp_path / "run", *settings, "refit=true", "trainer.max_epochs=1"),
        "pretraining={gmf: {trainer: {max_epochs: 4}}, mlp: {}}",
    )
    first, last = (content(tmp_path / "run", f"{place}checkpoints/gmf/fit.json") for place in ("selection/", ""))
    assert len(first["epochs"]) == 4
    assert len(last["epochs"]) == last["best_epoch"] == first["best_epoch"]
