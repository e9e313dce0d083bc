from __future__ import annotations

from omegaconf import OmegaConf

from recsys.studies.tuning.best_settings import BestSettings
from recsys.studies.tuning.finished_trial import FinishedTrial
from recsys.studies.tuning.objective import TrialResult


def best_of(best_epoch, refit=True, fixed=("model=toy", "trainer.max_epochs=30")):
    trial = FinishedTrial(4, {"model.l2": "5.0", "model.hidden": "[64,32]"}, TrialResult(0.3, best_epoch, 1.0))
    return BestSettings.of(trial, "valid/ndcg@10", fixed, refit, num_trials=9)


def test_a_model_without_epochs_is_fitted_to_validation_too():
    assert best_of(0).command == (
        "python scripts/train.py model=toy trainer.max_epochs=30 model.l2=5.0 'model.hidden=[64,32]' refit=true"
    )


def test_a_model_with_epochs_is_trained_for_as_many_as_were_best():
    best = best_of(7)
    assert best.overrides == ["model.l2=5.0", "model.hidden=[64,32]", "refit_epochs=7"]
    assert best.command.endswith(" refit_epochs=7 refit=true")
    assert "trainer.max_epochs=30" in best.command  # which schedules of the learning rate go by


def test_where_nothing_was_held_out_by_the_split_nothing_is_taken_back():
    assert "refit" not in best_of(7, refit=False).command


def test_they_can_be_read_back(tmp_path):
    best_of(7).save(tmp_path)
    read = OmegaConf.load(tmp_path / "best.yaml")
    assert (read.metric, read.value, read.trial, read.num_trials) == ("valid/ndcg@10", 0.3, 4, 9)
    assert list(read.overrides) == ["model.l2=5.0", "model.hidden=[64,32]", "refit_epochs=7"]


def test_a_setting_of_the_search_replaces_that_of_the_command() -> None:
    best = best_of(0, fixed=("model=toy", "model.l2=1.0"))
    assert best.command.count("model.l2=") == 1
    assert "model.l2=5.0" in best.command
