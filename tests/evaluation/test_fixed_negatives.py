from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.errors import EvaluationError, ModelError
from recsys.evaluation.fixed_negatives import evaluate_fixed_negatives
from tests.evaluation.score_table import PairTable, ScoreTable

NAN = math.nan


def histories_of(num_users: int) -> Histories:
    nothing = np.empty(0, dtype=np.int32)
    return Histories.from_interactions(Interactions(nothing, nothing, None, None, None, num_users, 1))


def measure(row, negatives, ks=(2,), target=0):
    """The values of one user with one row of scores."""
    result = evaluate_fixed_negatives(
        PairTable(torch.tensor([row])),
        torch.tensor([0]),
        torch.tensor([target]),
        torch.tensor([negatives]),
        ks,
        bootstrap_samples=0,
    )
    return {name: values.item() for name, values in result.per_row.items()}


def test_the_rank_is_the_number_of_negatives_above():
    # One negative of three is above: rank 2.
    found = measure([5.0, 9.0, 1.0, 2.0], [1, 2, 3])
    discounted = 1 / math.log2(3)
    assert found == {
        "hit_rate@2": 1.0,
        "ndcg@2": pytest.approx(discounted),
        "hit_rate@2_strict": 1.0,
        "ndcg@2_strict": pytest.approx(discounted),
    }


def test_below_the_cut_off_is_no_hit():
    assert set(measure([5.0, 9.0, 8.0, 7.0], [1, 2, 3]).values()) == {0.0}


def test_ties_are_in_favour_and_against_in_the_strict_twin():
    # One above and two equal: rank 2 in favour, rank 4 against.
    found = measure([5.0, 9.0, 5.0, 5.0], [1, 2, 3])
    assert (found["hit_rate@2"], found["hit_rate@2_strict"]) == (1.0, 0.0)


def test_a_negative_that_is_the_held_out_item_is_a_tie():
    found = measure([5.0, 4.0, 3.0], [0, 1, 2], ks=(1,))
    assert (found["hit_rate@1"], found["hit_rate@1_strict"]) == (1.0, 0.0)


def test_it_is_a_tie_even_where_the_model_scores_the_pair_twice_differently():
    class Unsteady:
        def score_pairs(self, users, items):
            return torch.tensor([[5.0, 5.0001, 4.9999, 1.0]])

    result = evaluate_fixed_negatives(
        Unsteady(), torch.tensor([0]), torch.tensor([0]), torch.tensor([[0, 0, 2]]), (1, 3), bootstrap_samples=0
    )
    assert result.means() == pytest.approx(
        # in favour: rank 1; against: two ties before it, rank 3
        {"hit_rate@1": 1, "ndcg@1": 1, "hit_rate@1_strict": 0, "ndcg@1_strict": 0}
        | {"hit_rate@3": 1, "ndcg@3": 1, "hit_rate@3_strict": 1, "ndcg@3_strict": 0.5}
    )


def test_a_negative_without_a_score_is_below():
    found = measure([5.0, NAN, NAN, 4.0], [1, 2, 3], ks=(1,))
    assert set(found.values()) == {1.0}


def test_a_held_out_item_without_a_score_is_behind_all_negatives():
    assert set(measure([NAN, 1.0, NAN, NAN], [1, 2, 3], ks=(3,)).values()) == {0.0}
    assert set(measure([NAN] * 4, [1, 2, 3], ks=(3,)).values()) == {0.0}


def test_names_of_the_numbers():
    scores = torch.rand(4, 8, generator=torch.Generator().manual_seed(0))
    negatives = torch.arange(1, 7).expand(4, 6)
    result = evaluate_fixed_negatives(PairTable(scores), torch.arange(4), torch.zeros(4).long(), negatives, (5,))
    names = ("hit_rate@5", "ndcg@5", "hit_rate@5_strict", "ndcg@5_strict")
    assert set(result.flat()) == {f"sampled-6/{name}{end}" for name in names for end in ("", "_low", "_high")}
    for name in names:
        numbers = [result.flat()[f"sampled-6/{name}{end}"] for end in ("_low", "", "_high")]
        assert numbers == sorted(numbers)


@given(seed=st.integers(0, 10_000), k=st.integers(1, 7))
def test_agrees_with_a_row_by_row_reference(seed, k):
    random = np.random.default_rng(seed)
    scores = random.integers(0, 4, size=(5, 20)).astype(np.float32)
    users, targets = random.integers(0, 5, size=11), random.integers(0, 20, size=11)
    negatives = random.integers(0, 20, size=(11, 7))
    rows = map(torch.from_numpy, (users, targets, negatives))
    model = PairTable(torch.from_numpy(scores))
    result = evaluate_fixed_negatives(model, *rows, (k,), batch_size=4, bootstrap_samples=0)
    for row, (user, target) in enumerate(zip(users, targets, strict=True)):
        above = sum(scores[user, i] > scores[user, target] for i in negatives[row])
        not_below = sum(scores[user, i] >= scores[user, target] for i in negatives[row])
        for suffix, place in (("", above), ("_strict", not_below)):
            assert result.per_row[f"hit_rate@{k}{suffix}"][row] == (place < k)
            expected = 1 / math.log2(place + 2) if place < k else 0
            assert result.per_row[f"ndcg@{k}{suffix}"][row] == pytest.approx(expected)


def test_whole_rows_give_the_same_as_pairs_for_any_batch_size():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randint(5, (9, 30), generator=generator).float()
    users, targets = torch.arange(9), torch.randint(30, (9,), generator=generator)
    negatives = torch.randint(30, (9, 12), generator=generator)
    pairs = evaluate_fixed_negatives(PairTable(scores), users, targets, negatives)
    for batch_size in (1, 4, 100):
        rows = evaluate_fixed_negatives(
            ScoreTable(scores), users, targets, negatives, histories=histories_of(9), batch_size=batch_size
        )
        assert rows.flat() == pairs.flat()


def test_whole_rows_need_histories():
    with pytest.raises(EvaluationError, match="ScoreTable scores the whole catalogue .* none: pass histories="):
        evaluate_fixed_negatives(
            ScoreTable(torch.zeros(1, 3)), torch.tensor([0]), torch.tensor([0]), torch.tensor([[1, 2]]), (1,)
        )


@pytest.mark.parametrize("k", [0, 3])
def test_a_cut_off_out_of_range_is_an_error(k):
    with pytest.raises(EvaluationError, match=rf"from 1 to the number of negatives, which is 2; they are \[{k}\]"):
        measure([1.0, 2.0, 3.0], [1, 2], ks=(k,))


def test_shapes_that_disagree_are_an_error():
    with pytest.raises(EvaluationError, match=r"they have \[2\], \[2\] and \[3, 1\]: pass one row"):
        evaluate_fixed_negatives(
            PairTable(torch.zeros(2, 2)), torch.tensor([0, 1]), torch.tensor([0, 1]), torch.zeros(3, 1).long(), (1,)
        )


def test_no_rows_are_an_error():
    nothing = torch.zeros(0).long()
    with pytest.raises(EvaluationError, match="at least one held-out item; there are none"):
        evaluate_fixed_negatives(PairTable(torch.zeros(2, 2)), nothing, nothing, torch.zeros(0, 9).long())


def test_scores_of_another_shape_are_an_error():
    class Flat:
        def score_pairs(self, users, items):
            return torch.zeros(len(users))

    with pytest.raises(ModelError, match=r"one score for each pair, shape \[1, 3\]; Flat returned shape \[1\]"):
        evaluate_fixed_negatives(Flat(), torch.tensor([0]), torch.tensor([0]), torch.tensor([[1, 2]]), (1,))
