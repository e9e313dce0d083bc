import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.user_rows import UserRows


def make(
    users: list[int], items: list[int], timestamps: list[int] | None = None, num_users: int | None = None
) -> Interactions:
    """Interactions rated 0.5, 1.5, 2.5, ... so that a rating tells its row."""
    return Interactions(
        user_index=np.array(users, dtype=np.int32),
        item_index=np.array(items, dtype=np.int32),
        rating=np.arange(len(users), dtype=np.float32) + 0.5,
        timestamp=None if timestamps is None else np.array(timestamps, dtype=np.int64),
        fold=None,
        num_users=max(users, default=-1) + 1 if num_users is None else num_users,
        num_items=max(items, default=-1) + 1,
    )


def rows_of(column: Tensor, histories: Histories) -> list[list[float]]:
    return [part.tolist() for part in column.split(histories.counts.tolist())]


def test_each_user_has_a_row_oldest_first() -> None:
    # user 0: item 7 at 30, item 5 at 10 -> [5, 7]; user 1: item 6 at 20.
    histories = Histories.from_interactions(make([0, 1, 0], [7, 6, 5], [30, 20, 10]))
    assert rows_of(histories.items, histories) == [[5, 7], [6]]


def test_rating_and_time_follow_their_item() -> None:
    histories = Histories.from_interactions(make([0, 1, 0], [7, 6, 5], [30, 20, 10]))
    assert histories.rating is not None and rows_of(histories.rating, histories) == [[2.5, 0.5], [1.5]]
    assert histories.timestamp is not None and rows_of(histories.timestamp, histories) == [[10, 30], [20]]


def test_ties_in_time_keep_the_order_of_the_interactions() -> None:
    histories = Histories.from_interactions(make([0] * 5, [4, 2, 3, 0, 1], [7, 7, 1, 7, 7]))
    assert histories.items.tolist() == [3, 4, 2, 0, 1]


def test_without_time_the_order_of_the_interactions_is_kept() -> None:
    histories = Histories.from_interactions(make([1, 0, 1, 0], [9, 8, 3, 1]))
    assert rows_of(histories.items, histories) == [[8, 1], [9, 3]]
    assert histories.timestamp is None


def test_a_user_without_interactions_has_an_empty_row() -> None:
    histories = Histories.from_interactions(make([1], [4], num_users=3))
    assert len(histories) == 3
    assert rows_of(histories.items, histories) == [[], [4], []]


def test_no_interactions_at_all_give_empty_rows() -> None:
    histories = Histories.from_interactions(make([], [], [], num_users=2))
    assert histories.counts.tolist() == [0, 0]
    assert len(histories.items) == 0


def test_missing_ratings_stay_missing() -> None:
    bare = Interactions(np.zeros(2, np.int32), np.zeros(2, np.int32), None, None, None, 1, 1)
    histories = Histories.from_interactions(bare)
    assert histories.rating is None and histories.timestamp is None
    assert histories.take(torch.tensor([0])).rating is None


def test_dtypes_are_as_documented() -> None:
    histories = Histories.from_interactions(make([0], [0], [5]))
    assert histories.offsets.dtype == histories.items.dtype == torch.int64
    assert histories.rating is not None and histories.rating.dtype == torch.float32
    assert histories.timestamp is not None and histories.timestamp.dtype == torch.int64


def test_read_only_arrays_are_accepted() -> None:
    interactions = make([0, 1], [1, 0], [3, 4])
    for column in (interactions.user_index, interactions.item_index, interactions.rating, interactions.timestamp):
        assert column is not None
        column.flags.writeable = False
    assert Histories.from_interactions(interactions).items.tolist() == [1, 0]


def test_take_repeats_reorders_and_knows_the_unknown_user() -> None:
    histories = Histories.from_interactions(make([0, 1, 0], [7, 6, 5], [30, 20, 10]))
    taken = histories.take(torch.tensor([1, -1, 0, 1]))
    assert rows_of(taken.items, taken) == [[6], [], [5, 7], [6]]
    assert taken.rating is not None and rows_of(taken.rating, taken) == [[1.5], [], [2.5, 0.5], [1.5]]
    assert taken.timestamp is not None and rows_of(taken.timestamp, taken) == [[20], [], [10, 30], [20]]


