"""Beyond-accuracy measures of recommendation lists: coverage, Gini index, novelty and diversity.

All functions take ``items``, shape [B, K], int64: the recommended items of each user, where -1 means no item. To
measure at a smaller cut-off pass ``items[:, :k]``.

Shape suffixes: B users, K ranks, I items of the catalogue, F content features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


def exposure_counts(items: Tensor, num_items: int) -> Tensor:
    """Exposure: how often each item of the catalogue is recommended; shape [I], int64."""
    # Place 0 takes what is no item: no shape depends on the data, so that a GPU is not waited for.
    counts = torch.zeros(num_items + 1, dtype=torch.int64, device=items.device)
    places = items.flatten().long() + 1
    return counts.scatter_add_(0, places, torch.ones_like(places))[1:]


def coverage(exposure: Tensor) -> Tensor:
    """Catalogue coverage: the share of items that are recommended to at least one user.

    Source: Herlocker et al., Evaluating Collaborative Filtering Recommender Systems, TOIS 2004.

    Args:
        exposure: recommendations of each item, shape [I].

    Returns:
        A scalar in [0, 1], float64; NaN for an empty catalogue.
    """
    return (exposure > 0).double().mean()


def gini(exposure: Tensor) -> Tensor:
    """Gini index of exposure: 0 if all items are recommended equally often, near 1 if few items get all of it.

    ``sum over i of (2 i - I - 1) x_i / (I * sum of x)`` with ``x`` ascending and ``i`` from 1. Items that are
    never recommended count too, so the largest value is ``1 - 1 / I``.
    Source: Castells, Hurley and Vargas, Novelty and Diversity in Recommender Systems, in Recommender Systems
    Handbook, 2015.

    Args:
        exposure: recommendations of each item, shape [I].

    Returns:
        A scalar in [0, 1), float64; NaN for an empty catalogue or where nothing is recommended.
    """
    num_items = len(exposure)
    ascending = exposure.double().sort().values
    weight = 2.0 * torch.arange(1, num_items + 1, device=exposure.device, dtype=torch.float64) - num_items - 1.0
    return (weight * ascending).sum() / (num_items * ascending.sum())


def self_information(item_counts: Tensor, num_users: int) -> Tensor:
    """Self-information of each item: ``-log2 p``, where ``p`` is the share of training users who have it.

    An item without training users counts as if it had one, so that its value is finite. The share is at most 1, even if
    a user has an item more than once.

    Args:
        item_counts: training interactions of each item, shape [I], int64.
        num_users: users with any training interaction.

    Returns:
        Shape [I], float64, bits, 0 or more.
    """
    share = item_counts.double().clamp(min=1.0) / max(num_users, 1)
    return -torch.log2(share.clamp(max=1.0))


def novelty(items: Tensor, information: Tensor) -> Tensor:
    """Mean self-information of each user's list.

    Source: Zhou et al., Solving the apparent diversity-accuracy dilemma of recommender systems, PNAS 2010.

    Args:
        items: shape [B, K], int64.
        information: bits of each item from :func:`self_information`, shape [I].

    Returns:
        Shape [B], float64, bits; NaN for a user without recommendations.
    """
    recommended = items >= 0
    if len(information) == 0:
        return information.new_full((len(items),), torch.nan)
    bits = torch.where(recommended, information[items.clamp(min=0)], 0.0)
    return bits.sum(dim=1) / recommended.sum(dim=1)


@dataclass(frozen=True, slots=True, eq=False)
class ContentDirections:
    """Item content vectors scaled to length one.

    Args:
        vectors: shape [I, F], float32; each row has length one, or is zero where the item has no content.
        present: 1 where the item has content, else 0; shape [I], float32.
    """

    vectors: Tensor
    present: Tensor

    @classmethod
    def from_vectors(cls, item_vectors: Tensor) -> ContentDirections:
        """Scale ``item_vectors``, shape [I, F], any type; a row of zeros means that the item has no content."""
        vectors = item_vectors.float()
        length = torch.linalg.vector_norm(vectors, dim=1)
        return cls(vectors / torch.where(length > 0, length, 1.0)[:, None], (length > 0).float())


def intra_list_diversity(items: Tensor, content: ContentDirections) -> Tensor:
    """One minus the mean cosine similarity of all pairs of items in each user's list.

    The sum of all cosines is the squared length of the sum of directions, so no pair is formed. Items without
    content belong to no pair.
    Source: Ziegler et al., Improving Recommendation Lists Through Topic Diversification, WWW 2005.

    Args:
        items: shape [B, K], int64.
        content: the catalogue's content.

    Returns:
        Shape [B], float64, in [0, 2]; NaN for a list with fewer than two items with content.
    """
    if len(content.present) == 0:
        return torch.full((len(items),), torch.nan, device=items.device, dtype=torch.float64)
    index = items.clamp(min=0)
    weight = torch.where(items >= 0, content.present[index], 0.0)
    total = torch.nn.functional.embedding_bag(index, content.vectors, mode="sum", per_sample_weights=weight)
    num = weight.double().sum(dim=1)
    mean_cosine = (total.double().square().sum(dim=1) - num) / (num * (num - 1.0))
    # Rounding may push the value of a list of equal items just below zero.
    return torch.where(num > 1, (1.0 - mean_cosine).clamp(min=0.0, max=2.0), torch.nan)
