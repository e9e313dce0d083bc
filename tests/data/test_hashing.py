import numpy as np

from recsys.data.hashing import hash_columns, mixed, uniform


def test_mixing_is_that_of_splitmix():
    """The first numbers of the generator with seed 0: its finaliser of one, two, ... steps."""
    with np.errstate(over="ignore"):
        steps = np.arange(1, 4, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert [hex(value) for value in mixed(steps).tolist()] == [
        "0xe220a8397b1dcdaf",
        "0x6e789e6aa1b965f4",
        "0x6c45d188009454f",
    ]


def test_rows_have_the_same_hash_whatever_is_beside_them_and_however_wide_numbers_are():
    users, items = np.arange(1000, dtype=np.int32), np.arange(1000, dtype=np.int32)[::-1].copy()
    whole = hash_columns(users, items, seed=5)
    assert np.array_equal(whole[10:20], hash_columns(users[10:20].astype(np.int64), items[10:20], seed=5))
    assert len(np.unique(whole)) == 1000
    assert not np.array_equal(whole, hash_columns(users, items, seed=6))
    assert not np.array_equal(whole, hash_columns(items, users, seed=5))


def test_ratings_that_differ_have_other_hashes():
    ratings = np.array([1.0, 1.5, 2.0], dtype=np.float32)
    assert len(np.unique(hash_columns(ratings))) == 3


def test_shares_are_near_the_thresholds():
    users = np.repeat(np.arange(300), 300)
    shares = uniform(hash_columns(users, np.tile(np.arange(300), 300)))
    assert shares.min() >= 0 and shares.max() < 1
    assert abs((shares < 0.1).mean() - 0.1) < 0.005
    by_user = (shares.reshape(300, 300) < 0.1).mean(axis=1)
    assert 0.01 < by_user.std() < 0.025  # that of a binomial share: 0.017
