"""SLIM: a sparse linear model, fitted for all items at once.

Shape suffixes: I items.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor

from recsys.cli.progress import progress
from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.components.item_item_model import ItemItemModel
from recsys.models.components.item_weights import SparseItemWeights
from recsys.models.components.recency import Recency
from recsys.models.interface.model_card import ModelCard
from recsys.models.layers.validation import check_dims
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.regularised_gram import check_catalogue, matrices_bytes, regularised_inverse
from recsys.models.linalg.row_products import gram_matrix
from recsys.models.linalg.top_entries import nonzero, of_columns

#: Matrices of items by items that fitting holds at once: the inverse, and four of each iteration.
_NUM_MATRICES = 5.1


class SLIM(ItemItemModel):
    """Scores an item by a weighted sum over the history, with few weights for each item.

    The weights ``B`` (I x I) minimise ``1/2 |X - X B|^2 + l2/2 |B|^2 + l1 |B|_1`` with a diagonal of zeros and, if so
    chosen, no negative weights, where ``X`` holds ones at the training interactions, or the sums of their weights where
    they have such. Source: Ning and Karypis, SLIM:
    Sparse Linear Methods for Top-N Recommender Systems, ICDM 2011. It is solved by the alternating direction method of
    multipliers, in which every iteration is one product of I x I matrices. Source: Steck, Dimakopoulos, Riabov and
    Jebara, ADMM SLIM: Sparse Recommendations for Many Users, WSDM 2020.

    The method keeps two copies of the weights, one that fits the data and one that is sparse. Iterations end when they
    agree, and the sparse one no longer moves, to within ``tolerance`` of its Frobenius norm (of 1, where the norm is
    less). Fitting holds five I x I matrices of 4 bytes a number: 8 GB for 20,000 items, on the device of the model.

    Args:
        num_users: size of the user vocabulary; not used, taken so that every model is constructed alike.
        num_items: size of the item vocabulary, I.
        recency: how much older interactions of a history count when it is scored.
        l1: regularisation that makes weights zero, at least 0.
        l2: regularisation that makes weights small, at least 0.
        nonnegative: allow no weights below zero.
        penalty: of the method, above 0: what holds its two copies of the weights together, in units of the mean number
            of interactions of an item. It decides how many iterations are needed, not what they lead to.
        tolerance: where iterations end, above 0.
        max_iterations: of the method; beyond, the weights are taken as they are, with a warning.
        max_items: largest catalogue that is accepted; None: as large as the free memory holds.
        progress: show a bar for the iterations.

    Raises:
        ModelError: the catalogue is larger than ``max_items``, or a setting is out of range.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="a linear autoencoder with sparse weights by the elastic net; Ning, Karypis (2011)",
        settings=("l1", "l2"),
        use="where the weights should be few and easy to read; fitting is slower than for `ease`",
        gives="scores",
        served_from=(
            "the rows of the history's items, or only the weights that are not zero: where no item is part of "
            "many scores, and above 16,000 items"
        ),
        weights="stand in the matrix in place of ones, as for `ease`",
    )

    weights: SparseItemWeights

    def __init__(
        self,
        num_users: int,
        num_items: int,
        recency: Recency,
        l1: float = 1.0,
        l2: float = 100.0,
        nonnegative: bool = True,
        penalty: float = 5.0,
        tolerance: float = 1e-3,
        max_iterations: int = 100,
        max_items: int | None = None,
        progress: bool = False,
    ) -> None:
        super().__init__(num_items, recency, SparseItemWeights(num_items))
        check_catalogue(num_items, max_items, num_matrices=0)
        check_dims(max_iterations=max_iterations)
        if min(l1, l2) < 0 or min(penalty, tolerance) <= 0:
            raise ModelError(
                "SLIM needs l1 and l2 of at least 0, and penalty and tolerance above 0, but they are "
                f"{l1}, {l2}, {penalty} and {tolerance}. Correct them."
            )
        self.l1 = l1
        self.l2 = l2
        self.nonnegative = nonnegative
        self.penalty = penalty
        self.tolerance = tolerance
        self.max_iterations = max_iterations
        self.progress = progress

    @staticmethod
    def fit_bytes(num_users: int, num_items: int) -> int:
        """See :mod:`recsys.models.interface.protocols`."""
        return matrices_bytes(num_items, _NUM_MATRICES)

    @torch.no_grad()
    def fit(self, interactions: Interactions) -> None:
        """Compute the weights.

        Warns:
            UserWarning: ``max_iterations`` were not enough.

        Raises:
            ModelError: recency needs timestamps that the data do not have, ``l2`` and ``penalty`` are too small for
                these data, or there is not enough memory.
        """
        self.recency.check(interactions)
        check_catalogue(self.num_items, None, _NUM_MATRICES, self.weights.device)
        item_users = InteractionMatrix.from_interactions(interactions, self.weights.device).transpose()
        self.weights.set_weights(of_columns(self._solve(gram_matrix(item_users)), nonzero))

    def _solve(self, gram: Tensor) -> Tensor:
        """The weights for a Gram matrix of shape [I, I], float32, which is overwritten."""
        # The paper's P (G + penalty (C - U)) is I - (l2 + penalty) P + penalty P (C - U), as P is the inverse of
        # G + l2 + penalty. What is a multiple of a column of P vanishes in the condition on the diagonal, which adds
        # such a multiple: G itself is not needed any more.
        penalty = self.penalty * max(float(gram.diagonal().mean()), 1.0)
        inverse = regularised_inverse(gram, self.l2 + penalty)
        smooth = torch.empty_like(inverse)
        sparse, multiplier, before = (torch.zeros_like(inverse) for _ in range(3))
        change = torch.inf
        for _ in self._turns():
            target = torch.sub(sparse, multiplier, out=before)
            torch.mm(inverse, target, out=smooth).mul_(penalty)
            smooth.addcmul_(inverse, (1 + smooth.diagonal()) / inverse.diagonal(), value=-1).fill_diagonal_(0)
            before.copy_(sparse)
            self._shrink(torch.add(smooth, multiplier, out=sparse), self.l1 / penalty)
            multiplier.add_(smooth).sub_(sparse)
            distance = torch.maximum(torch.dist(smooth, sparse), torch.dist(before, sparse))
            change = float(distance / sparse.norm().clamp(min=1))
            if change < self.tolerance:
                return sparse
        warnings.warn(
            f"SLIM has not converged: after {self.max_iterations} iterations its weights still differ by {change:.1e} "
            f"of their norm, and {self.tolerance:.1e} is the tolerance. Raise model.max_iterations or "
            "model.tolerance, or try another model.penalty.",
            stacklevel=2,
        )
        return sparse

    def _turns(self) -> Iterable[int]:
        turns = range(self.max_iterations)
        return progress.track(turns, "fitting SLIM, at most") if self.progress else turns

    def _shrink(self, weights: Tensor, step: float) -> None:
        """Move all weights by ``step`` towards zero, in place, and stop there."""
        if self.nonnegative:
            weights.sub_(step).clamp_(min=0)
        else:
            weights.copy_(torch.nn.functional.softshrink(weights, step))
