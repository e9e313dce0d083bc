import numpy as np

from recsys.data.splitting.parts import TEST, TEST_GIVEN, TRAIN, VALID, VALID_GIVEN, split_by_part


def test_each_code_goes_to_its_part() -> None:
    split = split_by_part(np.array([TEST, TRAIN, VALID_GIVEN, VALID, TEST_GIVEN, TRAIN, TEST], dtype=np.int8))
    assert split.train.tolist() == [1, 5]
    assert split.valid.tolist() == [3]
    assert split.test.tolist() == [0, 6]
    assert split.valid_given.tolist() == [2]
    assert split.test_fold_in.tolist() == [4]
