import numpy as np
import torch

from recsys.models.interface.protocols import Fittable, ScoresPairs, ScoringModel
from recsys.models.random_scores import RandomScores
from tests.models.test_mf import query

#: For the contract that every model keeps.
PERSONALIZED = False

MASK = 2**64 - 1


def split_mix(state: int) -> int:
    """SplitMix64 in Python's integers, from its authors' C."""
    state = (state + 0x9E3779B97F4A7C15) & MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
    return state ^ (state >> 31)


def test_implements_its_protocols():
    model = RandomScores(2, 3)
    assert isinstance(model, ScoringModel)
    assert isinstance(model, Fittable)
    assert isinstance(model, ScoresPairs)


def test_the_reference_gives_the_published_numbers():
    # the first two numbers of SplitMix64 seeded with 1234567
    assert split_mix(1234567) == 6457827717110365317
    assert split_mix(1234567 + 0x9E3779B97F4A7C15) == 3203168211198807973


def test_scores_are_the_hash_of_seed_user_and_item():
    scores = RandomScores(4, 5, seed=7).score(query([3, -1]))
    expected = [
        [(split_mix((split_mix((split_mix(7) + user) & MASK) + item) & MASK) >> 40) / 2**24 for item in range(5)]
        for user in (3, -1)
    ]
    assert scores.tolist() == expected
    assert scores.dtype == torch.float32


def test_scores_are_uniform():
    # 300 x 400 scores in 100 cells, 1200 each; the 0.999 quantile of chi-square with 99 degrees of freedom is 148.2
    scores = RandomScores(300, 400, seed=1).score(query(list(range(300)))).numpy()
    counts = np.bincount((scores * 100).astype(int).ravel(), minlength=100)
    assert len(counts) == 100
    assert ((counts - 1200) ** 2 / 1200).sum() < 148.2


def test_neither_users_nor_items_nor_seeds_have_scores_in_common():
    first, second = (RandomScores(200, 500, seed=seed).score(query(list(range(200)))).numpy() for seed in (1, 2))
    # the standard deviation of a correlation of 100,000 independent pairs is 0.003
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.015
    assert abs(np.corrcoef(first[:-1].ravel(), first[1:].ravel())[0, 1]) < 0.015
    assert abs(np.corrcoef(first[:, :-1].ravel(), first[:, 1:].ravel())[0, 1]) < 0.015
