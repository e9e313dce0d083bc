from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.data.splitting.random_ratio import RandomRatio
from recsys.errors import SplitError
from tests.data.splitting.generated import interactions, make, many


def counts_of(rows: Interactions, split: Split) -> list[list[int]]:
    """Training, validation and test interactions of each user."""
    return [
        [int((rows.user_index[part] == user).sum()) for part in (split.train, split.valid, split.test)]
        for user in range(rows.num_users)
    ]


def test_a_fifth_of_each_user_is_test() -> None:
    # 5, 10 and 12 interactions: 0.2 * 12 = 2.4, rounded to the nearest.
    rows = make([0] * 5 + [1] * 10 + [2] * 12)
    split = RandomRatio(test_ratio=0.2, valid_ratio=0).split(rows)
    assert counts_of(rows, split) == [[4, 0, 1], [8, 0, 2], [10, 0, 2]]


@pytest.mark.parametrize(("rounding", "counts"), [("nearest", [16, 2, 5]), ("up", [15, 3, 5]), ("down", [17, 2, 4])])
@pytest.mark.parametrize("by", ["user", "all"])
def test_both_shares_are_rounded_alike(by: Any, rounding: Any, counts: list[int]) -> None:
    rows = make([0] * 23)  # 0.2 * 23 = 4.6 and 0.1 * 23 = 2.3
    assert counts_of(rows, RandomRatio(by=by, rounding=rounding).split(rows)) == [counts]


def test_validation_is_a_share_of_all_interactions_of_the_user() -> None:
    rows = make([0] * 20)
    assert counts_of(rows, RandomRatio(test_ratio=0.5, valid_ratio=0.4).split(rows)) == [[2, 8, 10]]


@pytest.mark.parametrize("rounding", ["nearest", "up", "down"])
def test_small_users_give_to_test_first_and_keep_one_for_training(rounding: Any) -> None:
    # 1 to 4 interactions at 8:1:1, each share at least one interaction where training can spare it.
    rows = make([user for user in range(4) for _ in range(user + 1)])
    split = RandomRatio(test_ratio=0.1, valid_ratio=0.1, rounding=rounding).split(rows)
    assert counts_of(rows, split) == [[1, 0, 0], [1, 0, 1], [1, 1, 1], [2, 1, 1]]