@pytest.mark.parametrize("rows", [[-1], [-1, -1, -1]])
def test_take_of_unknown_users_alone_gives_empty_rows(rows: list[int]) -> None:
    taken = Histories.from_interactions(make([0, 0], [1, 2])).take(torch.tensor(rows))
    assert taken.counts.tolist() == [0] * len(rows)
    assert len(taken.items) == 0


def test_take_of_no_rows_has_no_rows() -> None:
    taken = Histories.from_interactions(make([0], [1])).take(torch.empty(0, dtype=torch.int64))
    assert len(taken) == 0
    assert taken.offsets.tolist() == [0]


@given(data=st.data())
def test_histories_agree_with_sorting_each_user_by_hand(data: st.DataObject) -> None:
    num_users = data.draw(st.integers(1, 5))
    pairs = st.tuples(st.integers(0, num_users - 1), st.integers(0, 6), st.integers(0, 3))
    drawn = data.draw(st.lists(pairs, max_size=25))
    users, items, times = ([triple[column] for triple in drawn] for column in range(3))
    histories = Histories.from_interactions(make(users, items, times, num_users=num_users))
    by_hand = [
        [item for _, item in sorted(((time, item) for u, item, time in drawn if u == user), key=lambda pair: pair[0])]
        for user in range(num_users)
    ]
    assert rows_of(histories.items, histories) == by_hand

    asked = data.draw(st.lists(st.integers(-1, num_users - 1), max_size=8))
    taken = histories.take(torch.tensor(asked, dtype=torch.int64))
    assert rows_of(taken.items, taken) == [by_hand[user] if user >= 0 else [] for user in asked]


def test_items_at_some_positions_are_those_of_all_items() -> None:
    histories = Histories.from_interactions(make([0, 1, 0], [7, 6, 5], [30, 20, 10]))
    position = torch.tensor([2, 0])
    assert histories.items_at(position).equal(histories.items[position])
    assert histories.take(torch.tensor([0])).items_at(slice(1, 2)).tolist() == [7]


def test_what_was_read_as_a_whole_and_what_is_read_by_batches_agree() -> None:
    histories = Histories.from_interactions(make([0, 1, 0], [7, 6, 5], [30, 20, 10]))
    before = histories.take(torch.tensor([1, 0]))
    ratings = before.rating
    assert histories.rating is not None and ratings is not None
    assert histories.rating.tolist() == [2.5, 0.5, 1.5]
    assert before.rating is not None and before.rating.equal(ratings)
    assert before.take(torch.tensor([1])).rating.tolist() == [2.5, 0.5]  # type: ignore[union-attr]


def test_they_are_put_in_order_when_a_column_is_first_read_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ordered: list[Interactions] = []
    by_time = UserRows.by_time
    monkeypatch.setattr(UserRows, "by_time", lambda interactions: ordered.append(interactions) or by_time(interactions))
    histories = Histories.from_interactions(make([0, 1, 0], [7, 6, 5], [30, 20, 10]))
    taken = histories.take(torch.tensor([1, 0])).take(torch.tensor([1]))
    assert taken.counts.tolist() == [2] and histories.host_lengths().tolist() == [2, 1] and not ordered
    assert taken.items.tolist() == [5, 7] and taken.rating is not None and taken.rating.tolist() == [2.5, 0.5]
    assert histories.items.tolist() == [5, 7, 6] and len(ordered) == 1


def test_interactions_that_were_taken_from_others_give_their_own_rows() -> None:
    interactions = make([0, 1, 0, 1], [7, 6, 5, 4], [30, 20, 10, 5]).take(np.array([3, 0, 2]))
    histories = Histories.from_interactions(interactions)
    assert rows_of(histories.items, histories) == [[5, 7], [4]]
    assert histories.rating is not None and rows_of(histories.rating, histories) == [[2.5, 0.5], [3.5]]
