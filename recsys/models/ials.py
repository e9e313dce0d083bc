"""Implicit alternating least squares.

Shape suffixes: B queries, I items of the catalogue, U users, R rows of one side, C rows of the other side, D dim,
K items of each query.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from recsys.cli.progress import progress
from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.training_change import MUCH
from recsys.distributed.collectives import from_main
from recsys.errors import ModelError
from recsys.models.components.fold_in_factorization import FoldInFactorization
from recsys.models.interface.data_size import DataSize
from recsys.models.interface.earlier_fit import EarlierFit
from recsys.models.interface.explanation import Explanation, rows_of
from recsys.models.interface.model_card import ModelCard
from recsys.models.interface.protocols import Query
from recsys.models.layers.validation import check_dims
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.least_squares import ConjugateGradient, LeastSquaresSolver, RowSolver
from recsys.models.linalg.row_ridge import RowRidge
from recsys.models.linalg.rows_over_ranks import shared_solver
from recsys.models.onnx.explainers import LeastSquaresExplainer
from recsys.models.onnx.fold_in_factors import WeightedLeastSquares

#: Under which an update keeps the user vectors for the next one.
_USER_VECTORS = "user_vectors"
#: Half steps of users who start far from their minimum: solvers that iterate are not there in one.
_STEPS_FROM_ZERO = 3


class IALS(FoldInFactorization):
    """Weighted matrix factorisation by alternating least squares: ``score(u, i) = p_u . q_i``.

    Minimises, over all users and items,

    ``sum_(u,i) in S w_ui (1 - p_u . q_i)^2 + a sum_u,i (p_u . q_i)^2 + sum_u l_u |p_u|^2 + sum_i l_i |q_i|^2``

    where S are the interactions (each pair once), w their weights (1 where they have none, else the sum of those of the
    pair), a the weight of the unobserved, and the penalties grow with what is known of a user or item:
    ``l_u = l2 (n_u + a I)^e`` and ``l_i = l2 (n_i + a U)^e``, with n the sum of the weights.

    Hu, Koren, Volinsky: Collaborative Filtering for Implicit Feedback Datasets (2008); the penalties are those of
    Rendle, Krichene, Zhang, Koren: Revisiting the Performance of iALS on Item Recommendation Benchmarks (2021).

    A user vector is the exact minimum for the history that comes with the query, given the item vectors: for a known
    user with the training history it is what one more half step would give. There, each item of a history weighs 1.

    Both sides are turned to the principal axes of the side that is held fixed, which changes no score and makes the
    term of the unobserved diagonal. Each half step takes the cost of its solver, and ``(R + C) D^2`` for the turn.

    Args:
        num_users: size of the user vocabulary, U.
        num_items: size of the item vocabulary, I.
        embedding_dim: dimension of the vectors, D.
        iterations: how often users and then items are solved for.
        unobserved_weight: a, above 0; the weight of an interaction is 1 beside it, unless the data have weights.
        l2: weight of the penalties, above 0.
        l2_exponent: e; 0: the same penalty for all, 1: in proportion to what is known.
        init_std: the item vectors start as normal draws with this standard deviation over ``sqrt(D)``.
        solver: of the half steps in training; None: :class:`ConjugateGradient`.
        seed: of the start, drawn on the CPU.

    Raises:
        ModelError: a setting is out of range.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="weighted vectors by alternating least squares; Hu, Koren, Volinsky (2008), Rendle et al. (2021)",
        settings=("embedding_dim", "unobserved_weight", "l2", "l2_exponent", "iterations"),
        use="for catalogues of any size, where it is hard to beat in published comparisons",
        gives="a vector",
        served_from=(
            "the history, by conjugate gradients in as many steps as `unobserved_weight` needs (14 for 0.3), or "
            "by elimination where `embedding_dim` is less"
        ),
        weights="the confidence of each interaction, beside `unobserved_weight` for what did not happen",
    )

    sized_settings: ClassVar[tuple[str, ...]] = ("embedding_dim", "unobserved_weight", "l2")

    def __init__(
        self,
        num_users: int,
        num_items: int,
        embedding_dim: int = 64,
        iterations: int = 16,
        unobserved_weight: float = 0.3,
        l2: float = 0.007,
        l2_exponent: float = 1.0,
        init_std: float = 0.1,
        solver: LeastSquaresSolver | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(num_items, embedding_dim)
        check_dims(iterations=iterations)
        for name, value in (("unobserved_weight", unobserved_weight), ("l2", l2), ("init_std", init_std)):
            if value <= 0:
                raise ModelError(
                    f"model.{name} must be above 0, but it is {value}: without it the least-squares problems need not "
                    "have one solution. A very small number is possible."
                )
        self.num_users = num_users
        self.iterations = iterations
        self.unobserved_weight = unobserved_weight
        self.l2 = l2
        self.l2_exponent = l2_exponent
        self.init_std = init_std
        self.solver = solver or ConjugateGradient()
        self.seed = seed

    @staticmethod
    def sized_defaults(size: DataSize, given: Mapping[str, Any]) -> dict[str, float]:
        """Dimensions that grow with the catalogue, a weight by the density, and the penalty that goes with both.

        All unobserved pairs together weigh about six times what the interactions do, and each 0.3 at most. There are 64
        dimensions for up to some 5,600 items, and twice as many for each doubling, up to 1,024 and to an eighth of the
        users and of the items.

        The penalty decides how many of the dimensions are used: directions of the matrix of interactions vanish whose
        singular value is below ``sqrt(l_u l_i)`` of a user and an item of whom nothing is known. It is 0.3 times about
        the largest singular value of a matrix with its N ones in random places, ``sqrt(N / U) + sqrt(N / I)``: less
        keeps noise, much more leaves little but popularity. As the penalty is ``l2`` times the weight times the size of
        the other side, one ``l2`` for all data would be many times too large for a sparse catalogue of 40,000 items.
        """
        users, items, num = max(size.num_users, 1), max(size.num_items, 1), size.num_interactions
        doublings = min(4, max(0, round(math.log2(items / 4000))))
        weight = float(given.get("unobserved_weight") or f"{min(0.3, max(0.005, 6 * size.density)):.2g}")
        noise = math.sqrt(num / users) + math.sqrt(num / items)
        exponent = float(given.get("l2_exponent", 1.0))
        l2 = 0.3 * noise / (weight * math.sqrt(users * items)) ** exponent
        return {
            "embedding_dim": min(64 * 2**doublings, max(64, users // 8), max(16, items // 8)),
            "unobserved_weight": weight,
            "l2": float(f"{max(l2, 1e-6):.2g}"),
        }

    def fit(self, interactions: Interactions) -> None:
        """Alternate between users and items, from the start that the seed gives.

        Of several ranks each solves for some users and some items.
        """
        num_items, dim = self.item_vectors.shape
        device = self.item_vectors.device
        by_user = InteractionMatrix.from_interactions(interactions, device)
        by_item = by_user.transpose()
        user_counts, item_counts = by_user.row_sums(), by_item.row_sums()
        solve_users, solve_items = (shared_solver(self.solver, matrix, dim) for matrix in (by_user, by_item))
        items = self._start(num_items).to(device)
        users = torch.zeros(len(by_user), dim, device=device)
        for _ in progress.track(range(self.iterations), "fitting iALS"):
            users, items = self._half_step(solve_users, user_counts, users, items)
            items, users = self._half_step(solve_items, item_counts, items, users)
        self.item_vectors.copy_(items @ _principal_axes(items))

    def update(self, interactions: Interactions, earlier: EarlierFit) -> dict[str, Tensor]:
        """Go on from earlier factors: solve for the users of whom much is new, then one sweep over all.

        A sweep, items and then users, is one of the ``iterations`` of a fit; it takes in what little is new of other
        users. New items start as in :meth:`fit`, new users at zero. The user vectors are kept for the next update:
        without them, as in the first one, all users are solved for in some half steps before.
        """
        num_items, dim = self.item_vectors.shape
        device = self.item_vectors.device
        by_user = InteractionMatrix.from_interactions(interactions, device)
        by_item = by_user.transpose()
        user_counts, item_counts = by_user.row_sums(), by_item.row_sums()
        known = earlier.state["item_vectors"].to(device)
        items = torch.cat([known, self._start(num_items).to(device)[len(known) :]])
        users = torch.zeros(len(by_user), dim, device=device)
        solve_users, solve_items = (self.solver.prepare(matrix, dim) for matrix in (by_user, by_item))
        kept = earlier.statistics.get(_USER_VECTORS)
        if kept is None:
            for _ in range(_STEPS_FROM_ZERO):
                users, items = self._half_step(solve_users, user_counts, users, items)
        else:
            users[: len(kept)] = kept.to(device)
            changed = torch.from_numpy(np.flatnonzero(earlier.change.fresh_shares() >= MUCH)).to(device)
            solve_changed = self.solver.prepare(by_user.take(changed), dim)
            users[changed] = solve_changed(items, self._penalty(user_counts[changed], items), users[changed])
        items, users = self._half_step(solve_items, item_counts, items, users)
        users, items = self._half_step(solve_users, user_counts, users, items)
        axes = _principal_axes(items)
        self.item_vectors.copy_(items @ axes)
        return {_USER_VECTORS: users @ axes}

    def _start(self, num_items: int) -> Tensor:
        """The item vectors that the seed gives, shape [I, D]."""
        dim = self.item_vectors.shape[1]
        draws = torch.randn(num_items, dim, generator=torch.Generator().manual_seed(self.seed))
        return draws * (self.init_std / dim**0.5)

    def fold_in(self, histories: Histories) -> Tensor:
        """The exact minimum for each history, shape [B, D]; an item that occurs again counts once.

        The host waits for the device once at most, where it does not know the lengths of the histories.
        """
        items = self.item_vectors  # in their principal axes since the fit
        matrix = InteractionMatrix.once_each(histories, len(items))
        ridge = RowRidge(matrix, items.shape[1], histories.host_lengths(), present=matrix.values > 0)
        return ridge.solve(items, matrix.values, self._penalty(matrix.row_sums(), items), is_checked=False)

    def serving_encoder(self) -> WeightedLeastSquares:
        """See :meth:`recsys.models.components.fold_in_factorization.FoldInFactorization.serving_encoder`."""
        return WeightedLeastSquares(self.item_vectors, self.unobserved_weight, self.l2, self.l2_exponent)

    @torch.no_grad()
    def explaining_form(self) -> LeastSquaresExplainer:
        """The same systems; see :mod:`recsys.models.onnx.exportable`."""
        return LeastSquaresExplainer(self.serving_encoder()).eval()

    def explain(self, query: Query, items: Tensor) -> Explanation:
        """Each interaction has ``q_i . A^-1 q_j`` in the score of item i; nothing is left as rest.

        ``A`` is the system of the user's least squares, ``sum_j q_j q_j^T`` over the history and the penalty: the
        parts are what each item adds to the score as long as the others are there, as in section 5 of Hu, Koren,
        Volinsky. Holds B systems of D by D numbers.
        """
        histories, vectors = query.histories, self.item_vectors
        matrix = InteractionMatrix.from_histories(histories, len(vectors))
        systems = RowRidge(matrix, vectors.shape[1]).gram(vectors)
        systems.diagonal(dim1=1, dim2=2).add_(self._penalty(matrix.counts, vectors))
        asked = vectors[items.clamp(min=0)].transpose(1, 2)
        solved = torch.cholesky_solve(asked, torch.linalg.cholesky(systems))
        products = torch.bmm(vectors[histories.items][:, None], solved[rows_of(histories)]).squeeze(1)
        return self.explained(histories, products, items)

    def _half_step(self, solver: RowSolver, counts: Tensor, rows: Tensor, fixed: Tensor) -> tuple[Tensor, Tensor]:
        """New ``rows`` (shape [R, D]) for ``fixed`` ones of the other side (shape [C, D]), and these, both turned."""
        axes = _principal_axes(fixed)
        fixed = fixed @ axes
        return solver(fixed, self._penalty(counts, fixed), rows @ axes), fixed

    def _penalty(self, counts: Tensor, fixed: Tensor) -> Tensor:
        """Of each row and dimension, shape [R, D]: its own, and that of the products with all ``fixed`` vectors.

        Args:
            counts: the sum of the weights of each row, shape [R].
            fixed: the vectors of the other side in their principal axes, shape [C, D].
        """
        own = self.l2 * (counts + self.unobserved_weight * len(fixed)) ** self.l2_exponent
        return own[:, None] + self.unobserved_weight * fixed.square().sum(0)


def _principal_axes(vectors: Tensor) -> Tensor:
    """The rotation, shape [D, D], after which the Gram matrix of ``vectors`` (shape [C, D]) is diagonal."""
    axes = torch.linalg.eigh(vectors.T @ vectors).eigenvectors
    from_main(
        axes.mT if axes.mT.is_contiguous() else axes
    )  # processors that differ find others, and rows that do not belong together
    return axes
