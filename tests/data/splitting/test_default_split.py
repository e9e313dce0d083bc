import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.splitting.default_split import DefaultSplit
from recsys.data.splitting.predefined import Predefined
from recsys.data.splitting.random_ratio import RandomRatio

SPLITTER = DefaultSplit(given=Predefined(validation=None), otherwise=RandomRatio(test_ratio=0.5, valid_ratio=0.0))


def interactions(fold: np.ndarray | None) -> Interactions:
    users, items = np.repeat(np.arange(3, dtype=np.int32), 4), np.tile(np.arange(4, dtype=np.int32), 3)
    return Interactions(users, items, None, None, fold, num_users=3, num_items=4)


def test_data_that_come_split_keep_their_split():
    fold = np.array([0, 0, 0, 2] * 3, dtype=np.int8)
    assert SPLITTER.split(interactions(fold)).test.tolist() == [3, 7, 11]


def test_other_data_are_split_by_the_other_strategy():
    split = SPLITTER.split(interactions(None))
    # half of each user's four interactions
    assert len(split.test) == 6
