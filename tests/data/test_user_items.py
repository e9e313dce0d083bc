from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from recsys.data import user_items as data_user_items
from recsys.data.interactions import Interactions
from recsys.data.user_items import UserItems

# user 0: items 1, 3; user 1: nothing; user 2: every item.
PAIRS = [(2, 0), (0, 3), (2, 3), (0, 1), (2, 2), (2, 1)]
NUM_USERS, NUM_ITEMS = 3, 4


def make(pairs: list[tuple[int, int]], num_users: int, num_items: int) -> UserItems:
    users, items = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).unbind(1)
    return UserItems(users, items, num_users, num_items)


@pytest.fixture
def user_items() -> UserItems:
    return make(PAIRS, NUM_USERS, NUM_ITEMS)


def sets_of_pairs(max_users: int = 5, max_items: int = 7) -> st.SearchStrategy[tuple[list[tuple[int, int]], int, int]]:
    def pairs(sizes: tuple[int, int]) -> st.SearchStrategy[tuple[list[tuple[int, int]], int, int]]:
        num_users, num_items = sizes
        pair = st.tuples(st.integers(0, num_users - 1), st.integers(0, num_items - 1))
        return st.tuples(st.lists(pair, max_size=40), st.just(num_users), st.just(num_items))

    return st.tuples(st.integers(1, max_users), st.integers(1, max_items)).flatmap(pairs)


# --- the set ---------------------------------------------------------------------------------------------------------


def test_pairs_are_sorted_by_user_and_item(user_items: UserItems) -> None:
    assert list(zip(user_items.users.tolist(), user_items.items.tolist(), strict=True)) == sorted(PAIRS)


def test_counts_and_offsets_are_those_of_each_user(user_items: UserItems) -> None:
    assert user_items.counts.tolist() == [2, 0, 4]
    assert user_items.offsets.tolist() == [0, 2, 2, 6]


def test_repeated_pairs_count_once() -> None:
    user_items = make([(0, 1), (0, 1), (0, 1)], 1, 2)
    assert len(user_items) == 1
    assert user_items.counts.tolist() == [1]
    assert user_items.item_counts().tolist() == [0, 1]


def test_item_counts_are_users_of_each_item_seen_or_not() -> None:
    assert make([(0, 1), (1, 1), (1, 2)], 2, 4).item_counts().tolist() == [0, 2, 1, 0]


def test_the_device_is_that_of_the_pairs(user_items: UserItems) -> None:
    assert user_items.device == torch.device("cpu")


def interactions(users: Any, items: Any) -> Interactions:
    return Interactions(users, items, None, None, None, num_users=3, num_items=3)


def test_pairs_come_from_interactions() -> None:
    users, items = np.array([2, 0, 2], dtype=np.int32), np.array([1, 2, 0], dtype=np.int32)
    user_items = UserItems.from_interactions(interactions(users, items))
    assert user_items.users.tolist() == [0, 2, 2]
    assert user_items.items.tolist() == [2, 0, 1]
    assert (user_items.num_users, user_items.num_items) == (3, 3)


def test_read_only_arrays_are_accepted() -> None:
    users = np.array([2, 0], dtype=np.int32)
    users.flags.writeable = False
    assert UserItems.from_interactions(interactions(users, users)).items.tolist() == [0, 2]


def test_reversed_views_are_accepted() -> None:
    users = np.array([0, 2], dtype=np.int32)[::-1]
    assert UserItems.from_interactions(interactions(users, users)).items.tolist() == [0, 2]


def test_keys_beyond_int32_do_not_wrap_around() -> None:
    # 99,999 * 100,000 + 2 is above 2 ** 31.
    last = np.array([99_999], dtype=np.int32)
    user_items = UserItems.from_interactions(
        Interactions(last, np.array([2], dtype=np.int32), None, None, None, num_users=100_000, num_items=100_000)
    )
    assert user_items.users.tolist() == [99_999]
    as_int32 = torch.tensor([99_999], dtype=torch.int32), torch.tensor([2, 3], dtype=torch.int32)
    assert user_items.contains(*as_int32).tolist() == [True, False]


# --- contains --------------------------------------------------------------------------------------------------------


def test_contains_broadcasts_users_against_items(user_items: UserItems) -> None:
    found = user_items.contains(torch.arange(3)[:, None], torch.arange(4)[None, :])
    assert found.tolist() == [[False, True, False, True], [False] * 4, [True] * 4]


def test_contains_takes_one_item_list_for_each_user(user_items: UserItems) -> None:
    items = torch.tensor([[3, 0], [1, 1]])
    assert user_items.contains(torch.tensor([0, 2])[:, None], items).tolist() == [[True, False], [True, True]]


def test_an_unknown_user_has_no_item(user_items: UserItems) -> None:
    assert not user_items.contains(torch.tensor(-1), torch.arange(4)).any()


def test_the_empty_set_contains_nothing() -> None:
    found = make([], 2, 3).contains(torch.arange(2)[:, None], torch.arange(3))
    assert found.shape == (2, 3)
    assert found.dtype == torch.bool
    assert not found.any()


