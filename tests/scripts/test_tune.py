from __future__ import annotations

import re
import shlex
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from omegaconf import OmegaConf

from recsys.cli.commands import as_typed
from recsys.evaluation.model_report import evaluate_model
from tests.scripts.test_train import SMALL

#: Less than is searched for matrix factorisation otherwise.
SEARCH = "~search.model"


def test_prints_each_trial_and_a_command_that_trains_with_the_best(scripts, board):
    finished = scripts("tune", *board, *SMALL, SEARCH, "trials=3", "show_users=0")
    assert finished.status == 0, finished.err
    lines = finished.out.strip().splitlines()
    trials = [line for line in lines if line.startswith("trial ")]
    assert len(trials) == 3
    assert (
        "epoch " in trials[0] and "training.optimizer.lr=0.02" in trials[0]
    )  # the first has the settings that are there
    directory = scripts.directory / lines[-1].removeprefix("tuned: ")
    table = pd.read_csv(directory / "trials.csv")
    best = OmegaConf.load(directory / "best.yaml")
    assert best.value == table["value"].max()
    assert as_typed(best.command) == lines[-2]
    assert {path.name for path in directory.iterdir()} == {"study.db", "trials.csv", "best.yaml"}
    _, script, *arguments = shlex.split(lines[-2])
    assert Path(script).name == "train.py"
    assert scripts("train", *arguments).status == 0


def test_the_value_is_what_training_finds_on_validation(scripts, board):
    finished = scripts("tune", *board, *SMALL, SEARCH, "trials=1")
    value = float(re.search(r"valid/ndcg@10 ([\d.]+)", finished.out)[1])
    trained = scripts("train", *board, *SMALL)
    assert f"valid/ndcg@10 {value:.4f} (best" in trained.out or f"(best {value:.4f} in" in trained.out


def test_goes_on_where_it_was_left(scripts, board):
    first = scripts("tune", *board, "model=ease", "tracking=none", "trials=2")
    again = scripts("tune", *board, "model=ease", "tracking=none", "trials=3")
    assert again.status == 0, again.err
    assert "2 of 3 trials were there already" in again.out
    assert first.out.count("trial ") + again.out.count("\ntrial ") >= 3
    assert len(pd.read_csv(scripts.directory / "tuning/ease_table/trials.csv")) == 3


def test_never_reads_the_test(scripts, board, monkeypatch):
    seen = []

    def spy(evaluator, baseline, prepared, view, split, model, device, stage="test", *options):
        seen.append((stage, len(split.test), len(view.interactions)))
        return evaluate_model(evaluator, baseline, prepared, view, split, model, device, stage, *options)

    monkeypatch.setattr("recsys.studies.tuning.objective.evaluate_model", spy)
    assert scripts("tune", *board, "model=ease", "tracking=none", "trials=2").status == 0
    out = scripts("train", *board, "model=ease", "tracking=none").out
    train, valid, test = (int(n) for n in re.findall(r"(\d+) (?:training|validation|test)", out))
    assert test > 0
    assert seen == [("valid", 0, train + valid)] * 2


def test_validation_among_sampled_negatives(scripts, board):
    finished = scripts(
        "tune", *board, *SMALL, SEARCH, "trials=1", "validation=sampled_negatives", "metric=sampled-99/hit_rate@10"
    )
    assert finished.status == 0, finished.err
    assert "sampled-99/hit_rate@10" in finished.out
    assert "refit" not in finished.out.strip().splitlines()[-2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["metric=valid/ndgc@10"], "metric must be one that is measured on validation"),
        (["direction=up"], "direction must be maximize, minimize or null"),
        (["validation=none"], "validation must be split or sampled_negatives"),
        (["refit=true"], "Settings are chosen on validation, but the split has none"),
        (["~search"], "there are none for ease"),
        (["+search.split.seed.choices=[1,2]"], "but split.seed is searched"),
    ],
)
def test_a_users_error_is_one_message(scripts, board, arguments, message):
    finished = scripts("tune", *board, "model=ease", "tracking=none", "trials=1", *arguments)
    assert finished.status == 2, finished.out + finished.err
    assert message in finished.err
    assert "Traceback" not in finished.err


