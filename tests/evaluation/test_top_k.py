from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import EvaluationError
from recsys.evaluation.top_k import top_k
from tests.evaluation import numpy_reference

INF = math.inf


def test_best_first():
    items, scores = top_k(torch.tensor([[0.1, 0.9, 0.5]]), 2)
    assert items.tolist() == [[1, 2]]
    torch.testing.assert_close(scores, torch.tensor([[0.9, 0.5]]))


def test_ties_go_to_the_lower_index_inside_and_at_the_end_of_the_list():
    scores = torch.tensor([[1.0, 2.0, 1.0, 2.0, 1.0, 1.0]])
    assert top_k(scores, 4)[0].tolist() == [[1, 3, 0, 2]]


def test_a_constant_row_gives_the_first_items():
    assert top_k(torch.zeros(2, 1000), 3)[0].tolist() == [[0, 1, 2]] * 2


def test_zero_and_negative_zero_are_equal():
    assert top_k(torch.tensor([[0.0, -0.0, 0.0, -0.0]]), 3)[0].tolist() == [[0, 1, 2]]
    assert top_k(torch.tensor([[-0.0, 0.0]]), 2)[0].tolist() == [[0, 1]]


def test_unscored_and_masked_items_are_never_recommended():
    items, scores = top_k(torch.tensor([[math.nan, 1.0, -INF, 2.0], [math.nan] * 4, [-INF] * 4]), 3)
    assert items.tolist() == [[3, 1, -1], [-1] * 3, [-1] * 3]
    assert scores.tolist() == [[2.0, 1.0, -INF], [-INF] * 3, [-INF] * 3]


def test_infinity_is_a_score():
    assert top_k(torch.tensor([[INF, 1.0, math.nan, INF]]), 3)[0].tolist() == [[0, 3, 1]]


def test_a_list_longer_than_the_catalogue_is_filled_up():
    items, scores = top_k(torch.tensor([[1.0, 2.0]]), 4)
    assert items.tolist() == [[1, 0, -1, -1]]
    assert scores.tolist() == [[2.0, 1.0, -INF, -INF]]


def test_an_empty_catalogue_recommends_nothing():
    items, scores = top_k(torch.zeros(2, 0), 3)
    assert items.tolist() == [[-1] * 3] * 2
    assert scores.tolist() == [[-INF] * 3] * 2


def test_no_rows_give_no_lists():
    items, scores = top_k(torch.zeros(0, 5), 3)
    assert items.shape == scores.shape == (0, 3)


def test_a_list_of_no_items_is_an_error():
    with pytest.raises(EvaluationError, match="at least 1 item; k is 0: ask for 1 or more"):
        top_k(torch.zeros(1, 5), 0)


def test_the_given_scores_are_not_changed():
    scores = torch.tensor([[1.0, math.nan, 1.0, 1.0]])
    before = scores.clone()
    top_k(scores, 2)
    torch.testing.assert_close(scores, before, equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_types_are_kept(dtype):
    items, scores = top_k(torch.tensor([[1, 3, 3, 2]], dtype=dtype), 3)
    assert items.tolist() == [[1, 2, 3]]
    assert items.dtype == torch.int64
    assert scores.dtype == dtype


# Few values, so that ties and rows with few candidates are the rule.
tied_rows = st.integers(0, 12).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from([math.nan, -INF, INF, -1.0, -0.0, 0.0, 1.0, 2.0]), min_size=width, max_size=width),
        min_size=1,
        max_size=5,
    )
)


@given(rows=tied_rows, k=st.integers(1, 14))
def test_agrees_with_sorting_each_row(rows, k):
    items, scores = top_k(torch.tensor(rows), k)
    for row, row_items, row_scores in zip(rows, items.tolist(), scores.tolist(), strict=True):
        expected = numpy_reference.rank(row, k)
        filling = k - len(expected)
        assert row_items == expected + [-1] * filling
        assert row_scores == [row[item] for item in expected] + [-INF] * filling


@given(seed=st.integers(0, 10_000), k=st.integers(1, 60), num_values=st.sampled_from([2, 10, 1000]))
def test_agrees_with_a_stable_sort_of_long_rows(seed, k, num_values):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(num_values, (4, 500), generator=generator).float()
    _, expected = scores.sort(dim=1, descending=True, stable=True)
    assert torch.equal(top_k(scores, k)[0], expected[:, :k])