@given(drawn=sets_of_pairs())
def test_contains_agrees_with_a_python_set(drawn: tuple[list[tuple[int, int]], int, int]) -> None:
    pairs, num_users, num_items = drawn
    found = make(*drawn).contains(torch.arange(num_users)[:, None], torch.arange(num_items))
    expected = [[(user, item) in set(pairs) for item in range(num_items)] for user in range(num_users)]
    assert found.tolist() == expected


# --- pairs_of --------------------------------------------------------------------------------------------------------


def test_pairs_of_lists_each_asked_user_in_turn(user_items: UserItems) -> None:
    row, items = user_items.pairs_of(torch.tensor([2, 1, -1, 0, 0]))
    assert row.tolist() == [0, 0, 0, 0, 3, 3, 4, 4]
    assert items.tolist() == [0, 1, 2, 3, 1, 3, 1, 3]


@pytest.mark.parametrize("users", [[], [-1], [1], [-1, 1]])
def test_pairs_of_users_without_pairs_are_empty(user_items: UserItems, users: list[int]) -> None:
    row, items = user_items.pairs_of(torch.tensor(users, dtype=torch.int64))
    assert len(row) == len(items) == 0


@given(drawn=sets_of_pairs(), data=st.data())
def test_pairs_of_agrees_with_a_python_set(drawn: tuple[list[tuple[int, int]], int, int], data: st.DataObject) -> None:
    pairs, num_users, _ = drawn
    users = data.draw(st.lists(st.integers(-1, num_users - 1), max_size=6))
    row, items = make(*drawn).pairs_of(torch.tensor(users, dtype=torch.int64))
    expected = [
        (place, item) for place, user in enumerate(users) for item in sorted({i for u, i in pairs if u == user})
    ]
    assert list(zip(row.tolist(), items.tolist(), strict=True)) == expected


@given(drawn=sets_of_pairs())
def test_a_table_and_a_search_agree(drawn: tuple[list[tuple[int, int]], int, int]) -> None:
    users, items = torch.arange(-1, drawn[1])[:, None], torch.arange(drawn[2])
    by_table = make(*drawn).contains(users, items)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recsys.data.user_items.MAX_TABLE_PAIRS", 0)
        assert torch.equal(make(*drawn).contains(users, items), by_table)


