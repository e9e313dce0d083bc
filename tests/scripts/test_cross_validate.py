import json
import statistics

import pytest

from tests.scripts.test_ratings import PLAIN, SMALL_MF, rated

__all__ = ["rated"]


def test_each_fold_is_fitted_and_tested_and_the_file_has_all_numbers(scripts, rated):
    finished = scripts("cross_validate", *rated, *PLAIN, "model=biased_mf", "folds=3", "output=out/three.json")
    assert finished.status == 0, finished.err
    assert finished.out.count("fitted in") == 4  # three folds and the whole
    assert finished.out.strip().endswith("cross-validation: out/three.json")
    content = json.loads((scripts.directory / "out" / "three.json").read_text())
    assert content["model"] == "BiasedMF"
    assert content["view"] == "explicit"
    errors = [fold["test/rmse"] for fold in content["folds"]]
    assert len(set(errors)) == 3
    assert content["mean"]["test/rmse"] == pytest.approx(statistics.fmean(errors))
    assert content["sd"]["test/rmse"] == pytest.approx(statistics.stdev(errors))
    assert "test/ndcg@10" in content["mean"]


def test_a_model_that_is_trained_in_epochs_stops_by_its_validation(scripts, rated):
    finished = scripts("cross_validate", *rated, *PLAIN, *SMALL_MF, "folds=2")
    assert finished.status == 0, finished.err
    assert "valid/ndcg@10" in finished.out
    assert "cross-validation: runs/cross_validation/mf_table.json" in finished.out


def test_a_model_in_closed_form_learns_from_all_other_folds(scripts, rated):
    finished = scripts("cross_validate", *rated, *PLAIN, "model=bias", "folds=2")
    assert finished.status == 0, finished.err
    assert (
        scripts("cross_validate", *rated, *PLAIN, "model=bias", "folds=2", "split.valid_ratio=0.2").out != finished.out
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["folds=1"], "folds must be at least 2, but it is 1"),
        (["split=random_ratio"], "split has no setting 'num_folds'"),
        (["resume=runs/x"], "cannot be resumed"),
        (["output=."], "A file is required for the results, but . is a directory"),
        (["split.valid_ratio=2"], "split.valid_ratio must be at least 0 and below 1"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_one_clear_message(scripts, rated, arguments, message):
    finished = scripts("cross_validate", *rated, *PLAIN, "model=bias", *arguments)
    assert finished.status != 0
    assert message in finished.err
    assert "Traceback" not in finished.err