def test_errors_of_ratings_are_minimised(scripts):
    synthetic = ["data=synthetic", "data.num_users=100", "data.num_items=150", "data.num_interactions=1500"]
    finished = scripts("tune", *synthetic, "model=bias", "tracking=none", "trials=3", "output=out")
    assert finished.status == 0, finished.err
    assert "trial 1/3  valid/rmse " in finished.out
    values = pd.read_csv(scripts.directory / "out" / "trials.csv")["value"]
    assert OmegaConf.load(scripts.directory / "out" / "best.yaml").value == values.min() < values.max()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_trials_are_tracked_below_their_search(scripts, board):
    asked = ["model=ease", "tracking=mlflow", "tracking.uri=sqlite:///mlflow.db", "trials=2", "output=out"]
    assert scripts("tune", *board, *asked).status == 0
    assert scripts("tune", *board, *asked[:-2], "trials=3", "output=out").status == 0
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{scripts.directory}/mlflow.db")
    (experiment,) = [found for found in client.search_experiments() if found.name == "recsys"]
    found = client.search_runs([experiment.experiment_id])
    (study,) = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
    trials = [run for run in found if run.data.tags.get("mlflow.parentRunId") == study.info.run_id]
    assert sorted(run.info.run_name for run in trials) == ["trial 1", "trial 2", "trial 3"]
    assert study.data.tags["model"] == "ease"
    best = max(run.data.metrics["valid/ndcg_at_10"] for run in trials)
    assert study.data.metrics["valid/ndcg_at_10"] == best


def test_workers_of_one_machine_share_the_trials(scripts, board):
    finished = scripts("tune", *board, "model=ease", "tracking=none", "trials=4", "workers=2", "output=out")
    assert finished.status == 0, finished.err
    lines = finished.out.strip().splitlines()
    told = sorted(int(line.split()[1].partition("/")[0]) for line in lines if line.startswith("trial "))
    assert told == [1, 2, 3, 4]
    assert lines[-1] == "tuned: out" and "train.py" in lines[-2]
    assert list(pd.read_csv(scripts.directory / "out" / "trials.csv")["trial"]) == [1, 2, 3, 4]
    assert OmegaConf.load(scripts.directory / "out" / "best.yaml").num_trials == 4
    assert scripts("tune", *board, "model=ease", "tracking=none", "trials=4", "output=out", "seed=1").status == 2


def test_a_study_in_a_file_elsewhere_is_joined_from_another_directory(scripts, board):
    asked = [*board, "model=ease", "tracking=none", "storage=shared/study.journal"]
    assert scripts("tune", *asked, "trials=2", "output=first").status == 0
    second = scripts("tune", *asked, "trials=3", "output=second", "study_name=ease_table")
    assert "2 of 3 trials were there already" in second.out, second.err
    assert len(pd.read_csv(scripts.directory / "second" / "trials.csv")) == 3
    refused = scripts("tune", *asked, "trials=3", "output=third", "seed=1")
    assert refused.status == 2
    assert "differs in settings (seed, split), split, so its trials" in refused.err, refused.err


def test_epochs_that_are_worse_than_those_of_other_trials_end_a_trial(scripts, board):
    pruner = ["pruner=median", "pruner.n_startup_trials=1", "pruner.n_warmup_steps=0"]
    learn = ["~search.model", "+search.training.optimizer.lr={low: 1e-6, high: 1.0, log: true}"]
    finished = scripts("tune", *board, *SMALL, *learn, *pruner, "trials=6", "output=out")
    assert finished.status == 0, finished.err
    assert ", pruned  " in finished.out
    table = pd.read_csv(scripts.directory / "out" / "trials.csv")
    assert table["pruned"].any() and not table["pruned"].all()
