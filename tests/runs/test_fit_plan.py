from pathlib import Path

import pytest

from recsys.data.feedback_view import FeedbackView
from recsys.errors import RunError
from recsys.runs.assembly import build_model
from recsys.runs.fit_plan import FitPlan, fit_plan
from recsys.runs.run_directory import RunDirectory
from tests.models.board_data import prepared_board
from tests.runs.test_model_fitting import config
from tests.studies.comparison.made_runs import make_run

VIEW = FeedbackView.implicit(prepared_board())
#: Of 40 users with 15 likes each the last is test and the one before validation.
TRAIN, VALID, ALL = 40 * 13, 40, 40 * 15


def plan(*overrides: str) -> FitPlan:
    settings = config(*overrides)
    return fit_plan(settings, VIEW.interactions, build_model(settings.model, 1, prepared_board()))


def earlier_run(parent: Path, **manifest) -> Path:
    return make_run(parent, "mf", None, best_epoch=6, format_version=2, **manifest)


@pytest.mark.parametrize("model", ["mf", "ease"])
def test_without_a_refit_there_is_one_fit_and_it_is_measured(model):
    found = plan(f"model={model}")
    assert (found.first, len(found.last.train), found.trained_on) == (None, TRAIN, "training")
    assert found.measures_last and not found.measures_first


def test_a_refit_chooses_epochs_by_a_first_fit_and_measures_the_second():
    found = plan("model=mf", "refit=true")
    assert found.first is not None
    assert (len(found.first.train), len(found.first.valid)) == (TRAIN, VALID)
    assert (len(found.last.train), len(found.last.valid)) == (TRAIN + VALID, 0)
    assert found.split is found.last and found.measures_last and not found.measures_first
    assert (found.epochs, found.epochs_chosen) == (None, "chosen on validation, in this run")


def test_a_model_without_epochs_needs_no_first_fit():
    found = plan("model=ease", "refit=true")
    assert (found.first, len(found.last.train), found.epochs_chosen) == (None, TRAIN + VALID, "")


def test_epochs_that_are_given_are_not_chosen_again():
    found = plan("model=mf", "refit=true", "refit_epochs=3")
    assert found.first is None
    assert found.epochs is not None and found.epochs.number() == 3


def test_without_validation_a_refit_goes_by_the_trainer():
    found = plan("model=mf", "refit=true", "split.num_valid=0")
    assert (found.first, found.epochs, found.epochs_chosen) == (None, None, "given as trainer.max_epochs")


@pytest.mark.parametrize("model", ["mf", "ease"])
def test_a_refit_on_everything_measures_the_first_fit(model):
    found = plan(f"model={model}", "refit=all")
    assert found.first is found.split and len(found.first.train) == TRAIN
    assert (len(found.last.train), len(found.last.test), found.trained_on) == (ALL, 0, "all interactions")
    assert found.measures_first and not found.measures_last
    assert found.measured == "before the refit on all interactions, in this run"


def test_without_a_split_there_is_nothing_to_measure():
    found = plan("model=ease", "split=none")
    assert (found.first, len(found.last.train)) == (None, ALL)
    assert found.measured == "nothing: no interaction was held out"
    assert not found.measures_first and not found.measures_last


def test_without_a_split_epochs_must_be_known():
    with pytest.raises(RunError, match="MF is trained in epochs, and split=none leaves no validation.*refit_epochs=N"):
        plan("model=mf", "split=none")
    assert plan("model=mf", "split=none", "refit_epochs=2").epochs_chosen == "given as refit_epochs"


@pytest.mark.parametrize("asked", ["refit=all", "split=none"])
def test_another_run_may_have_chosen_the_epochs_and_measured(tmp_path, asked):
    run = earlier_run(tmp_path)
    found = plan("model=mf", asked, f"chosen_by='{run}'")
    assert (found.first, len(found.last.train)) == (None, ALL)
    assert found.epochs is not None and found.epochs.number() == 6
    assert found.carried is not None and found.carried.path == RunDirectory(run).path
    assert found.measured == f"before the refit on all interactions, by run {run}"


def test_a_refit_with_the_epochs_of_another_run_is_measured_itself(tmp_path):
    found = plan("model=mf", "refit=true", f"chosen_by='{earlier_run(tmp_path)}'")
    assert (found.first, found.carried, found.measures_last) == (None, None, True)
    assert found.epochs is not None and found.epochs.number() == 6


def test_a_run_that_chose_needs_a_refit(tmp_path):
    with pytest.raises(RunError, match="refit is false. Add refit=all"):
        plan("model=mf", f"chosen_by='{earlier_run(tmp_path)}'")
