import numpy as np
import pytest
import torch

from recsys.errors import ModelError
from recsys.models.linalg.regularised_gram import check_catalogue, regularised_inverse


def test_is_the_inverse_in_spite_of_very_different_scales():
    random = np.random.default_rng(0)
    vectors = random.standard_normal((200, 20)) * np.geomspace(1e-3, 1e3, 20)
    gram = vectors.T @ vectors
    expected = np.linalg.inv(gram + 0.1 * np.eye(20))
    inverse = regularised_inverse(torch.from_numpy(gram).float(), 0.1).numpy()
    scale = np.sqrt(np.outer(expected.diagonal(), expected.diagonal()))
    assert (abs(inverse - expected) / scale).max() < 1e-5


def test_refuses_what_single_precision_cannot_tell_apart():
    with pytest.raises(ModelError, match=r"for 2 items.*a regularisation of 1e-07: it is too small.*Raise model.l2"):
        regularised_inverse(torch.full((2, 2), 30.0), 1e-7)


def test_the_bound_is_the_largest_catalogue():
    check_catalogue(10, max_items=10, num_matrices=3)
    with pytest.raises(ModelError, match="3 matrices of items by items"):
        check_catalogue(11, max_items=10, num_matrices=3)
