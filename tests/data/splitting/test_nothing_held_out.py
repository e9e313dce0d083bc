import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.data.split import Splitter
from recsys.data.splitting.nothing_held_out import NothingHeldOut
from recsys.errors import SplitError


def interactions(num: int) -> Interactions:
    rows = np.arange(num, dtype=np.int32)
    fold = np.full(num, 2, dtype=np.int8)  # all marked as test
    return Interactions(rows, rows, None, None, fold, num_users=max(num, 1), num_items=max(num, 1))


def test_every_row_is_trained_on_even_what_the_data_mark_as_test():
    split = NothingHeldOut().split(interactions(5))
    assert split.train.tolist() == [0, 1, 2, 3, 4]
    assert len(split.valid) == len(split.test) == 0
    assert isinstance(NothingHeldOut(), Splitter)


def test_nothing_cannot_be_split():
    with pytest.raises(SplitError, match="interaction"):
        NothingHeldOut().split(interactions(0))
