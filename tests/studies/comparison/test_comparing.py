from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import EvaluationError
from recsys.evaluation.statistics.multiple_comparisons import holm
from recsys.evaluation.statistics.paired_tests import paired_difference, t_test
from recsys.evaluation.statistics.significance import bootstrap_intervals
from recsys.studies.comparison.compared_runs import open_runs
from recsys.studies.comparison.comparing import Settings, compare
from tests.studies.comparison.made_runs import make_run, table

NOISE = np.random.default_rng(0).random(60)
#: The second is clearly better than the first; the third is hardly different from it.
VALUES = {
    "popularity": NOISE,
    "ease": NOISE + 0.2 + 0.05 * np.random.default_rng(1).random(60),
    "mf": NOISE + 0.02 * np.random.default_rng(2).normal(size=60),
}


@pytest.fixture
def runs(tmp_path):
    return open_runs([make_run(tmp_path, name, table(values)) for name, values in VALUES.items()])


def test_means_and_intervals_are_those_of_the_users(runs):
    found = compare(runs, Settings()).accuracy
    assert list(found) == ["popularity", "ease", "mf"]
    assert list(found["mf"]) == ["precision@10", "recall@10", "ndcg@10"]
    assert found["mf"]["ndcg@10"].mean == pytest.approx(VALUES["mf"].mean())
    assert found["mf"]["ndcg@10"].interval == pytest.approx(bootstrap_intervals(VALUES["mf"][:, None])[0])
    assert found["mf"]["recall@10"].mean == pytest.approx(VALUES["mf"].mean() / 2)


def test_each_run_is_tested_against_the_first_and_corrected_for_their_number(runs):
    found = compare(runs, Settings(test="t")).against_baseline
    assert [(pair.first, pair.second) for pair in found] == [("ease", "popularity"), ("mf", "popularity")]
    expected = [paired_difference(VALUES[name], VALUES["popularity"], t_test) for name in ("ease", "mf")]
    assert [pair.difference for pair in found] == expected
    raw = np.array([difference.p_value for difference in expected])
    assert [pair.corrected_p for pair in found] == pytest.approx(holm(raw).tolist())
    assert [pair.significant for pair in found] == [True, False]
    assert found[0].relative == pytest.approx(VALUES["ease"].mean() / VALUES["popularity"].mean() - 1)


@pytest.mark.parametrize("asked", ["mf", "directory", "path"])
def test_another_baseline_can_be_named_in_several_ways(runs, asked):
    named = {"mf": "mf", "directory": runs[2].path.name, "path": str(runs[2].path)}[asked]
    comparison = compare(runs, Settings(baseline=named))
    assert comparison.settings.baseline == "mf"
    assert [pair.second for pair in comparison.against_baseline] == ["mf", "mf"]


def test_all_pairs_are_tested_the_better_run_first_and_corrected_for_all_of_them(runs):
    comparison = compare(runs, Settings(test="t"))
    assert len(comparison.pairs) == 3
    assert all(pair.difference.mean >= 0 for pair in comparison.pairs)
    raw = np.array([pair.difference.p_value for pair in comparison.pairs])
    assert [pair.corrected_p for pair in comparison.pairs] == pytest.approx(holm(raw).tolist())


def test_two_runs_are_one_pair_and_need_no_second_table(runs):
    comparison = compare(runs[:2], Settings())
    assert len(comparison.against_baseline) == 1
    assert comparison.pairs == ()


def test_the_best_run_is_that_with_the_highest_mean(runs):
    assert compare(runs, Settings()).best == "ease"


def test_segments_are_means_over_their_users(runs):
    segments = compare(runs, Settings()).segments
    by_name = {(segment.group, segment.name): segment for segment in segments}
    low = by_name["user_activity", "low"]
    assert (low.measure, low.num_users) == ("ndcg@10", 20)
    assert low.means["mf"] == pytest.approx(VALUES["mf"][::3].mean())
    mid = by_name["item_popularity", "mid"]
    assert (mid.measure, mid.num_users) == ("recall@10", 59)
    assert mid.means["ease"] == pytest.approx(VALUES["ease"][1:].mean())
    tail = by_name["item_popularity", "tail"]
    assert tail.num_users == 0
    assert np.isnan(tail.means["ease"])


def test_targets_that_were_new_and_known_are_segments_where_both_were_to_be_found(runs):
    both = {"target=new/hit_rate@10": 1.0, "target=new/recall@10": 0.25, "target=repeated/recall@10": 0.75}
    again = [replace(run, per_user=run.per_user.assign(**both)) for run in runs]
    targets = [segment for segment in compare(again, Settings()).segments if segment.group == "target"]
    assert [(segment.name, segment.measure, segment.means["mf"]) for segment in targets] == [
        ("new", "recall@10", 0.25),
        ("repeated", "recall@10", 0.75),
    ]


def test_beyond_accuracy_is_what_the_runs_measured(runs):
    assert compare(runs, Settings()).beyond["mf"] == {"coverage": 0.5, "gini": 0.25, "novelty": 2.0}


def test_another_cut_off_has_what_was_measured_there(runs):
    comparison = compare(runs, Settings(k=5))
    assert list(comparison.accuracy["mf"]) == ["ndcg@5"]
    assert comparison.beyond["mf"] == {}


def test_a_narrower_level_gives_wider_intervals(runs):
    usual, strict = (compare(runs, Settings(alpha=alpha)).accuracy["mf"]["ndcg@10"].interval for alpha in (0.05, 0.01))
    assert strict.low < usual.low < usual.high < strict.high


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(metric="ndgc"), r"\(precision@10, recall@10, ndcg@10, ndcg@5\), but it is ndgc@10"),
        (Settings(k=7), "but it is ndcg@7"),
        (Settings(baseline="slim"), r"one of the runs \(popularity, ease, mf\), but it is slim"),
        (Settings(test="z"), "--test must be one of permutation, t, wilcoxon, but it is z"),
        (Settings(correction="sidak"), "--correction must be one of holm, benjamini_hochberg, none, but it is sidak"),
        (Settings(alpha=5), "--alpha must be between 0 and 1, but it is 5"),
    ],
)
def test_settings_that_name_nothing_are_refused(runs, settings, message):
    with pytest.raises(EvaluationError, match=message):
        compare(runs, settings)
