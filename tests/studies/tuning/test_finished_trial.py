from __future__ import annotations

import pandas as pd
import pytest

from recsys.studies.tuning.finished_trial import FinishedTrial, given_up_message, write_trials
from recsys.studies.tuning.objective import TrialResult


class TestLine:
    BEST = FinishedTrial(4, {"model.l2": "5.0"}, TrialResult(0.31, best_epoch=0, seconds=2.04))

    def test_a_trial_is_told_beside_the_best(self):
        trial = FinishedTrial(7, {"model.l2": "9.0", "loss": "bpr"}, TrialResult(0.25, best_epoch=12, seconds=1.0))
        assert trial.line("valid/ndcg@10", 30, self.BEST) == (
            "trial  7/30  valid/ndcg@10 0.2500 (best 0.3100, trial 4)  1.0 s, epoch 12  model.l2=9.0 loss=bpr"
        )

    def test_a_model_without_epochs_has_none(self):
        assert "epoch" not in self.BEST.line("valid/ndcg@10", 30, self.BEST)

    def test_a_trial_that_failed_says_why(self):
        line = FinishedTrial(5, {"model.l2": "0"}, None, "l2 must be above 0").line("valid/rmse", 9, self.BEST)
        assert line == "trial 5/9  valid/rmse failed: l2 must be above 0  model.l2=0"

    def test_a_pruned_trial_says_so(self):
        trial = FinishedTrial(2, {"l2": "9.0"}, TrialResult(0.25, best_epoch=2, seconds=1.0, pruned=True))
        assert trial.line("ndcg", 9, None) == "trial 2/9  ndcg 0.2500  1.0 s, epoch 2, pruned  l2=9.0"


def test_the_table_has_a_row_for_each_trial(tmp_path):
    trials = [
        FinishedTrial(1, {"l2": "5.0"}, TrialResult(0.5, 3, 1.23456)),
        FinishedTrial(2, {"l2": "6.0"}, None, "too large", attempts=2),
        FinishedTrial(4, {"l2": "7.0"}, TrialResult(0.4, 1, 0.5, pruned=True)),
    ]
    write_trials(trials, tmp_path)
    table = pd.read_csv(tmp_path / "trials.csv")
    counted = ["pruned", "attempts", "lost_workers", "given_up", "error"]
    assert list(table.columns) == ["trial", "value", "best_epoch", "seconds", "l2", *counted]
    assert list(table["trial"]) == [1, 2, 4]
    assert list(table["pruned"]) == [False, False, True]
    assert list(table["attempts"]) == [1, 2, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["trials.csv"]


def test_without_trials_there_is_no_table(tmp_path):
    write_trials([], tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert given_up_message(tmp_path) == ""


@pytest.mark.parametrize(
    ("given_up", "told", "retries"),
    [({2: 3}, "trial 2 was given up, as all workers that began it", 3), ({2: 1, 3: 4}, "trials 2, 3 were given up", 4)],
)
def test_trials_that_were_given_up_are_named_with_what_tries_them_again(tmp_path, given_up, told, retries):
    refused = FinishedTrial(1, {"l2": "6.0"}, None, "too large", attempts=9, lost_workers=8)
    lost = [FinishedTrial(n, {"l2": "7.0"}, None, "lost", n, n, count, True) for n, count in given_up.items()]
    write_trials([refused], tmp_path)
    assert given_up_message(tmp_path) == ""
    write_trials([refused, *lost], tmp_path)
    message = given_up_message(tmp_path)
    assert message.startswith(told)
    assert f"retries={retries} " in message and str(tmp_path / "trials.csv") in message
