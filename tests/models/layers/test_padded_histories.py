import torch

from recsys.data.histories import Histories
from recsys.models.layers.padded_histories import PaddedHistories

#: Three users: items 5, 6, 7 at hours 0, 1, 3; nothing; item 8.
HISTORIES = Histories(
    offsets=torch.tensor([0, 3, 3, 4]),
    items=torch.tensor([5, 6, 7, 8]),
    rating=torch.tensor([1.0, 2.0, 3.0, 4.0]),
    timestamp=torch.tensor([0, 3600, 10_800, 99]),
)


def test_short_histories_are_filled_up_at_their_end():
    padded = PaddedHistories.latest(HISTORIES, max_length=5)
    assert padded.items.tolist() == [[5, 6, 7], [0, 0, 0], [8, 0, 0]]
    assert padded.lengths.tolist() == [3, 0, 1]
    assert padded.rating.tolist() == [[1, 2, 3], [0, 0, 0], [4, 0, 0]]


def test_long_histories_keep_their_latest_interactions():
    padded = PaddedHistories.latest(HISTORIES, max_length=2)
    assert padded.items.tolist() == [[6, 7], [0, 0], [8, 0]]


def test_gaps_are_seconds_since_the_interaction_before_in_the_row():
    padded = PaddedHistories.latest(HISTORIES, max_length=5)
    assert padded.time_gaps.tolist() == [[0, 3600, 7200], [0, 0, 0], [0, 0, 0]]


def test_without_ratings_and_times_there_are_none():
    bare = Histories(HISTORIES.offsets, HISTORIES.items, None, None)
    padded = PaddedHistories.latest(bare, max_length=5)
    assert padded.rating is None
    assert padded.time_gaps is None


def test_rows_are_cut_anywhere():
    padded = PaddedHistories.cut(HISTORIES, torch.tensor([1, 0, 3]), torch.tensor([1, 2, 0]))
    assert padded.items.tolist() == [[6, 0], [5, 6], [0, 0]]


def test_no_history_at_all_gives_rows_without_positions():
    nothing = Histories(torch.zeros(3, dtype=torch.int64), torch.empty(0, dtype=torch.int64), None, None)
    padded = PaddedHistories.latest(nothing, max_length=5)
    assert padded.items.shape == (2, 0)


def test_an_empty_row_beside_others_of_an_empty_table_is_no_error():
    nothing = Histories(
        torch.zeros(2, dtype=torch.int64),
        torch.empty(0, dtype=torch.int64),
        torch.empty(0),
        torch.empty(0, dtype=torch.int64),
    )
    padded = PaddedHistories.cut(nothing, torch.tensor([0]), torch.tensor([0]))
    assert padded.rating.shape == padded.time_gaps.shape == (1, 0)
