from __future__ import annotations

import torch

from recsys.data.feature_tensors import CategoricalFeature, NumberFeature, RaggedFeature

COLOUR = CategoricalFeature(torch.tensor([2, 0, 1]), ("blue", "red"))
# Rows: [b, a, b], [], [a].
TAGS = RaggedFeature(torch.tensor([0, 3, 3, 4]), torch.tensor([2, 1, 2, 1]), ("a", "b"))


def test_codes_include_zero_for_missing_values() -> None:
    assert COLOUR.num_codes == 3
    assert TAGS.num_codes == 3
    assert CategoricalFeature(torch.zeros(2, dtype=torch.int64), ()).num_codes == 1


def test_a_missing_category_has_a_row_of_zeros() -> None:
    assert COLOUR.multi_hot().tolist() == [[0, 1], [0, 0], [1, 0]]
    assert COLOUR.multi_hot().dtype == torch.float32


def test_repeated_values_of_a_row_are_marked_once() -> None:
    assert TAGS.multi_hot().tolist() == [[1, 1], [0, 0], [1, 0]]
    assert TAGS.multi_hot().dtype == torch.float32


def test_without_a_vocabulary_there_are_no_columns() -> None:
    empty = RaggedFeature(torch.zeros(3, dtype=torch.int64), torch.zeros(0, dtype=torch.int64), ())
    assert empty.multi_hot().shape == (2, 0)
    assert CategoricalFeature(torch.zeros(2, dtype=torch.int64), ()).multi_hot().shape == (2, 0)


def test_features_move_with_their_vocabulary() -> None:
    moved = COLOUR.to("meta")
    assert moved.codes.device.type == "meta" and moved.vocabulary == ("blue", "red")
    ragged = TAGS.to("meta")
    assert ragged.codes.device.type == ragged.offsets.device.type == "meta" and ragged.vocabulary == ("a", "b")
    number = NumberFeature(torch.zeros(2), torch.tensor([True, False])).to("meta")
    assert number.values.device.type == number.missing.device.type == "meta"
