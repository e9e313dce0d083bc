from types import SimpleNamespace

from recsys.runtime.bundle_evaluation import LEARNING_CURVE, MeasuredMetric, MeasuredSegment, evaluations_of

METRICS = {
    "test/ndcg@10": 0.4,
    "test/ndcg@10_low": 0.3,
    "test/ndcg@10_high": 0.5,
    "test/coverage@10": 0.2,
    "test/known_share": 0.0,
    "test/item_popularity=tail/recall@10": 0.01,
    "test/cold_catalogue/recall@10": 0.1,
    "baseline/test/ndcg@10": 0.2,
}


def manifest(metrics, ranker=None):
    source = SimpleNamespace(run="runs/one", model="IALS", metrics=metrics)
    return SimpleNamespace(retriever=source, ranker=ranker)


def test_metrics_have_their_intervals_and_segments_their_groups(tmp_path):
    (found,) = evaluations_of(manifest(METRICS), tmp_path)
    assert found.metrics == (MeasuredMetric("ndcg", 10, 0.4, 0.3, 0.5), MeasuredMetric("coverage", 10, 0.2, None, None))
    assert found.segments == (MeasuredSegment("item_popularity", "tail", "recall", 10, 0.01),)
    assert found.baseline == (MeasuredMetric("ndcg", 10, 0.2, None, None),)
    assert (found.role, found.model, found.run, found.before_refit) == ("retriever", "IALS", "runs/one", False)
    assert found.learning_curve == ()


def test_what_was_measured_before_a_refit_says_so(tmp_path):
    (found,) = evaluations_of(manifest({f"before_refit/{name}": value for name, value in METRICS.items()}), tmp_path)
    assert found.before_refit and found.metrics[0].value == 0.4 and found.baseline[0].value == 0.2


def test_a_learning_curve_is_read_by_epoch(tmp_path):
    (tmp_path / LEARNING_CURVE).write_text("epoch,train/loss,valid/ndcg@10\n0,0.5,\n1,0.25,0.3\n")
    retriever, ranker = evaluations_of(manifest({}, ranker=manifest({}).retriever), tmp_path)
    assert retriever.learning_curve == (
        {"epoch": 0, "train/loss": 0.5},
        {"epoch": 1, "train/loss": 0.25, "valid/ndcg@10": 0.3},
    )
    assert ranker.role == "ranker" and ranker.learning_curve == () and not ranker.before_refit
