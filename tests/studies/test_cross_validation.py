from __future__ import annotations

import json
import statistics

import numpy as np
import pytest

from recsys.errors import RunError, SplitError
from recsys.studies import cross_validation
from recsys.studies.cross_validation import VALID_RATIO, CrossValidation, Fold
from tests.studies.small_study import study_config


def config(tmp_path, *overrides):
    return study_config("cross_validate", tmp_path, "model=popularity", "folds=3", *overrides)


def test_every_fold_is_fitted_and_tested(tmp_path):
    validation = CrossValidation(config(tmp_path))
    folds = list(validation.folds(lambda _: None))
    assert [fold.number for fold in folds] == [0, 1, 2]
    assert len({fold.metrics["test/ndcg@10"] for fold in folds}) == 3
    assert all(fold.seconds > 0 for fold in folds)
    assert (validation.model_name, validation.view.kind) == ("Popularity", "implicit")


def test_only_models_with_epochs_have_validation(tmp_path):
    assert CrossValidation(config(tmp_path))._config.split.valid_ratio == 0
    trained = CrossValidation(config(tmp_path, "model=mf"))
    assert trained._config.split.valid_ratio == VALID_RATIO
    assert CrossValidation(config(tmp_path, "split.valid_ratio=0.2"))._config.split.valid_ratio == 0.2


def test_the_given_configuration_is_not_changed(tmp_path):
    given = config(tmp_path)
    CrossValidation(given)
    assert given.split.valid_ratio is None


def test_saved_numbers_have_mean_and_sample_deviation(tmp_path):
    validation = CrossValidation(config(tmp_path))
    folds = [Fold(0, {"test/ndcg@10": 0.5, "test/mrr@10": 1.0}, 0.12345), Fold(1, {"test/ndcg@10": 0.25}, 1.0)]
    validation.save(folds, tmp_path / "new" / "folds.json")
    content = json.loads((tmp_path / "new" / "folds.json").read_text(encoding="utf-8"))
    assert content["mean"] == {"test/ndcg@10": 0.375}  # a number that one fold lacks has no mean
    assert content["sd"]["test/ndcg@10"] == pytest.approx(statistics.stdev([0.5, 0.25]))
    assert content["folds"][0] == {"fold": 0, "fit_seconds": 0.123, "test/ndcg@10": 0.5, "test/mrr@10": 1.0}
    assert (content["model"], content["data"], content["view"]) == ("Popularity", "synthetic", "implicit")
    assert len(content["data_hash"]) == 64


def test_folds_are_disjoint_and_cover_everything(tmp_path, monkeypatch):
    validation = CrossValidation(config(tmp_path))
    tests = []

    build = cross_validation.build_split

    def remember(settings, interactions, **options):
        split = build(settings, interactions, **options)
        tests.append(split.test)
        return split

    monkeypatch.setattr(cross_validation, "build_split", remember)
    list(validation.folds(lambda _: None))
    assert np.sort(np.concatenate(tests)).tolist() == list(range(len(validation.view.interactions)))


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        (["split=random_ratio"], RunError, "Cross-validation needs a split with folds. Use split=k_fold"),
        (["resume=runs/x"], RunError, "A cross-validation starts anew and cannot be resumed"),
        (["folds=1"], SplitError, "num_folds must be a whole number of at least 2"),
    ],
)
def test_wrong_settings_are_refused_before_training(tmp_path, overrides, error, message):
    with pytest.raises(Exception, match=message) as caught:
        CrossValidation(config(tmp_path, *overrides))
    assert isinstance(caught.value, error) or isinstance(caught.value.__cause__, error)
