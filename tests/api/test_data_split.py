import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.errors import DataError, RecsysError, SettingsError, SplitError
from tests.api import board


def test_has_three_parts(split):
    assert repr(split) == "DataSplit('board': train 240, valid 30, test 30)"
    train, valid, test = split
    assert (len(train), len(valid), len(test)) == (240, 30, 30)
    assert len(split.train_with_valid) == 270
    assert repr(test) == "SplitPart('board', test: 30 interactions)"


def test_the_test_part_has_the_last_interaction_of_each_user(split):
    latest = board.interactions().sort_values("timestamp").groupby("user_id").tail(1)
    found = split.test.to_pandas()
    pd.testing.assert_frame_equal(
        found.sort_values("user_id", ignore_index=True), latest.sort_values("user_id", ignore_index=True)
    )


def test_the_parts_are_all_interactions(split, data):
    parts = pd.concat([part.to_pandas() for part in split])
    by = ["user_id", "item_id"]
    pd.testing.assert_frame_equal(
        parts.sort_values(by, ignore_index=True), data.interactions.sort_values(by, ignore_index=True)
    )
    both = pd.concat([split.train.to_pandas(), split.valid.to_pandas()])
    assert len(both.merge(split.train_with_valid.to_pandas())) == 270


def test_is_the_split_of_the_command(data):
    split = data.split("random_ratio", seed=7, test_ratio=0.5, valid_ratio=0.1)
    from recsys.data.splitting.random_ratio import RandomRatio

    whole = RandomRatio(test_ratio=0.5, valid_ratio=0.1, seed=7, by="user", rounding="nearest")
    assert split.rows("implicit").content_hash() == whole.split(data.prepared.positives()).content_hash()


def test_nothing_is_held_out_if_nothing_is_to_be(data):
    whole = data.split("none")
    assert [len(part) for part in whole] == [300, 0, 0]
    assert len(data.split("leave_last_out").everything) == 300


def test_views_of_ratings():
    table = board.interactions().assign(rating=np.resize([1.0, 5.0], 300))
    rated = recsys.Dataset.from_pandas(table, positive_threshold=3)
    assert sum(map(len, rated.split("random_ratio"))) == 150
    assert sum(map(len, rated.split("random_ratio", view="explicit"))) == 300
    assert len(rated.split("random_ratio").rows("explicit").train) > 150


@pytest.mark.parametrize(
    ("strategy", "settings", "error", "message"),
    [
        ("leave_last", {}, SettingsError, "split must be one of"),
        ("leave_last_out", {"num_tests": 1}, RecsysError, "no setting 'num_tests'; it has num_test"),
        ("leave_last_out", {"view": "both"}, SettingsError, "view must be implicit, explicit or None"),
        ("leave_last_out", {"view": "explicit"}, DataError, "explicit view needs ratings"),
        ("leave_last_out", {"num_test": 100}, SplitError, "must leave interactions for validation"),
    ],
)
def test_what_cannot_be_split_is_refused_at_once(data, strategy, settings, error, message):
    with pytest.raises(error, match=message):
        data.split(strategy, **settings)


def test_times_are_needed_for_the_last():
    without = recsys.Dataset.from_pandas(board.interactions().drop(columns="timestamp"))
    with pytest.raises(SplitError, match="timestamp"):
        without.split("leave_last_out")
