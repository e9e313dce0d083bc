"""What holds for every strategy: nothing leaks, nothing is lost, and the seed decides."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.row_numbers import row_dtype
from recsys.data.split import Split, Splitter
from recsys.data.splitting.cold_both import ColdBoth
from recsys.data.splitting.cold_items import ColdItems
from recsys.data.splitting.cold_users import ColdUsers
from recsys.data.splitting.hashed import HashSplit
from recsys.data.splitting.k_fold import KFold
from recsys.data.splitting.leave_last_out import LeaveLastOut
from recsys.data.splitting.leave_random_out import LeaveRandomOut
from recsys.data.splitting.predefined import Predefined
from recsys.data.splitting.random_ratio import RandomRatio
from recsys.data.splitting.temporal import Temporal
from recsys.errors import SplitError
from tests.data.splitting.generated import interactions, make, many

WITHOUT_SEED: dict[str, Callable[[int], Splitter]] = {
    "leave_last_out": lambda _: LeaveLastOut(),
    "leave_last_two_out": lambda _: LeaveLastOut(num_test=2, num_valid=0),
    "temporal": lambda _: Temporal(),
    "temporal_from": lambda _: Temporal(test_ratio=None, test_from=15),
    "predefined": lambda _: Predefined(),
}
WITH_SEED: dict[str, Callable[[int], Splitter]] = {
    "leave_random_out": lambda seed: LeaveRandomOut(seed=seed),
    "random_ratio": lambda seed: RandomRatio(seed=seed),
    "random_ratio_of_all": lambda seed: RandomRatio(seed=seed, by="all"),
    "hash": lambda seed: HashSplit(0.3, 0.3, seed=seed),
    "hash_by_user": lambda seed: HashSplit(0.3, 0.3, by="user", seed=seed),
    "k_fold": lambda seed: KFold(num_folds=3, fold=1, seed=seed),
    "cold_users": lambda seed: ColdUsers(test_ratio=0.3, valid_ratio=0.3, seed=seed),
    "cold_users_by_time": lambda seed: ColdUsers(test_ratio=0.3, valid_ratio=0.3, order="time", seed=seed),
    "cold_users_given_two": lambda seed: ColdUsers(given_ratio=None, num_given=2, seed=seed),
    "cold_items": lambda seed: ColdItems(seed=seed),
    "cold_both": lambda seed: ColdBoth(
        ColdItems(0.3, 0.3, seed), ColdUsers(test_ratio=0.3, valid_ratio=0.3, seed=seed)
    ),
    "predefined_with_drawn_validation": lambda seed: Predefined(LeaveRandomOut(num_valid=0, seed=seed)),
}
EVERY = WITHOUT_SEED | WITH_SEED
LABELS_MATTER = {"hash", "hash_by_user", "cold_both", "cold_users", "cold_users_by_time", "cold_users_given_two"}


def parts(split: Split) -> list[list[int]]:
    return [rows.tolist() for rows in (split.train, split.valid, split.test, split.valid_fold_in, split.test_fold_in)]


def split_or_skip(splitter: Splitter, drawn: Interactions) -> Split:
    """The split; drawn interactions of which no such split can be made are skipped."""
    try:
        return splitter.split(drawn)
    except SplitError:
        assume(False)
        raise


@pytest.mark.parametrize("name", EVERY)
@given(drawn=interactions(), seed=st.integers(0, 2**32))
def test_nothing_leaks_and_nothing_is_lost(name: str, drawn: Interactions, seed: int) -> None:
    split = split_or_skip(EVERY[name](seed), drawn)
    assert sorted(sum(parts(split), [])) == list(range(len(drawn)))
    valid, test = set(split.valid.tolist()), set(split.test.tolist())
    assert set(split.known("test").tolist()).isdisjoint(test)
    assert set(split.known("valid").tolist()).isdisjoint(valid | test | set(split.test_fold_in.tolist()))
    assert len(set(split.known("test").tolist())) == len(split.known("test"))


@pytest.mark.parametrize("name", EVERY)
def test_rows_are_of_the_smallest_type_and_ascending(name: str) -> None:
    split = EVERY[name](0).split(many())
    for rows in (split.train, split.valid, split.test, split.valid_fold_in, split.test_fold_in):
        assert rows.dtype == row_dtype(len(many()))
        assert (np.diff(rows) > 0).all()


@pytest.mark.parametrize("name", EVERY)
def test_the_same_seed_gives_the_same_split(name: str) -> None:
    assert parts(EVERY[name](4).split(many())) == parts(EVERY[name](4).split(many()))


@pytest.mark.parametrize("name", WITH_SEED)
def test_another_seed_gives_another_split(name: str) -> None:
    assert parts(WITH_SEED[name](4).split(many())) != parts(WITH_SEED[name](5).split(many()))


@pytest.mark.parametrize("name", sorted(set(EVERY) - LABELS_MATTER))
def test_the_split_does_not_hang_on_what_users_are_called(name: str) -> None:
    rows = many()
    renamed = np.random.default_rng(1).permutation(rows.num_users).astype(np.int32)[rows.user_index]
    assert parts(EVERY[name](4).split(replace(rows, user_index=renamed))) == parts(EVERY[name](4).split(rows))


@pytest.mark.parametrize("name", sorted(set(EVERY) - {"cold_both", "cold_items", "hash", "hash_by_user"}))
def test_the_split_does_not_hang_on_what_items_are_called(name: str) -> None:
    rows = many()
    renamed = np.random.default_rng(1).permutation(rows.num_items).astype(np.int32)[rows.item_index]
    assert parts(EVERY[name](4).split(replace(rows, item_index=renamed))) == parts(EVERY[name](4).split(rows))


@pytest.mark.parametrize("name", EVERY)
def test_users_and_items_without_rows_do_no_harm(name: str) -> None:
    rows = many()
    larger = replace(rows, num_users=rows.num_users + 50, num_items=rows.num_items + 50)
    assert parts(EVERY[name](4).split(larger)) == parts(EVERY[name](4).split(rows))


@pytest.mark.parametrize("name", EVERY)
def test_the_interactions_are_left_as_they_were(name: str) -> None:
    rows, before = many(), many()
    EVERY[name](4).split(rows)
    for column in ("user_index", "item_index", "timestamp", "fold"):
        np.testing.assert_array_equal(getattr(rows, column), getattr(before, column))


@pytest.mark.parametrize("name", EVERY)
def test_no_interactions_are_refused(name: str) -> None:
    with pytest.raises(SplitError, match="needs at least one interaction; got none. Check the rating threshold"):
        EVERY[name](0).split(make([], timestamps=[], folds=[], num_users=3))


@pytest.mark.parametrize("name", EVERY)
def test_one_interaction_is_refused(name: str) -> None:
    with pytest.raises(SplitError):
        EVERY[name](0).split(make([0], timestamps=[3], folds=[0]))
