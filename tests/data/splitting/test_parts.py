import numpy as np

from recsys.data.splitting.parts import TEST, TEST_FOLD_IN, TRAIN, VALID, VALID_FOLD_IN, split_by_part


def test_each_code_goes_to_its_part() -> None:
    split = split_by_part(np.array([TEST, TRAIN, VALID_FOLD_IN, VALID, TEST_FOLD_IN, TRAIN, TEST], dtype=np.int8))
    assert split.train.tolist() == [1, 5]
    assert split.valid.tolist() == [3]
    assert split.test.tolist() == [0, 6]
    assert split.valid_fold_in.tolist() == [2]
    assert split.test_fold_in.tolist() == [4]
