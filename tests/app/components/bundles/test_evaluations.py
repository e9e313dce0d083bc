from app.components.bundles.evaluations import (
    curve_choices,
    curves_table,
    measured_table,
    metric_choices,
    of_same_data,
    segment_choices,
    segments_table,
    trade_off_table,
)


def metric(name, k, value, low=None, high=None):
    return {"metric": name, "k": k, "value": value, "low": low, "high": high}


EVALUATIONS = [
    {
        "bundle": "one",
        "data_hash": "x",
        "models": [
            {
                "role": "retriever",
                "model": "IALS",
                "metrics": [metric("recall", 5, 0.1), metric("ndcg", 10, 0.4, 0.3, 0.5), metric("coverage", 10, 0.2)],
                "baseline": [metric("ndcg", 10, 0.2)],
                "segments": [{"segment": "item_popularity", "group": "tail", **metric("recall", 10, 0.01)}],
                "learning_curve": [],
            },
            {
                "role": "ranker",
                "model": "NeuMF",
                "metrics": [],
                "baseline": [],
                "segments": [],
                "learning_curve": [{"epoch": 3.0, "train/loss": 0.5}, {"valid/ndcg@10": 0.3, "train/loss": 0.4}],
            },
        ],
    },
    {"bundle": "two", "data_hash": "y", "models": []},
]


def test_what_was_measured_on_other_data_is_left_out():
    assert [one["bundle"] for one in of_same_data(EVALUATIONS, "x")] == ["one"]


def test_metrics_have_intervals_a_baseline_and_coverage_at_the_same_cut_off():
    assert metric_choices(EVALUATIONS) == ["ndcg@10", "recall@5"]
    assert measured_table(EVALUATIONS, "ndcg@10").values.tolist() == [["one: IALS", 0.4, 0.3, 0.5, 0.2]]
    assert trade_off_table(EVALUATIONS, "ndcg@10").values.tolist() == [["one: IALS", 0.2, 0.4]]
    assert trade_off_table(EVALUATIONS, "recall@5").empty


def test_segments_and_curves_are_by_model():
    assert segment_choices(EVALUATIONS) == [("item_popularity", "recall@10")]
    assert segments_table(EVALUATIONS, "item_popularity", "recall@10").values.tolist() == [["one: IALS", "tail", 0.01]]
    assert curve_choices(EVALUATIONS) == ["valid/ndcg@10", "train/loss"]
    assert curves_table(EVALUATIONS, "train/loss").values.tolist() == [
        ["one: NeuMF (ranker)", 3, 0.5],
        ["one: NeuMF (ranker)", 2, 0.4],
    ]
