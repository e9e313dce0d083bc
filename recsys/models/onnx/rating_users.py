"""Biases and vectors of users, known ones and those of whom only ratings are known.

A module that folds in maps a query to biases, shape [B], and vectors, shape [B, D], or None where there are none.

Shape suffixes: B queries, L positions, U users, I items, D dim, S draws, E dim of a draw with its bias.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.models.layers.bias_dimension import frequency_penalty, with_ones
from recsys.models.onnx.linear_systems import eliminated
from recsys.models.onnx.onnx_query import OnnxQuery


class RatingUsers(nn.Module):
    """What was learnt of users of the training, and of others what their history says.

    Args:
        in_training: of the vocabulary, shape [U], bool.
        bias: shape [U].
        vectors: shape [U, D]; D may be 0.
        fold_in: for the others.
    """

    in_training: Tensor
    bias: Tensor
    vectors: Tensor | None

    def __init__(self, in_training: Tensor, bias: Tensor, vectors: Tensor, fold_in: nn.Module) -> None:
        super().__init__()
        self.register_buffer("in_training", in_training)
        self.register_buffer("bias", bias)
        self.register_buffer("vectors", vectors if vectors.shape[1] > 0 else None)
        self.fold_in = fold_in

    def forward(self, query: OnnxQuery) -> tuple[Tensor, Tensor | None]:
        """Biases, shape [B], and vectors, shape [B, D], or None."""
        users = query.users.clamp(min=0)
        known = (query.users >= 0) & self.in_training[users]
        bias, vectors = self.fold_in(query)
        bias = torch.where(known, self.bias[users], bias)
        if self.vectors is None:
            return bias, None
        return bias, torch.where(known[:, None], functional.embedding(users, self.vectors), vectors)


class RatingVectors(nn.Module):
    """User vectors that give the predicted rating with item vectors: of the bias, and of the rest, a dimension each.

    Args:
        users: their biases and vectors.
        mean: of all ratings, a scalar.
    """

    mean: Tensor

    def __init__(self, users: RatingUsers, mean: Tensor) -> None:
        super().__init__()
        self.users = users
        self.register_buffer("mean", mean)

    def forward(self, query: OnnxQuery) -> Tensor:
        """Shape [B, D + 2]."""
        bias, vectors = self.users(query)
        level = (bias + self.mean)[:, None]
        return torch.cat([*([] if vectors is None else [vectors]), torch.ones_like(level), level], dim=1)


class FoldedBias(nn.Module):
    """The bias of a user: the shrunk mean of what the ratings have above those of the items.

    Args:
        item_bias: shape [I].
        mean: of all ratings, a scalar.
        l2: regularisation, in ratings.
    """

    item_bias: Tensor
    mean: Tensor

    def __init__(self, item_bias: Tensor, mean: Tensor, l2: float) -> None:
        super().__init__()
        self.register_buffer("item_bias", item_bias)
        self.register_buffer("mean", mean)
        self.l2 = l2

    def forward(self, query: OnnxQuery) -> tuple[Tensor, None]:
        """Biases, shape [B]; 0 for a history without ratings."""
        rated = ~query.ratings.isnan()
        above = torch.where(rated, query.ratings - self.mean - self.item_bias[query.known_items], 0)
        return above.sum(1) / (rated.sum(1) + self.l2), None


class FoldedRidge(nn.Module):
    """Vector and bias of a user by one ridge regression on the vectors of the rated items.

    With implicit vectors what was rated says something by having been rated, ``|N|^-1/2 sum_j y_j`` over a history N;
    the regression explains the rest.

    Args:
        item_vectors: shape [I, D].
        item_bias: shape [I].
        mean: of all ratings, a scalar.
        l2: see :func:`recsys.models.layers.bias_dimension.frequency_penalty`.
        frequency_power: likewise.
        bias_l2: likewise.
        implicit_vectors: y, shape [I, D]; None: without.
    """

    design: Tensor
    item_bias: Tensor
    mean: Tensor
    implicit_vectors: Tensor | None

    def __init__(
        self,
        item_vectors: Tensor,
        item_bias: Tensor,
        mean: Tensor,
        l2: float,
        frequency_power: float,
        bias_l2: float,
        implicit_vectors: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("design", with_ones(item_vectors))
        self.register_buffer("item_bias", item_bias)
        self.register_buffer("mean", mean)
        self.register_buffer("implicit_vectors", implicit_vectors)
        self.l2 = l2
        self.frequency_power = frequency_power
        self.bias_l2 = bias_l2

    def forward(self, query: OnnxQuery) -> tuple[Tensor, Tensor]:
        """Biases, shape [B], and vectors, shape [B, D]; what only ratings tell is 0 for a history without them."""
        num_items, dim = self.design.shape
        rows = functional.embedding(query.known_items, self.design)
        counted, ratings = rated_once(query, num_items)
        targets = ratings - self.mean - self.item_bias[query.known_items]
        implicit = None
        if self.implicit_vectors is not None:
            known = query.is_last(num_items)
            implicit = (functional.embedding(query.known_items, self.implicit_vectors) * known[:, :, None]).sum(1)
            implicit = implicit * known.sum(1, keepdim=True).clamp(min=1).float().rsqrt()
            targets = targets - (rows[:, :, :-1] @ implicit[:, :, None]).squeeze(2)
        rows = rows * counted[:, :, None]
        penalty = frequency_penalty(counted.sum(1), dim - 1, self.l2, self.frequency_power, self.bias_l2)
        systems = rows.transpose(1, 2) @ rows + torch.diag_embed(penalty)
        solution = eliminated(systems, (targets[:, None, :] @ rows).squeeze(1))
        own = solution[:, :-1]
        return solution[:, -1], own if implicit is None else own + implicit


class FoldedDraws(nn.Module):
    """Vectors and biases of a user for S draws, a ridge regression for each towards the draw's own prior.

    In the coordinates where the prior is standard normal, x = mean + root y, each is a plain one of E dimensions.

    Args:
        item_vectors: of each draw, shape [I, S, E - 1].
        item_bias: of each draw, shape [S, I].
        mean: of all ratings, a scalar.
        prior_mean: shape [S, E].
        prior_root: shape [S, E, E].
        penalty: variance of the ratings in each draw, shape [S].
    """

    design: Tensor
    explained: Tensor
    mean: Tensor
    prior_mean: Tensor
    prior_root: Tensor
    penalty: Tensor

    def __init__(
        self,
        item_vectors: Tensor,
        item_bias: Tensor,
        mean: Tensor,
        prior_mean: Tensor,
        prior_root: Tensor,
        penalty: Tensor,
    ) -> None:
        super().__init__()
        design = with_ones(item_vectors)
        self.register_buffer("design", torch.einsum("ise,sef->isf", design, prior_root))
        self.register_buffer("explained", torch.einsum("ise,se->is", design, prior_mean) + item_bias.T)
        self.register_buffer("mean", mean)
        self.register_buffer("prior_mean", prior_mean)
        self.register_buffer("prior_root", prior_root)
        self.register_buffer("penalty", penalty)

    def forward(self, query: OnnxQuery) -> tuple[Tensor, Tensor]:
        """Mean biases, shape [B], and the vectors of all draws, shape [B, S (E - 1)]; 0 without ratings."""
        num_items, _, dim = self.design.shape
        counted, ratings = rated_once(query, num_items)
        rows = self.design[query.known_items] * counted[:, :, None, None]  # [B, L, S, E]
        targets = ratings[:, :, None] - self.mean - self.explained[query.known_items]
        rows, targets = rows.transpose(1, 2), targets.transpose(1, 2)
        ridge = self.penalty[:, None, None] * torch.eye(dim, device=rows.device)
        systems = rows.transpose(2, 3) @ rows + ridge
        solved = eliminated(systems, (targets[:, :, None, :] @ rows).squeeze(2))
        known = counted.any(1)[:, None, None]
        solution = (self.prior_root @ solved[..., None]).squeeze(3) + self.prior_mean * known
        return solution[..., -1].mean(1), solution[..., :-1].flatten(1)


class RatedNeighbours(nn.Module):
    """Adds to a baseline how the user rated the neighbours of an item, ``sum_j s_ij above_j / (e + sum_j s_ij)``.

    Args:
        users: their biases.
        item_bias: shape [I].
        mean: of all ratings, a scalar.
        rows: sums of the similarities s over the items of a history; see
            :func:`recsys.models.onnx.item_item.rows_of_weights`.
        baseline_weight: e.
    """

    item_bias: Tensor
    mean: Tensor

    def __init__(
        self, users: RatingUsers, item_bias: Tensor, mean: Tensor, rows: nn.Module, baseline_weight: float
    ) -> None:
        super().__init__()
        self.users = users
        self.register_buffer("item_bias", item_bias)
        self.register_buffer("mean", mean)
        self.rows = rows
        self.baseline_weight = baseline_weight

    def forward(self, query: OnnxQuery) -> Tensor:
        """Predicted ratings, shape [B, I]."""
        bias, _ = self.users(query)
        items = query.known_items
        counted, ratings = rated_once(query, len(self.item_bias))
        above = (ratings - self.mean - bias[:, None] - self.item_bias[items]) * counted
        total, weight = self.rows(items, above), self.rows(items, counted.float())
        return self.mean + bias[:, None] + self.item_bias + total / (weight + self.baseline_weight)


def rated_once(query: OnnxQuery, num_items: int) -> tuple[Tensor, Tensor]:
    """Where each rated item of a history is rated last, and the highest of its ratings there, 0 elsewhere; [B, L]."""
    rated = query._replace(items=torch.where(query.ratings.isnan(), -1, query.items))
    ratings = rated.largest(torch.where(rated.inside, rated.ratings, 0), num_items)
    return rated.is_last(num_items), ratings
