"""Sizes of what is measured: those of the published figures, and tiny ones that a processor runs in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the data, the models and the batches are.

    Args:
        users: of the interactions; 138,493 as in MovieLens 20M.
        items: of the catalogue.
        interactions: that are drawn; repeated pairs count once.
        samples: positives and negatives of a step of NeuMF.
        pairs: positives of a large step of MF.
        embedding_dim: of MF, and of NeuMF's product.
        mlp_dim: of the vectors of NeuMF's perceptron.
        hidden_dims: of NeuMF's perceptron after the concatenation.
        factors: of iALS.
        two_tower_users: of the two-tower's data.
        two_tower_items: of them.
        vectors: in the index.
        queries: that are searched for at once.
        copied_floats: of the copy that measures the bandwidth.
        matrix_size: of the products that measure the rates.
    """

    users: int
    items: int
    interactions: int
    samples: int
    pairs: int
    embedding_dim: int
    mlp_dim: int
    hidden_dims: tuple[int, ...]
    factors: int
    two_tower_users: int
    two_tower_items: int
    vectors: int
    queries: int
    copied_floats: int
    matrix_size: int


#: NVIDIA's NCF: factors 64, layers 256-256-128-64 (two vectors of 128 are the first 256), 4 negatives, a batch of 2^20.
FULL = Sizes(
    users=138_493,
    items=26_744,
    interactions=20_000_000,
    samples=2**20,
    pairs=2**18,
    embedding_dim=64,
    mlp_dim=128,
    hidden_dims=(256, 128, 64),
    factors=128,
    two_tower_users=22_363,
    two_tower_items=12_101,
    vectors=1_000_000,
    queries=1024,
    copied_floats=2**30,
    matrix_size=8192,
)

TINY = Sizes(
    users=60,
    items=40,
    interactions=600,
    samples=320,
    pairs=128,
    embedding_dim=4,
    mlp_dim=4,
    hidden_dims=(8, 4),
    factors=4,
    two_tower_users=300,
    two_tower_items=50,
    vectors=500,
    queries=8,
    copied_floats=2**12,
    matrix_size=32,
)
