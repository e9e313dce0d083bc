import torch

from recsys.models.linalg.row_positions import row_positions


def test_columns_are_padded_to_the_longest_row():
    items, inside = row_positions(torch.tensor([[True, False, True], [False, False, False], [False, True, False]]))
    assert items.tolist() == [[0, 2], [0, 0], [1, 0]]
    assert inside.tolist() == [[True, True], [False, False], [True, False]]
