from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import EvaluationError
from recsys.evaluation.metrics import (
    RANKING_METRICS,
    average_precision,
    capped_recall,
    hit_rate,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
)
from tests.evaluation import numpy_reference

# Two users. The first has hits at ranks 1 and 3 of 4 and three relevant items; the second at rank 4 only, of one.
HITS = torch.tensor([[1, 0, 1, 0], [0, 0, 0, 1]], dtype=torch.bool)
NUM_RELEVANT = torch.tensor([3, 1])


@pytest.mark.parametrize(
    ("metric", "k", "expected"),
    [
        (precision, 4, [2 / 4, 1 / 4]),
        (precision, 2, [1 / 2, 0 / 2]),
        (recall, 4, [2 / 3, 1 / 1]),
        (recall, 2, [1 / 3, 0 / 1]),
        (capped_recall, 4, [2 / 3, 1 / 1]),
        (capped_recall, 2, [1 / 2, 0 / 1]),  # two places for three relevant items
        (hit_rate, 4, [1, 1]),
        (hit_rate, 2, [1, 0]),
        # precision is 1/1 at rank 1 and 2/3 at rank 3; 1/4 at rank 4
        (average_precision, 4, [(1 + 2 / 3) / 3, 1 / 4]),
        (average_precision, 2, [1 / 2, 0]),
        # discounts 1/log2(2..5): 1, 0.6309, 0.5, 0.4307; ideal of three: 2.1309, of two: 1.6309
        (ndcg, 4, [1.5 / (1 + 1 / math.log2(3) + 0.5), 1 / math.log2(5)]),
        (ndcg, 2, [1 / (1 + 1 / math.log2(3)), 0]),
        (reciprocal_rank, 4, [1, 1 / 4]),
        (reciprocal_rank, 2, [1, 0]),
    ],
)
def test_hand_computed_values(metric, k, expected):
    torch.testing.assert_close(metric(HITS, NUM_RELEVANT, k), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("name", RANKING_METRICS)
def test_a_user_without_relevant_items_has_no_value(name):
    hits = torch.zeros(2, 3, dtype=torch.bool)
    values = RANKING_METRICS[name](hits, torch.tensor([0, 2]), 3)
    assert values.isnan().tolist() == [True, False]


@pytest.mark.parametrize("name", RANKING_METRICS)
@pytest.mark.parametrize("k", [0, 5])
def test_a_cut_off_outside_the_ranks_is_an_error(name, k):
    with pytest.raises(EvaluationError, match=f"from 1 to the number of ranks, which is 4; it is {k}: rank more items"):
        RANKING_METRICS[name](HITS, NUM_RELEVANT, k)


@pytest.mark.parametrize("name", RANKING_METRICS)
def test_no_users_give_no_values(name):
    values = RANKING_METRICS[name](torch.zeros(0, 3, dtype=torch.bool), torch.zeros(0, dtype=torch.int64), 3)
    assert values.shape == (0,)
    assert values.dtype == torch.float64


@pytest.mark.parametrize("name", sorted(set(RANKING_METRICS) - {"precision", "recall"}))
def test_a_list_that_starts_with_all_that_fits_has_one(name):
    hits = torch.tensor([[True, True, True], [True, False, False]])
    assert RANKING_METRICS[name](hits, torch.tensor([7, 1]), 3).tolist() == pytest.approx([1.0, 1.0])


users_and_lists = st.lists(
    st.tuples(st.permutations(range(8)), st.sets(st.integers(0, 9), min_size=1)), min_size=1, max_size=6
)


@pytest.mark.parametrize("name", RANKING_METRICS)
@given(cases=users_and_lists, k=st.integers(1, 8))
def test_agrees_with_a_user_by_user_reference(name, cases, k):
    hits = torch.tensor([[item in relevant for item in ranked] for ranked, relevant in cases])
    num_relevant = torch.tensor([len(relevant) for _, relevant in cases])
    expected = [numpy_reference.METRICS[name](list(ranked), relevant, k) for ranked, relevant in cases]
    assert RANKING_METRICS[name](hits, num_relevant, k).tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", RANKING_METRICS)
@given(cases=users_and_lists, k=st.integers(1, 8), rank=st.integers(0, 6))
def test_moving_a_hit_forward_never_hurts(name, cases, k, rank):
    hits = torch.tensor([[item in relevant for item in ranked] for ranked, relevant in cases])
    num_relevant = torch.tensor([len(relevant) for _, relevant in cases])
    better = hits.clone()
    better[:, rank], better[:, rank + 1] = hits[:, rank] | hits[:, rank + 1], hits[:, rank] & hits[:, rank + 1]
    metric = RANKING_METRICS[name]
    assert (metric(better, num_relevant, k) >= metric(hits, num_relevant, k) - 1e-12).all()


@pytest.mark.parametrize("name", RANKING_METRICS)
@given(cases=users_and_lists, k=st.integers(1, 8))
def test_values_lie_between_zero_and_one(name, cases, k):
    hits = torch.tensor([[item in relevant for item in ranked] for ranked, relevant in cases])
    values = RANKING_METRICS[name](hits, torch.tensor([len(relevant) for _, relevant in cases]), k)
    assert ((values >= 0) & (values <= 1 + 1e-12)).all()
