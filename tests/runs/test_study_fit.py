from __future__ import annotations

import numpy as np
import pytest

from recsys.data.split import Split
from recsys.errors import RunError
from recsys.runs.assembly import build_data, build_model, build_split, build_view
from recsys.runs.study_fit import check_study_refit, fit_in_study, measured_split
from tests.studies.small_study import study_config


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("study_fit")


def fitted(directory, *overrides, valid=True):
    """The report of a study's last fit, the lines of all, and what was fitted."""
    config = study_config("train", directory, "trainer.max_epochs=4", "split=random_ratio", *overrides)
    prepared, lines, built = build_data(config), [], []

    def build():
        built.append(build_model(config.model, config.seed, prepared))
        return built[-1]

    view = build_view(config, prepared, build())
    apart = build_split(config, view.interactions, refit=False)
    if not valid:
        apart = Split(apart.train, apart.valid[:0], apart.test)
    built.clear()
    model, report = fit_in_study(config, view, apart, build, lines.append)
    return report, lines, model is built[-1], len(built)


def test_the_epochs_of_the_last_fit_are_those_that_were_best_on_validation(directory):
    first, _, _, _ = fitted(directory, "model=mf")
    report, lines, is_last, count = fitted(directory, "model=mf", "refit=true")
    epochs = "1 epoch" if first.best_epoch == 1 else f"{first.best_epoch} epochs"
    assert f"now on training and validation, for {epochs}" in lines
    assert (report.best_epoch, is_last, count) == (first.best_epoch, True, 2)


def test_given_epochs_need_no_first_fit(directory):
    report, lines, _, count = fitted(directory, "model=mf", "refit=true", "refit_epochs=2", valid=False)
    assert (report.best_epoch, count) == (2, 1)
    assert not any("now on" in line for line in lines)


def test_a_model_without_epochs_is_fitted_once(directory):
    report, lines, _, count = fitted(directory, "model=ease", "refit=true", valid=False)
    assert (report.best_epoch, lines, count) == (0, [], 1)


def test_without_validation_nothing_can_choose_the_epochs(directory):
    with pytest.raises(RunError, match="as many epochs as are best on validation, but the split has no validation"):
        fitted(directory, "model=mf", "refit=true", valid=False)


def test_validation_is_measured_with_as_a_part_of_training():
    apart = Split(np.array([0, 1]), np.array([2]), np.array([3]))
    config = study_config("train", ".", "refit=true")
    assert sorted(measured_split(config, apart).train.tolist()) == [0, 1, 2]
    config.refit = False
    assert measured_split(config, apart) is apart


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("refit=all", "A study measures on rows that it does not train on, but refit=all"),
        ("chosen_by=runs/a", "chosen_by names the run that chose the epochs of one training"),
    ],
)
@pytest.mark.parametrize("command", ["cross_validate", "cold_start", "simulate_elicitation"])
def test_what_has_no_meaning_for_several_fits_is_refused(directory, command, override, message):
    with pytest.raises(RunError, match=message):
        check_study_refit(study_config(command, directory, override))
