from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.evaluation.catalogue import (
    ContentDirections,
    coverage,
    exposure_counts,
    gini,
    intra_list_diversity,
    novelty,
    self_information,
)
from tests.evaluation import numpy_reference

NOTHING = torch.zeros(0, dtype=torch.int64)


def test_exposure_counts_every_place_but_the_empty_ones():
    items = torch.tensor([[0, 2], [2, -1], [-1, -1]])
    assert exposure_counts(items, 4).tolist() == [1, 0, 2, 0]


def test_coverage_is_the_share_of_items_recommended_to_anyone():
    assert coverage(torch.tensor([5, 0, 1, 0])).item() == 0.5


def test_gini_of_equal_exposure_is_zero():
    assert gini(torch.tensor([3, 3, 3])).item() == pytest.approx(0.0)


def test_gini_of_one_exposed_item_is_one_minus_one_over_the_catalogue():
    assert gini(torch.tensor([0, 0, 9, 0])).item() == pytest.approx(3 / 4)


def test_gini_of_a_hand_computed_case():
    # ascending 1, 2, 3: (-2*1 + 0*2 + 2*3) / (3 * 6) = 4/18
    assert gini(torch.tensor([2, 3, 1])).item() == pytest.approx(4 / 18)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20).filter(any))
def test_gini_is_half_the_relative_mean_difference(counts):
    assert gini(torch.tensor(counts)).item() == pytest.approx(numpy_reference.gini(counts))


def test_an_empty_catalogue_has_neither_coverage_nor_gini():
    assert math.isnan(coverage(NOTHING).item())
    assert math.isnan(gini(NOTHING).item())


def test_gini_is_not_defined_without_recommendations():
    assert math.isnan(gini(torch.tensor([0, 0])).item())


def test_self_information_in_bits():
    # of 8 users: 8, 4 and 1 have the item; nobody counts as one user; twice by someone counts at most as everybody
    assert self_information(torch.tensor([8, 4, 1, 0, 9]), 8).tolist() == pytest.approx([0, 1, 3, 3, 0])


def test_self_information_without_training_users_is_zero():
    assert self_information(torch.tensor([0, 0]), 0).tolist() == [0, 0]


def test_novelty_is_the_mean_over_the_places_that_are_filled():
    information = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    items = torch.tensor([[0, 2], [1, -1], [-1, -1]])
    assert novelty(items, information).tolist() == pytest.approx([1.5, 1.0, math.nan], nan_ok=True)


def test_novelty_of_an_empty_catalogue_is_not_defined():
    assert novelty(torch.tensor([[-1]]), torch.zeros(0, dtype=torch.float64)).isnan().all()


def test_diversity_of_a_hand_computed_case():
    content = ContentDirections.from_vectors(torch.tensor([[2, 0], [0, 5], [1, 1], [0, 0]]))
    # cosines: 0-1 is 0, 0-2 and 1-2 are sqrt(1/2); item 3 has no content
    mean_cosine = (0 + 2 * math.sqrt(0.5)) / 3
    items = torch.tensor([[0, 1, 2], [0, 1, 3], [0, 3, -1], [2, 2, 2]])
    expected = [1 - mean_cosine, 1.0, math.nan, 0.0]
    assert intra_list_diversity(items, content).tolist() == pytest.approx(expected, nan_ok=True, abs=1e-6)


def test_diversity_of_an_empty_catalogue_is_not_defined():
    content = ContentDirections.from_vectors(torch.zeros(0, 3))
    assert intra_list_diversity(torch.tensor([[-1, -1]]), content).isnan().all()


@given(seed=st.integers(0, 10_000), length=st.integers(1, 6))
def test_diversity_agrees_with_all_pairs(seed, length):
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(9, 4)) * random.integers(0, 2, size=(9, 1))
    items = np.stack([random.permutation(9)[:length] for _ in range(5)])
    items[random.random(items.shape) < 0.2] = -1
    content = ContentDirections.from_vectors(torch.from_numpy(vectors))
    expected = [numpy_reference.diversity([item for item in row if item >= 0], vectors) for row in items]
    actual = intra_list_diversity(torch.from_numpy(items), content).tolist()
    assert actual == pytest.approx(expected, nan_ok=True, abs=1e-5)