def split_by_ratio(count: int, hundredths: tuple[int, int, int]) -> list[int]:
    """What RecBole 1.2's ``split_by_ratio`` gives a user with ``count`` interactions, in whole-number arithmetic.

    Validation and test are rounded down and training gets the rest; then, from the last part on, a part whose share
    is below one interaction takes one from training, as long as training has more than one.
    """
    parts = [share * count // 100 for share in hundredths]
    parts[0] = count - parts[1] - parts[2]
    for place in (2, 1):
        if parts[0] <= 1:
            break
        if 0 < hundredths[place] * count < 100:
            parts[place] += 1
            parts[0] -= 1
    return parts


@given(
    counts=st.lists(st.integers(2, 60), min_size=1, max_size=12),
    ratios=st.sampled_from([(80, 10, 10), (80, 0, 20), (60, 20, 20), (70, 10, 20), (29, 14, 57)]),
)
def test_rounded_down_users_get_the_counts_of_recbole(counts: list[int], ratios: tuple[int, int, int]) -> None:
    # A user with many interactions makes sure that no part is empty.
    rows = make([user for user, count in enumerate([100, *counts]) for _ in range(count)])
    split = RandomRatio(test_ratio=ratios[2] / 100, valid_ratio=ratios[1] / 100, rounding="down").split(rows)
    assert counts_of(rows, split) == [split_by_ratio(count, ratios) for count in [100, *counts]]


def test_each_interaction_of_a_user_is_equally_likely_to_be_test() -> None:
    # 5000 users with 5 interactions each, one of them for test: 1000 at each place expected. The 0.999 quantile of
    # chi-square with 4 degrees of freedom is 18.47.
    split = RandomRatio(seed=5).split(make([user for user in range(5000) for _ in range(5)]))
    counts = np.bincount(split.test % 5)
    assert counts.sum() == 5000
    assert ((counts - 1000) ** 2 / 1000).sum() < 18.47


def test_of_all_each_interaction_is_equally_likely_to_be_test() -> None:
    # 1000 users with 10 interactions each: a tenth of test is expected at each place of a user's list, and a tenth of
    # test and of validation with each 100 users. The 0.999 quantile of chi-square with 9 degrees of freedom is 27.88.
    split = RandomRatio(by="all", seed=5).split(make([user for user in range(1000) for _ in range(10)]))
    for groups in (split.test % 10, split.test // 1000, split.valid // 1000):
        counts = np.bincount(groups, minlength=10)
        expected = len(groups) / 10
        assert ((counts - expected) ** 2 / expected).sum() < 27.88


@pytest.mark.parametrize("by", ["user", "all"])
@given(rows=interactions(min_rows_per_user=1), seed=st.integers(0, 2**32))
def test_test_is_the_same_whatever_validation_takes(by: Any, rows: Interactions, seed: int) -> None:
    # So that a model can be fitted to training and validation once its settings are chosen, and tested on the same.
    try:
        split = RandomRatio(valid_ratio=0.1, seed=seed, by=by).split(rows)
    except SplitError:
        assume(False)
        raise
    whole = RandomRatio(valid_ratio=0, seed=seed, by=by).split(rows)
    assert split.test.tolist() == whole.test.tolist()
    assert split.with_validation_in_training().content_hash() == whole.content_hash()


def test_shares_of_all_are_exact() -> None:
    split = RandomRatio(test_ratio=0.2, valid_ratio=0.1, by="all").split(many(num_rows=3000))
    assert (len(split.train), len(split.valid), len(split.test)) == (2100, 300, 600)


def test_shares_of_all_differ_from_user_to_user() -> None:
    rows = make([user for user in range(200) for _ in range(10)])
    split = RandomRatio(test_ratio=0.2, valid_ratio=0, by="all").split(rows)
    assert len(np.unique(np.bincount(rows.user_index[split.test], minlength=200))) > 2


@pytest.mark.parametrize("by", ["user", "all"])
@given(rows=interactions(min_rows_per_user=1), seed=st.integers(0, 2**32))
def test_each_user_keeps_an_interaction_for_training(by: Any, rows: Interactions, seed: int) -> None:
    try:
        split = RandomRatio(test_ratio=0.6, valid_ratio=0.3, seed=seed, by=by).split(rows)
    except SplitError:
        # Test takes everything that can be spared: 0.6 * 4 = 2.4 -> 3 of 4, but 3 of 5.
        counts = np.bincount(rows.user_index)
        assert counts.max() <= 4 if by == "user" else (counts - 1).sum() <= -(-len(rows) * 6 // 10)
        return
    assert set(rows.user_index[split.train].tolist()) == set(range(rows.num_users))


def test_of_all_test_is_served_first_where_few_can_be_spared() -> None:
    # 10 users, 8 with one interaction, 2 with two: 2 of 12 can be spared; 0.05 * 12 = 0.6 -> 1 for test, then 1 left of
    # the 0.5 * 12 = 6 for validation.
    rows = make([*range(10), 0, 1])
    split = RandomRatio(test_ratio=0.05, valid_ratio=0.5, by="all").split(rows)
    assert (len(split.train), len(split.valid), len(split.test)) == (10, 1, 1)


def test_users_with_one_interaction_each_cannot_be_split() -> None:
    for by in ("user", "all"):
        with pytest.raises(SplitError, match="RandomRatio must leave interactions for test; .*Give users with more"):
            RandomRatio(valid_ratio=0, by=by).split(make([0, 1, 2]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test_ratio": 0}, "test_ratio must be a number above 0 and below 1; got 0"),
        ({"test_ratio": 1.5}, "test_ratio must be a number above 0 and below 1; got 1.5"),
        ({"valid_ratio": -0.1}, "valid_ratio must be a number of at least 0 and below 1; got -0.1"),
        ({"test_ratio": 0.6, "valid_ratio": 0.4}, "must be below 1, so that training keeps a share"),
        ({"seed": -1}, "seed must be a whole number of at least 0; got -1"),
        ({"by": "item"}, "by must be user or all; got 'item'. Set split.by"),
        ({"rounding": "even"}, "rounding must be nearest, up or down; got 'even'. Set split.rounding"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SplitError, match=message):
        RandomRatio(**arguments)
