import numpy as np
import pytest
import torch

from recsys.distributed.ranks import Ranks
from recsys.errors import ModelError
from recsys.models.linalg import regularised_gram
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


def test_the_inverse_takes_the_place_of_the_matrix():
    vectors = torch.randn(300, 40, generator=torch.Generator().manual_seed(0))
    gram = vectors.T @ vectors
    expected = torch.linalg.inv(gram.double() + 2 * torch.eye(40)).float()
    inverse = regularised_inverse(gram, 2.0)
    assert inverse.data_ptr() == gram.data_ptr() and inverse.is_contiguous()
    torch.testing.assert_close(gram, expected, rtol=1e-4, atol=1e-7)


def test_the_bound_is_the_largest_catalogue():
    check_catalogue(10, max_items=10, num_matrices=3)
    with pytest.raises(ModelError, match="accepts 10 items at most .* there are 11"):
        check_catalogue(11, max_items=10, num_matrices=3)


def test_without_a_bound_it_is_the_free_memory(monkeypatch):
    monkeypatch.setattr(regularised_gram, "free_memory", lambda device: 600)
    check_catalogue(10, max_items=None, num_matrices=1.5)
    with pytest.raises(ModelError, match="for these 11 items"):
        check_catalogue(11, max_items=None, num_matrices=1.5)
    monkeypatch.setattr(regularised_gram, "free_memory", lambda device: None)
    check_catalogue(10**6, max_items=None, num_matrices=9)


def test_ranks_of_one_machine_share_its_memory(monkeypatch):
    monkeypatch.setattr(regularised_gram, "free_memory", lambda device: 1200)
    monkeypatch.setattr(regularised_gram, "ranks", lambda: Ranks(0, 4, 0, 2))
    check_catalogue(10, max_items=None, num_matrices=1.5)
    with pytest.raises(ModelError, match="for these 11 items in 2 processes, but"):
        check_catalogue(11, max_items=None, num_matrices=1.5)
