from __future__ import annotations

import pytest

from recsys.errors import RunError
from recsys.studies.comparison.compared_runs import open_runs
from tests.studies.comparison.made_runs import make_run, table

VALUES = [0.1, 0.2, 0.3]


def labels(*runs):
    return [run.label for run in open_runs(runs)]


def test_runs_of_the_same_data_split_and_users_are_opened_in_the_order_given(tmp_path):
    first = make_run(tmp_path, "mf", table(VALUES))
    second = make_run(tmp_path, "ease", table([0.4, 0.5, 0.6]), fit_seconds=3.0)
    runs = open_runs([second, first])
    assert [run.label for run in runs] == ["ease", "mf"]
    assert runs[0].per_user["ndcg@10"].tolist() == [0.4, 0.5, 0.6]
    assert runs[0].manifest.fit_seconds == 3.0
    assert runs[1].metrics["test/coverage@10"] == 0.5


class TestLabels:
    def test_runs_of_one_model_are_told_apart_by_what_differs(self, tmp_path):
        runs = [
            make_run(tmp_path, "mf", table(VALUES), {"seed": seed, "training": {"seed": seed, "l2": 0.1}})
            for seed in (1, 2)
        ]
        assert labels(*runs) == ["mf seed=1", "mf seed=2"]

    def test_what_shapes_no_model_tells_nothing_apart(self, tmp_path):
        runs = [make_run(tmp_path, "mf", table(VALUES), {"show_users": n, "tracking": {"uri": n}}) for n in (1, 2)]
        assert labels(*runs) == ["mf #1", "mf #2"]

    def test_long_differences_are_left_to_the_run_directories(self, tmp_path):
        settings = [{"training": {"_target_": f"recsys.training.{name}.AModule"}} for name in ("one", "other")]
        runs = [make_run(tmp_path, "mf", table(VALUES), setting) for setting in settings]
        assert labels(*runs, make_run(tmp_path, "ease", table(VALUES))) == ["mf #1", "mf #2", "ease"]


class TestRefusals:
    def refused(self, *runs, match):
        with pytest.raises(RunError, match=match):
            open_runs(runs)

    def test_one_run(self, tmp_path):
        self.refused(make_run(tmp_path, "mf", table(VALUES)), match="at least two different runs, but got 1")

    def test_a_run_beside_itself(self, tmp_path):
        run = make_run(tmp_path, "mf", table(VALUES))
        self.refused(run, tmp_path / "." / run.name, match="at least two different runs, but got 2")

    def test_runs_that_were_to_find_other_items(self, tmp_path):
        runs = [
            make_run(tmp_path, "mf", table(VALUES), {"evaluation": {"repeats": repeats}})
            for repeats in ("drop", "keep")
        ]
        self.refused(*runs, match="evaluation.repeats=drop and .* evaluation.repeats=keep: one was tested on pairs")
        earlier = make_run(tmp_path, "ease", table(VALUES))
        assert len(open_runs([runs[0], earlier])) == 2

    def test_what_is_no_run(self, tmp_path):
        self.refused(make_run(tmp_path, "mf", table(VALUES)), tmp_path, match="A run directory is required")

    def test_an_unfinished_run(self, tmp_path):
        runs = [make_run(tmp_path, "mf", table(VALUES)) for _ in range(2)]
        (runs[1] / "run.json").unlink()
        self.refused(*runs, match="was not finished.*resume=")

    def test_other_data(self, tmp_path):
        runs = [make_run(tmp_path, "mf", table(VALUES), data_hash=letter * 64) for letter in "xy"]
        self.refused(*runs, match="same data, but .* content hash xxxxxxxxxxxx and .* with yyyyyyyyyyyy")

    def test_another_split(self, tmp_path):
        runs = [make_run(tmp_path, "mf", table(VALUES), split_hash=letter * 64) for letter in "xy"]
        self.refused(*runs, match="same split, but .* xxxxxxxxxxxx .* yyyyyyyyyyyy: .* same split, seed and refit")

    def test_other_users(self, tmp_path):
        runs = [make_run(tmp_path, "mf", table(VALUES, users)) for users in (["a", "b", "c"], ["a", "b", "d"])]
        self.refused(*runs, match="same users, but .* has values for 3 and .* for 3, of whom 2 are the same")

    def test_a_run_without_values_of_each_user(self, tmp_path):
        runs = [make_run(tmp_path, "mf", made) for made in (table(VALUES), None)]
        self.refused(*runs, match=r"has no per_user.parquet.*evaluate.py run=.* save_per_user=true")
