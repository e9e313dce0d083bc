"""Non-negative matrix factorisation.

Shape suffixes: B queries, I items of the catalogue, U users, R rows of one side, D dim.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from recsys.cli.progress import progress
from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.components.fold_in_factorization import FoldInFactorization
from recsys.models.components.unpenalised_dims import unpenalised_dims
from recsys.models.interface.data_size import DataSize
from recsys.models.interface.model_card import ModelCard
from recsys.models.layers.validation import check_dims
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.truncated_svd import right_singular_vectors
from recsys.models.onnx.nonnegative import NonNegativeLeastSquares

#: Keeps a dimension that the other side does not use where it is instead of at 0 / 0.
TINY = 1e-30


class NMF(FoldInFactorization):
    """Factors without negative numbers: ``score(u, i) = w_u . h_i``, with ``w, h >= 0``.

    Minimises ``|X - W H^T|^2 / 2 + l1 (sum W + sum H) + l2 (|W|^2 + |H|^2) / 2``, where X is the matrix of
    interactions: 1 (or the sum of its weights) for each pair that occurs and 0 for every other.

    Lee, Seung: Algorithms for Non-negative Matrix Factorization (2001) for the objective. It is solved by exact
    minimisation of one dimension after the other: Cichocki, Phan: Fast Local Algorithms for Large Scale Nonnegative
    Matrix and Tensor Factorizations (2009). The objective never rises. The start is made from the leading singular
    vectors: Boutsidis, Gallopoulos: SVD based initialization (2008).

    A user vector is the non-negative least-squares solution for the history that comes with the query, given the item
    vectors: for a known user with the training history, where training converges to.

    Args:
        num_users: size of the user vocabulary; not used, taken so that every model is constructed alike.
        num_items: size of the item vocabulary, I.
        embedding_dim: D; where the matrix has a lower rank, the other dimensions are zero.
        iterations: how often users and then items are gone over; each is a product with X and a sweep over D.
        fold_in_sweeps: sweeps over D for the user vectors of queries.
        l1: weight of the sums, at least 0; makes factors sparse.
        l2: weight of the squares, at least 0.
        seed: of the start of the decomposition.

    Raises:
        ModelError: a setting is out of range.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="vectors without negative numbers; Lee, Seung (2001), Cichocki, Phan (2009)",
        settings=("embedding_dim", "iterations", "l1", "l2"),
        use="where a dimension should read as a topic",
        gives="a vector",
        served_from=(
            "the history, by sweeps until nothing changes, `fold_in_sweeps` at most; the slowest of these vectors"
        ),
        weights="stand in the matrix in place of ones",
    )

    sized_settings: ClassVar[tuple[str, ...]] = ("embedding_dim",)

    def __init__(
        self,
        num_users: int,
        num_items: int,
        embedding_dim: int = 64,
        iterations: int = 100,
        fold_in_sweeps: int = 50,
        l1: float = 0.0,
        l2: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(num_items, embedding_dim)
        check_dims(iterations=iterations, fold_in_sweeps=fold_in_sweeps)
        for name, value in (("l1", l1), ("l2", l2)):
            if value < 0:
                raise ModelError(f"model.{name} must be at least 0, but it is {value}. Correct it.")
        self.iterations = iterations
        self.fold_in_sweeps = fold_in_sweeps
        self.l1 = l1
        self.l2 = l2
        self.seed = seed

    @staticmethod
    def sized_defaults(size: DataSize, given: Mapping[str, Any]) -> dict[str, int]:
        """Dimensions that grow with the catalogue, from 16 to 128, as there is no penalty by default."""
        return {"embedding_dim": unpenalised_dims(size, most=128)}

    def fit(self, interactions: Interactions) -> None:
        """Go over users and items in turn, from the start that the singular vectors give."""
        by_user = InteractionMatrix.from_interactions(interactions, self.item_vectors.device)
        by_item = by_user.transpose()
        users, items = _non_negative_start(by_user, self.item_vectors.shape[1], self.seed)
        for _ in progress.track(range(self.iterations), "fitting NMF"):
            users = self._swept(users, by_user @ items, items, 1)
            items = self._swept(items, by_item @ users, users, 1)
        self.item_vectors.copy_(items)

    def fold_in(self, histories: Histories) -> Tensor:
        """The non-negative vectors for each history, shape [B, D]; an item that occurs again counts once."""
        items = self.item_vectors
        cross = InteractionMatrix.from_histories(histories, len(items)) @ items
        return self._swept(torch.zeros_like(cross), cross, items, self.fold_in_sweeps)

    def serving_encoder(self) -> NonNegativeLeastSquares:
        """See :meth:`recsys.models.components.fold_in_factorization.FoldInFactorization.serving_encoder`."""
        return NonNegativeLeastSquares(self.item_vectors, self.l1, self.l2, self.fold_in_sweeps)

    def _swept(self, rows: Tensor, cross: Tensor, fixed: Tensor, num_sweeps: int) -> Tensor:
        """Minimise over one dimension of all rows after the other, the other side held fixed.

        Args:
            rows: where to start, shape [R, D].
            cross: the product of the matrix with ``fixed``, shape [R, D].
            fixed: the other side, shape [C, D].
            num_sweeps: how often.

        Returns:
            Shape [R, D].
        """
        gram = fixed.T @ fixed
        gram.diagonal().add_(self.l2)
        scales = gram.diagonal().clamp(min=TINY)
        # A dimension of all rows is then one piece of memory.
        by_dim, pull = rows.T.contiguous(), cross.T.contiguous() - self.l1
        for _ in range(num_sweeps):
            for dim, (row, weights, scale) in enumerate(zip(by_dim, gram, scales, strict=True)):
                torch.clamp(row + (pull[dim] - weights @ by_dim) / scale, min=0, out=row)
        return by_dim.T.contiguous()


def _non_negative_start(matrix: InteractionMatrix, dim: int, seed: int) -> tuple[Tensor, Tensor]:
    """Of each singular pair the positive or the negative parts, whichever are longer.

    Returns:
        The start of the rows, shape [R, D], and that of the columns, shape [C, D].
    """
    rank = min(dim, len(matrix), matrix.num_columns)
    columns = right_singular_vectors(matrix, rank, seed)
    rows = matrix @ columns  # times the singular values
    signs = torch.where(_positive_lengths(rows, columns) >= _positive_lengths(-rows, -columns), 1.0, -1.0)
    left, right = (rows * signs).clamp(min=0), (columns * signs).clamp(min=0)
    scale = (right.norm(dim=0).clamp(min=TINY) / left.norm(dim=0).clamp(min=TINY)).sqrt()
    padding = (0, dim - rank)  # scaled, both sides are equally long, and their product is the same
    return functional.pad(left * scale, padding), functional.pad(right / scale, padding)


def _positive_lengths(left: Tensor, right: Tensor) -> Tensor:
    """The length of the product of the positive parts of each pair of columns, shape [D]."""
    return left.clamp(min=0).norm(dim=0) * right.clamp(min=0).norm(dim=0)
