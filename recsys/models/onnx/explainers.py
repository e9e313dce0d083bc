"""Scores split over the interactions of a history, where there is no PyTorch.

Every module is the form of a model that explains its scores
(:mod:`recsys.models.onnx.exportable`): it gives contributions, shape [B, L, K], and the rest,
shape [B, K]. An item that comes again shares its contribution evenly among its interactions.

Shape suffixes: B queries, L positions, K explained items of each, I items of the catalogue, D dim, V words,
W words of one item at most, N items that a score depends on at most.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.models.components.recency import Recency
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.onnx.content_profile import ContentProfile
from recsys.models.onnx.fold_in_factors import VectorsOfHistory, WeightedLeastSquares
from recsys.models.onnx.item_item import MAX_DENSE, padded
from recsys.models.onnx.onnx_query import OnnxQuery
from recsys.models.onnx.rating_users import RatingUsers

Explained = tuple[Tensor, Tensor]


class DensePairs(nn.Module):
    """Looks up the weight of each pair of an item of the history and an explained one.

    Args:
        weights: ``weights[j, i]`` is what an interaction with j adds to the score of i, shape [I, I], float32.
    """

    weights: Tensor

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.register_buffer("weights", weights)

    def forward(self, items: Tensor, targets: Tensor) -> Tensor:
        """The weights of ``items`` (shape [B, L], int64) in the scores of ``targets`` ([B, K]), shape [B, L, K]."""
        pairs = items[:, :, None] * len(self.weights) + targets[:, None, :]
        return self.weights.flatten()[pairs]


class SparsePairs(nn.Module):
    """Writes the few weights of each explained item into a row of the catalogue, and looks the history up there.

    Args:
        sources: the items that the score of each item depends on, shape [I, N], int64, filled up with I.
        weights: theirs, shape [I, N], float32.
    """

    sources: Tensor
    weights: Tensor

    def __init__(self, sources: Tensor, weights: Tensor) -> None:
        super().__init__()
        self.register_buffer("sources", sources)
        self.register_buffer("weights", weights)

    def forward(self, items: Tensor, targets: Tensor) -> Tensor:
        """See :meth:`DensePairs.forward`."""
        weights = functional.embedding(targets, self.weights)  # [B, K, N]
        rows = weights.new_zeros(*targets.shape, len(self.sources) + 1).scatter_add(2, self.sources[targets], weights)
        found = rows.gather(2, items[:, None, :].expand(-1, targets.shape[1], -1))
        return found.transpose(1, 2)


class SumOfPairs(nn.Module):
    """The contributions to a sum of weights over the history; see :class:`recsys.models.onnx.item_item.SumOverHistory`.

    Args:
        pairs: the weights.
        num_items: I.
        recency: how much older interactions count.
    """

    def __init__(self, pairs: DensePairs | SparsePairs, num_items: int, recency: Recency) -> None:
        super().__init__()
        self.pairs = pairs
        self.num_items = num_items
        self.recency = recency

    def forward(self, query: OnnxQuery, items: Tensor) -> Explained:
        """See :mod:`recsys.models.onnx.exportable`."""
        largest, share = query.shares(query.recency(self.recency), self.num_items)
        weights = self.pairs(query.known_items, items.clamp(min=0))
        return without_rest(query, weights * (largest * share)[:, :, None], _unscored(query, items))


class SumOfProducts(nn.Module):
    """The contributions to ``sum_j q_j . q_i`` over a history.

    Args:
        item_vectors: q, shape [I, D].
    """

    def __init__(self, item_vectors: Tensor) -> None:
        super().__init__()
        self.history = VectorsOfHistory(item_vectors)

    def forward(self, query: OnnxQuery, items: Tensor) -> Explained:
        """See :mod:`recsys.models.onnx.exportable`."""
        table = self.history.item_vectors
        targets = functional.embedding(items.clamp(min=0), table).transpose(1, 2)
        return _shared_products(query, items, table, targets)


class LeastSquaresExplainer(nn.Module):
    """The contributions ``q_i . A^-1 q_j`` to a score whose user vector is a weighted least squares with the system A.

    Args:
        users: solves the systems.
    """

    def __init__(self, users: WeightedLeastSquares) -> None:
        super().__init__()
        self.users = users

    def forward(self, query: OnnxQuery, items: Tensor) -> Explained:
        """See :mod:`recsys.models.onnx.exportable`."""
        table = self.users.history.item_vectors
        vectors, counts = self.users.history(query)
        targets = functional.embedding(items.clamp(min=0), table).transpose(1, 2)
        return _shared_products(query, items, table, self.users.solve(vectors, counts, targets))


class ContentExplainer(nn.Module):
    """The contributions ``w_j x_j . x_i / length`` to the cosine of an item and a profile.

    Args:
        profile: the sum of the items' vectors over a history.
    """

    def __init__(self, profile: ContentProfile) -> None:
        super().__init__()
        self.profile = profile

    def forward(self, query: OnnxQuery, items: Tensor) -> Explained:
        """See :mod:`recsys.models.onnx.exportable`."""
        profile, targets, history = self.profile, items.clamp(min=0), query.known_items
        _, _, lengths = profile.sums(query)
        largest, share = query.shares(profile.weights(query), len(profile.has_content))
        components = functional.embedding(targets, profile.components)
        products = functional.embedding(history, profile.components) @ components.transpose(1, 2)
        if profile.num_words > 0:
            words = functional.embedding(targets, profile.values)  # [B, K, W]
            rows = words.new_zeros(*targets.shape, profile.num_words + 1)
            rows = rows.scatter_add(2, profile.words[targets], words)
            places = profile.words[history].flatten(1)[:, None, :].expand(-1, targets.shape[1], -1)  # [B, K, L * W]
            found = rows.gather(2, places).unflatten(2, (history.shape[1], profile.words.shape[1]))
            values = functional.embedding(history, profile.values)  # [B, L, W]
            products = products + (found * values[:, None]).sum(3).transpose(1, 2)
        unscored = (items < 0) | ~profile.has_content[targets] | lengths.isnan()
        return without_rest(query, products * (largest * share / lengths)[:, :, None], unscored)


class RatedNeighboursExplainer(nn.Module):
    """The contributions of ratings to a mean over neighbours; the baseline is the rest.

    See :class:`recsys.models.onnx.rating_users.RatedNeighbours`.

    Args:
        users: their biases.
        item_bias: shape [I].
        mean: of all ratings, a scalar.
        pairs: the similarities of items.
        baseline_weight: what is added to the sum of similarities.
    """

    item_bias: Tensor
    mean: Tensor

    def __init__(
        self, users: RatingUsers, item_bias: Tensor, mean: Tensor, pairs: SparsePairs, baseline_weight: float
    ) -> None:
        super().__init__()
        self.users = users
        self.register_buffer("item_bias", item_bias)
        self.register_buffer("mean", mean)
        self.pairs = pairs
        self.baseline_weight = baseline_weight

    def forward(self, query: OnnxQuery, items: Tensor) -> Explained:
        """See :mod:`recsys.models.onnx.exportable`."""
        targets, unscored = items.clamp(min=0), items < 0
        bias, _ = self.users(query)
        rest = self.mean + bias[:, None] + self.item_bias[targets]
        rated = query._replace(items=torch.where(query.ratings.isnan(), -1, query.items))
        ratings = torch.where(rated.inside, query.ratings, 0)
        largest, share = rated.shares(ratings, len(self.item_bias))
        above = largest - self.mean - bias[:, None] - self.item_bias[query.known_items]
        similarities = self.pairs(query.known_items, targets) * share[:, :, None]
        total = similarities.sum(1, keepdim=True) + self.baseline_weight
        contributions = similarities * above[:, :, None] / total
        return _masked(query, contributions, unscored), rest.masked_fill(unscored, torch.nan)


def pairs_of_weights(weights: InteractionMatrix) -> DensePairs | SparsePairs:
    """The form that takes the least memory: sparse, unless an item depends on so many that a full table is smaller.

    Args:
        weights: I rows and I columns: in each row the items that the score of one depends on.
    """
    num_items, counts = len(weights), weights.counts
    most = int(counts.max()) if len(counts) > 0 else 0
    # A stored weight takes 12 bytes with its column, one of a full table 4.
    if 3 * most > num_items and num_items**2 <= MAX_DENSE:
        return DensePairs(weights.dense().T.contiguous())
    return SparsePairs(*padded(weights))


def without_rest(query: OnnxQuery, contributions: Tensor, unscored: Tensor) -> Explained:
    """Contributions (shape [B, L, K]) and a rest of 0; NaN where an item is ``unscored`` (shape [B, K], bool)."""
    rest = torch.where(unscored, torch.nan, 0.0)
    return _masked(query, contributions, unscored), rest


def _shared_products(query: OnnxQuery, items: Tensor, table: Tensor, targets: Tensor) -> Explained:
    """Products of the history's rows of ``table`` (shape [I, D]) with ``targets`` (shape [B, D, K])."""
    _, share = query.shares(torch.ones_like(query.ratings), len(table))
    products = functional.embedding(query.known_items, table) @ targets
    return without_rest(query, products * share[:, :, None], _unscored(query, items))


def _unscored(query: OnnxQuery, items: Tensor) -> Tensor:
    """Where there is no item, or no history, shape [B, K], bool."""
    return (items < 0) | (query.lengths == 0)[:, None]


def _masked(query: OnnxQuery, contributions: Tensor, unscored: Tensor) -> Tensor:
    """NaN for what is unscored (shape [B, K]), and 0 after the end of a history."""
    return torch.where(query.inside[:, :, None], contributions.masked_fill(unscored[:, None], torch.nan), 0)