@pytest.mark.parametrize("most", [0, 2**24])
def test_places_of_interactions_lead_back_to_their_pairs(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.data.user_items.MAX_LISTED_PAIRS", most)  # by a search, and by a list
    users, items = np.array([2, 0, 2, 0, 2], dtype=np.int32), np.array([1, 2, 0, 2, 1], dtype=np.int32)
    user_items = UserItems.from_interactions(interactions(users, items))
    places = user_items.places_of(interactions(users, items))
    assert places.dtype == torch.int32
    assert places.tolist() == [2, 0, 1, 0, 2]
    assert [index.tolist() for index in user_items.pairs_at(places)] == [users.tolist(), items.tolist()]


def test_a_pair_takes_four_bytes(user_items: UserItems) -> None:
    assert (user_items.items.dtype, user_items.offsets.dtype) == (torch.int32, torch.int64)
    assert user_items.pairs_of(torch.tensor([0]))[1].dtype == torch.int64


# --- sample_absent ---------------------------------------------------------------------------------------------------


@given(drawn=sets_of_pairs())
def test_each_draw_stands_for_one_absent_item_and_none_is_left_out(
    drawn: tuple[list[tuple[int, int]], int, int],
) -> None:
    # With A absent items, a uniform number in [r / A, (r + 1) / A) must give the r-th of them, for each r: then equal
    # chances of the number are equal chances of the items. Both ends of each interval are tried.
    pairs, _, num_items = drawn
    user_items = make(*drawn)
    for user in range(drawn[1]):
        present = {item for u, item in pairs if u == user}
        absent = [item for item in range(num_items) if item not in present] or list(range(num_items))
        r = torch.arange(len(absent), dtype=torch.float64)
        for uniform in ((r + 1e-9) / len(absent), (r + 1 - 1e-9) / len(absent)):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("recsys.data.user_items.MAX_TABLE_PAIRS", 0)
                patch.setattr(torch, "rand", lambda *_, uniform=uniform, **__: uniform[None, :])
                items = user_items.sample_absent(torch.tensor([user]), len(absent))
            assert items.tolist() == [absent]


def test_the_largest_uniform_number_still_gives_an_item(monkeypatch: pytest.MonkeyPatch) -> None:
    largest = 1 - 2**-53
    monkeypatch.setattr("recsys.data.user_items.MAX_TABLE_PAIRS", 0)
    monkeypatch.setattr(torch, "rand", lambda *size, **_: torch.full(size, largest, dtype=torch.float64))
    for num_items in (1, 2, 3, 1000, 2**20, 2**20 + 1, 2**31 - 1):
        assert make([], 1, num_items).sample_absent(torch.tensor([0]), 1).tolist() == [[num_items - 1]]


@pytest.mark.parametrize("max_table_pairs", [0, 2**27], ids=["by search", "by table"])
def test_draws_are_uniform_over_the_absent_items(monkeypatch: pytest.MonkeyPatch, max_table_pairs: int) -> None:
    monkeypatch.setattr("recsys.data.user_items.MAX_TABLE_PAIRS", max_table_pairs)
    # 10 items, 3 present: 7 absent, 70,000 draws, 10,000 of each expected. The 0.999 quantile of chi-square with 6
    # degrees of freedom is 22.46.
    user_items = make([(1, 0), (1, 4), (1, 9), (0, 2), (2, 7)], 3, 10)
    items = user_items.sample_absent(torch.tensor([1]), 70_000, torch.Generator().manual_seed(3))
    counts = torch.bincount(items.flatten(), minlength=10).double()
    assert counts[[0, 4, 9]].sum() == 0
    absent = counts[[1, 2, 3, 5, 6, 7, 8]]
    assert ((absent - 10_000) ** 2 / 10_000).sum() < 22.46


def test_draws_of_different_users_are_independent_of_each_other() -> None:
    items = make([], 2, 1000).sample_absent(torch.tensor([0, 0, 1]), 50, torch.Generator().manual_seed(3))
    assert len({tuple(row) for row in items.tolist()}) == 3


def test_no_present_item_is_drawn_among_many_users() -> None:
    generator = torch.Generator().manual_seed(11)
    users = torch.randint(500, (20_000,), generator=generator)
    items = (torch.rand(20_000, generator=generator) ** 3 * 80).long()  # heads of the catalogue are dense
    user_items = UserItems(users, items, 500, 80)
    drawn = user_items.sample_absent(torch.arange(500), 200, generator)
    assert drawn.shape == (500, 200)
    assert drawn.dtype == torch.int64
    assert 0 <= drawn.min() and drawn.max() < 80
    assert not user_items.contains(torch.arange(500)[:, None], drawn).any()


def test_a_user_with_every_item_draws_from_the_whole_catalogue(user_items: UserItems) -> None:
    drawn = user_items.sample_absent(torch.tensor([2]), 200, torch.Generator().manual_seed(0))
    assert sorted(drawn.unique().tolist()) == [0, 1, 2, 3]


def test_a_user_with_one_absent_item_always_draws_it() -> None:
    user_items = make([(0, 0), (0, 1), (0, 3)], 1, 4)
    assert user_items.sample_absent(torch.tensor([0]), 50).unique().tolist() == [2]


def test_the_empty_set_draws_from_the_whole_catalogue() -> None:
    drawn = make([], 2, 3).sample_absent(torch.tensor([0, 1]), 100, torch.Generator().manual_seed(0))
    assert [sorted(row.unique().tolist()) for row in drawn] == [[0, 1, 2], [0, 1, 2]]


def test_the_same_generator_state_gives_the_same_draws(user_items: UserItems) -> None:
    def draw(seed: int) -> Tensor:
        return user_items.sample_absent(torch.tensor([0, 1]), 40, torch.Generator().manual_seed(seed))

    assert torch.equal(draw(5), draw(5))
    assert not torch.equal(draw(5), draw(6))


@pytest.mark.parametrize("at_once", [1, 5, 64])
def test_draws_do_not_depend_on_how_many_are_made_at_once(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw() -> Tensor:
        pairs = make([(0, 1), (0, 4), (1, 0), (2, 5)], 3, 9)
        users = torch.arange(30) % 3
        return pairs.sample_absent(users, 3, torch.Generator().manual_seed(4))

    monkeypatch.setattr(data_user_items, "MAX_TABLE_PAIRS", 0)
    whole = draw()
    monkeypatch.setattr(data_user_items, "_CPU_DRAWS", at_once)
    assert torch.equal(draw(), whole)


@pytest.mark.parametrize(("num_users", "num_samples"), [(0, 3), (2, 0)])
def test_no_users_or_no_samples_give_an_empty_tensor(user_items: UserItems, num_users: int, num_samples: int) -> None:
    assert user_items.sample_absent(torch.arange(num_users), num_samples).shape == (num_users, num_samples)


def test_positions_are_those_of_the_pairs_in_turn(user_items: UserItems) -> None:
    users = torch.tensor([2, 1, -1, 0, 0])
    row, items = user_items.pairs_of(users)
    positions = user_items.positions_of(users)
    assert user_items.items[positions].tolist() == items.tolist()
    assert user_items.users[positions].tolist() == users[row].tolist()


def test_sums_are_those_of_the_weights_of_each_pair() -> None:
    users, items = (np.array(column, dtype=np.int32) for column in ([1, 0, 1], [2, 1, 2]))
    plain = Interactions(users, items, None, None, None, 2, 3)
    assert UserItems.from_interactions(plain).sums(plain).tolist() == [1, 1]
    weighted = replace(plain, weight=np.array([2, 5, 0.5], dtype=np.float32))
    assert UserItems.from_interactions(weighted).sums(weighted).tolist() == [5, 2.5]
