from __future__ import annotations

import pytest

from recsys.errors import EvaluationError, ModelError, RunError
from recsys.evaluation.model_report import evaluate_model
from recsys.evaluation.ranking import RankingEvaluator
from recsys.runs.assembly import build_model
from recsys.runs.device import training_device
from recsys.studies.tuning.objective import Objective
from tests.studies.small_study import study_config


def config(tmp_path, *overrides):
    return study_config("train", tmp_path, "model=ease", *overrides)


def test_the_value_is_the_metric_on_validation(tmp_path):
    settings = config(tmp_path)
    objective = Objective(settings, "valid/ndcg@7")
    result = objective(settings)
    model = build_model(settings.model, settings.seed, objective.prepared)
    model.fit(objective.view.training_interactions(objective.split.train, rates=False))
    evaluator = RankingEvaluator(ks=(7,), segment_k=7, bootstrap_samples=0)
    report = evaluate_model(
        evaluator,
        *(None, objective.prepared, objective.view, objective.split, model),
        training_device(settings),
        "valid",
    )
    assert result.value == report.metrics("EASE")["valid/ndcg@7"]
    assert (result.best_epoch, result.seconds > 0, result.interval) == (0, True, None)


def test_the_interval_is_that_of_an_evaluation(tmp_path):
    settings = config(tmp_path)
    result = Objective(settings, "valid/ndcg@7", bootstrap_samples=50)(settings)
    assert result.interval is not None and result.interval.low < result.value < result.interval.high


def test_trials_differ_by_their_settings(tmp_path):
    objective = Objective(config(tmp_path), "valid/ndcg@10")
    values = {objective(config(tmp_path, f"model.l2={l2}")).value for l2 in (1, 10_000)}
    assert len(values) == 2


def test_the_test_part_is_not_read(tmp_path):
    objective = Objective(config(tmp_path), "valid/ndcg@10")
    assert len(objective.split.test) == 0
    assert len(objective.view.interactions) == len(objective.split.train) + len(objective.split.valid)


def test_sampled_negatives_need_no_validation_part(tmp_path):
    settings = config(tmp_path, "refit=true")
    objective = Objective(settings, "sampled-99/hit_rate@10", "sampled_negatives")
    assert len(objective.split.valid) == 0
    assert 0 <= objective(settings).value <= 1


@pytest.mark.parametrize(
    ("overrides", "validation", "message"),
    [
        ([], "magic", "validation must be split or sampled_negatives, but it is magic"),
        (["refit=true"], "split", "Settings are chosen on validation, but the split has none"),
    ],
)
def test_wrong_settings_are_refused(tmp_path, overrides, validation, message):
    with pytest.raises(RunError, match=message):
        Objective(config(tmp_path, *overrides), "valid/ndcg@10", validation)


def test_an_unknown_metric_is_refused_with_those_that_there_are(tmp_path):
    settings = config(tmp_path)
    with pytest.raises(EvaluationError, match=r"metric must be one .* \(valid/precision@3, .*but it is valid/auc@3"):
        Objective(settings, "valid/auc@3")(settings)


def test_settings_that_a_model_refuses_are_its_error(tmp_path):
    objective = Objective(config(tmp_path), "valid/ndcg@10")
    with pytest.raises(Exception, match="l2") as caught:
        objective(config(tmp_path, "model.l2=-1"))
    assert isinstance(caught.value, ModelError) or isinstance(caught.value.__cause__, ModelError)
