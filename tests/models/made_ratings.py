"""Ratings with a known answer: made by biases and a few dimensions, or drawn at random."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.models.interface.protocols import Query


def interactions_of(
    users: npt.ArrayLike, items: npt.ArrayLike, ratings: npt.ArrayLike | None, num_users: int, num_items: int
) -> Interactions:
    return Interactions(
        np.asarray(users, np.int32),
        np.asarray(items, np.int32),
        None if ratings is None else np.asarray(ratings, np.float32),
        None,
        None,
        num_users,
        num_items,
    )


def random_ratings(num_users: int = 12, num_items: int = 9, share: float = 0.6, seed: int = 0) -> Interactions:
    """Ratings from 1 to 5; user 0 and item 0 have none."""
    random = np.random.default_rng(seed)
    users, items = np.nonzero(random.random((num_users, num_items)) < share)
    kept = (users > 0) & (items > 0)
    users, items = users[kept], items[kept]
    return interactions_of(users, items, random.integers(1, 6, len(users)), num_users, num_items)


def made_ratings(
    num_users: int = 80, num_items: int = 50, dim: int = 2, seed: int = 0
) -> tuple[Interactions, Interactions]:
    """``3 + b_u + b_i + p_u . q_i`` without noise: 70 % of all pairs to learn from, and the others."""
    random = np.random.default_rng(seed)
    ratings = 3 + random.normal(0, 0.3, (num_users, 1)) + random.normal(0, 0.3, (1, num_items))
    ratings = ratings + random.normal(size=(num_users, dim)) @ random.normal(size=(dim, num_items)) / np.sqrt(dim)
    users, items = np.indices(ratings.shape).reshape(2, -1)
    learnt = random.random(len(users)) < 0.7
    whole = interactions_of(users, items, ratings.ravel(), num_users, num_items)
    return whole.take(np.flatnonzero(learnt)), whole.take(np.flatnonzero(~learnt))


def query_of(known: Interactions, users: list[int] | None = None) -> Query:
    """Users with their ratings in ``known``; all users where ``users`` is None."""
    asked = torch.arange(known.num_users) if users is None else torch.tensor(users, dtype=torch.int64)
    return Query(asked, Histories.from_interactions(known).take(asked))


def as_strangers(query: Query) -> Query:
    """The same histories, of users who are not in the vocabulary."""
    return Query(torch.full_like(query.users, -1), query.histories)


def pairs_of(interactions: Interactions) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows and items of all pairs, for a query of all users."""
    return torch.from_numpy(interactions.user_index).long(), torch.from_numpy(interactions.item_index).long()


def root_mean_squared_error(model: object, learnt: Interactions, held_out: Interactions) -> float:
    predicted = model.predict_ratings(query_of(learnt), *pairs_of(held_out))  # type: ignore[attr-defined]
    return float((predicted - torch.from_numpy(held_out.rating)).square().mean().sqrt())
