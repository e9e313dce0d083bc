"""User vectors from the items of a history.

Shape suffixes: B queries, L positions, I items of the catalogue, D dim.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.models.onnx.linear_systems import conjugate_gradients, eliminated, steps_of_conjugate_gradients
from recsys.models.onnx.onnx_query import OnnxQuery


class VectorsOfHistory(nn.Module):
    """Gathers the vectors of the items of a history; of an item that comes again only once.

    Args:
        item_vectors: shape [I, D].
    """

    item_vectors: Tensor

    def __init__(self, item_vectors: Tensor) -> None:
        super().__init__()
        self.register_buffer("item_vectors", item_vectors)

    def forward(self, query: OnnxQuery) -> tuple[Tensor, Tensor]:
        """Vectors, shape [B, L, D], zeros where there is none; and how many items there are, shape [B], int64."""
        counted = query.is_last(len(self.item_vectors))
        vectors = functional.embedding(query.known_items, self.item_vectors) * counted[:, :, None]
        return vectors, counted.sum(1)


class Projection(nn.Module):
    """The sum of the vectors of a history.

    Args:
        item_vectors: shape [I, D].
    """

    def __init__(self, item_vectors: Tensor) -> None:
        super().__init__()
        self.history = VectorsOfHistory(item_vectors)

    def forward(self, query: OnnxQuery) -> Tensor:
        """Shape [B, D]; NaN for an empty history."""
        vectors, counts = self.history(query)
        return vectors.sum(1).masked_fill((counts == 0)[:, None], torch.nan)


class WeightedLeastSquares(nn.Module):
    """The user vector x that minimises ``sum_j (1 - x . q_j)^2 + a sum_i (x . q_i)^2 + l2 (n + a I)^e |x|^2``.

    The first sum goes over the n items of the history, the second over the catalogue, whose vectors stand in their
    principal axes, so that it is a diagonal. With this diagonal and the penalty as preconditioner the condition number
    is ``1 + 1 / a`` at most, whatever the history: the first sum is a part of the second, divided by a. So the steps of
    conjugate gradients are known beforehand; where a is so small that elimination takes fewer, it eliminates.

    Args:
        item_vectors: q, in their principal axes, shape [I, D].
        unobserved_weight: a.
        l2: weight of the penalty.
        l2_exponent: e.
    """

    spread: Tensor

    def __init__(self, item_vectors: Tensor, unobserved_weight: float, l2: float, l2_exponent: float) -> None:
        super().__init__()
        self.history = VectorsOfHistory(item_vectors)
        self.register_buffer("spread", unobserved_weight * item_vectors.square().sum(0))
        self.unobserved = unobserved_weight * len(item_vectors)
        self.l2 = l2
        self.l2_exponent = l2_exponent
        self.num_steps = steps_of_conjugate_gradients(1 + 1 / unobserved_weight)

    def forward(self, query: OnnxQuery) -> Tensor:
        """Shape [B, D]; NaN for an empty history."""
        vectors, counts = self.history(query)
        solution = self.solve(vectors, counts, vectors.sum(1))
        return solution.masked_fill((counts == 0)[:, None], torch.nan)

    def solve(self, vectors: Tensor, counts: Tensor, right: Tensor) -> Tensor:
        """Solve the systems of users.

        Args:
            vectors: of the n items of each history, shape [B, L, D], zeros where there is none.
            counts: n, shape [B], int64.
            right: shape [B, D], or [B, D, K].

        Returns:
            The shape of ``right``.
        """
        own = self.l2 * (counts + self.unobserved) ** self.l2_exponent
        penalty = own[:, None] + self.spread
        systems = vectors.transpose(1, 2) @ vectors + torch.diag_embed(penalty)
        if self.num_steps < penalty.shape[1]:
            return conjugate_gradients(systems, right, penalty, self.num_steps)
        return eliminated(systems, right)
