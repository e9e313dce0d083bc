import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.training.window_packing import ROW_MULTIPLE, first_slots, pack_windows

LENGTHS = st.lists(st.integers(1, 20), min_size=1, max_size=40)


@given(LENGTHS)
def test_windows_neither_overlap_nor_cross_the_end_of_a_row(lengths):
    slots = first_slots(np.array(lengths), 20)
    taken = [slot + place for slot, length in zip(slots.tolist(), lengths, strict=True) for place in range(length)]
    assert len(set(taken)) == len(taken)
    assert all(slot // 20 == (slot + length - 1) // 20 for slot, length in zip(slots.tolist(), lengths, strict=True))


@given(LENGTHS)
def test_no_two_rows_could_be_one(lengths):
    rows = first_slots(np.array(lengths), 20) // 20
    filled = np.sort(np.bincount(rows, weights=lengths))
    assert len(filled) == 1 or filled[:2].sum() > 20


def test_three_windows_fill_two_rows():
    # 7 first, then 5, which leaves 3 of the second row; the 1 fits best behind the 7.
    assert first_slots(np.array([1, 5, 7]), 8).tolist() == [7, 8, 0]


def test_positions_targets_and_users_of_packed_windows():
    # User 4 has the interactions 10 to 12; user 6 has 20 and 21, of which 20 was a target in the window before.
    packed = pack_windows(
        np.array([4, 6]), np.array([10, 20]), np.array([3, 2]), np.array([False, True]), torch.device("cpu")
    )
    assert packed.positions.shape == (1, ROW_MULTIPLE)
    # The state before the first interaction, those after 10 and 11; before 20 and after it; three of padding.
    assert packed.positions.tolist() == [[10, 10, 11, 20, 20, 0, 0, 0]]
    assert packed.places.tolist() == [[0, 1, 2, 0, 1, 0, 0, 0]]
    assert packed.windows.tolist() == [[0, 0, 0, 1, 1, 2, 2, 2]]
    assert packed.users.tolist() == [4, 6, -1]
    assert packed.predicting.tolist() == [0, 1, 2, 4]
    assert packed.targets.tolist() == [10, 11, 12, 21]
    assert packed.target_users.tolist() == [4, 4, 4, 6]
