"""Item neighbourhoods for ratings, on top of a baseline of biases.

Shape suffixes: B users of a query, N pairs, I items, K neighbours, M ratings of all histories together, C items asked
for each user.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.models.components.baseline_fit import fit_biases, fold_in_bias
from recsys.models.components.rating_model import RatingModel, require_positive
from recsys.models.interface.explanation import Explanation, rows_of, shares_of_interactions
from recsys.models.interface.model_card import ModelCard
from recsys.models.interface.protocols import Query
from recsys.models.layers.validation import check_dims
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.largest import largest_columns
from recsys.models.onnx.explainers import RatedNeighboursExplainer, SparsePairs
from recsys.models.onnx.exportable import ServingForm
from recsys.models.onnx.item_item import rows_of_weights
from recsys.models.onnx.rating_users import FoldedBias, RatedNeighbours

#: Bound on the numbers that a block of similarities, or of pairs to predict, needs: 2**25 float32 are 128 MiB.
BLOCK_NUMBERS = 2**25

#: Users whose catalogues are scored at once: their ratings should stay in the processor's cache.
USERS_PER_BLOCK = 64


class ItemKNNRatings(RatingModel):
    """Predicts ``b_ui + sum_j s_ij (r_uj - b_uj) / (w + sum_j s_ij)``, j over the neighbours of i that u rated.

    ``w`` is ``baseline_weight``.

    The sums are over the neighbours j of i that u rated. ``b_ui = mean + b_u + b_i`` are biases by ridge regression.
    The similarity of two items is the correlation of what their common users' ratings have above the baseline, shrunk
    where there are few: ``s_ij = max(0, rho_ij * (n_ij - 1) / (n_ij - 1 + shrinkage)) ** amplification``. Koren:
    Factor in the Neighbors: Scalable and Accurate Collaborative Filtering (2010), section 2.2; raising weights to a
    power is the case amplification of Breese, Heckerman, Kadie: Empirical Analysis of Predictive Algorithms (1998).

    Each item keeps its K most similar items, and all of those that the user has rated count. Fitting takes blocks of
    items and holds about ``(4 U + 9 I)`` numbers for each item of a block, at most :data:`BLOCK_NUMBERS` or one item.

    Args:
        num_users: size of the user vocabulary.
        num_items: size of the item vocabulary, I.
        num_neighbours: neighbours that each item keeps, K.
        shrinkage: common users beyond the first by which a correlation is halved.
        amplification: exponent of the similarities.
        baseline_weight: weight of the baseline in the mean over neighbours.
        user_l2: regularisation of user biases, in ratings.
        item_l2: the same for item biases.
        epochs: turns between user and item biases.

    Raises:
        ModelError: a setting is not positive.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="how the user rated the item's neighbours; Koren (2010)",
        settings=("num_neighbours", "shrinkage"),
        use="where a rating has to be explained by other ratings",
        gives="scores",
        served_from="as `slim`, and the biases",
        weights="not used: the rating says it all",
    )

    neighbours: Tensor
    similarities: Tensor

    def __init__(
        self,
        num_users: int,
        num_items: int,
        num_neighbours: int = 200,
        shrinkage: float = 200.0,
        amplification: float = 2.0,
        baseline_weight: float = 0.01,
        user_l2: float = 5.0,
        item_l2: float = 2.0,
        epochs: int = 20,
    ) -> None:
        super().__init__(num_users, num_items)
        check_dims(num_neighbours=num_neighbours, epochs=epochs)
        require_positive(
            shrinkage=shrinkage,
            amplification=amplification,
            baseline_weight=baseline_weight,
            user_l2=user_l2,
            item_l2=item_l2,
        )
        kept = min(num_neighbours, max(num_items - 1, 1))
        self.register_buffer("neighbours", torch.zeros(num_items, kept, dtype=torch.int64))
        self.register_buffer("similarities", torch.zeros(num_items, kept))
        self._shrinkage = shrinkage
        self._amplification = amplification
        self._baseline_weight = baseline_weight
        self._user_l2 = user_l2
        self._item_l2 = item_l2
        self._epochs = epochs

    def fit(self, interactions: Interactions) -> None:
        """Fit the biases and find each item's neighbours.

        Raises:
            ModelError: there are no ratings.
        """
        ratings = self.read_ratings(interactions)
        user_bias, item_bias = fit_biases(ratings, self.mean, self._user_l2, self._item_l2, self._epochs)
        self.user_bias.copy_(user_bias)
        self.item_bias.copy_(item_bias)
        above = ratings.values - self.mean - self.user_bias[ratings.rows] - self.item_bias[ratings.columns]
        by_item = ratings.with_values(above).transpose()
        size = max(1, BLOCK_NUMBERS // (4 * len(ratings) + 9 * len(by_item)))
        for start in range(0, len(by_item), size):
            similarity = self._similarities(by_item, start, min(start + size, len(by_item)))
            kept = largest_columns(similarity.T, self.neighbours.shape[1])
            self.neighbours[start : start + size] = kept
            self.similarities[start : start + size] = similarity.T.gather(1, kept)

    def _similarities(self, by_item: InteractionMatrix, start: int, stop: int) -> Tensor:
        """Similarities of all items with those in ``[start, stop)``, shape [I, stop - start]; zero with itself."""
        squares = by_item.with_values(by_item.values.square())
        ones = by_item.with_values(torch.ones_like(by_item.values))
        block, square_block, one_block = (
            matrix.slice(start, stop).dense().T.contiguous() for matrix in (by_item, squares, ones)
        )
        common, block_squares = (ones @ torch.cat([one_block, square_block], dim=1)).chunk(2, dim=1)
        norms = (squares @ one_block) * block_squares
        shrunk = (common - 1).clamp(min=0)
        shrunk = shrunk / (shrunk + self._shrinkage)
        similarity = (by_item @ block) * norms.clamp(min=torch.finfo(norms.dtype).tiny).rsqrt() * shrunk
        similarity[torch.arange(start, stop), torch.arange(stop - start)] = 0.0
        return similarity.clamp(min=0) ** self._amplification

    def fold_in(self, histories: Histories) -> tuple[Tensor, Tensor]:
        """The shrunk mean of what a user's ratings have above those of the items."""
        bias = fold_in_bias(histories, self.mean, self.item_bias, self._user_l2)
        return bias, self.user_vectors.new_zeros(len(histories), 0)

    def served_fold_in(self) -> FoldedBias:
        """See :meth:`recsys.models.components.rating_model.RatingModel.served_fold_in`."""
        return FoldedBias(self.item_bias, self.mean, self._user_l2)

    @torch.no_grad()
    def serving_form(self) -> ServingForm:
        """Scores of the catalogue; see :class:`recsys.models.onnx.exportable.Exportable`."""
        kept = self.similarities > 0
        offsets = torch.cat([kept.new_zeros(1, dtype=torch.int64), kept.sum(1).cumsum(0)])
        rows = rows_of_weights(
            InteractionMatrix(offsets, self.neighbours[kept], self.similarities[kept], len(self.neighbours))
        )
        encoder = RatedNeighbours(self.served_users(), self.item_bias, self.mean, rows, self._baseline_weight)
        return ServingForm(encoder.eval(), None, rows.floats_per_position)

    @torch.no_grad()
    def explaining_form(self) -> RatedNeighboursExplainer:
        """Similarities of pairs of items; see :mod:`recsys.models.onnx.exportable`."""
        pairs = SparsePairs(self.neighbours, self.similarities)
        return RatedNeighboursExplainer(
            self.served_users(), self.item_bias, self.mean, pairs, self._baseline_weight
        ).eval()

    def score(self, query: Query) -> Tensor:
        """The predicted rating of every item, shape [B, I], not clipped: clipping would tie the best items."""
        scores = super().score(query)
        if query.histories.rating is None or len(query) == 0:
            return scores
        neighbourly = []
        for above, rated in zip(*(table.split(USERS_PER_BLOCK) for table in self._above_baseline(query)), strict=True):
            table = torch.cat([above, rated]).T.contiguous()
            total, weight = functional.embedding_bag(
                self.neighbours, table, mode="sum", per_sample_weights=self.similarities
            ).T.chunk(2)
            neighbourly.append(total / (weight + self._baseline_weight))
        return scores + torch.cat(neighbourly)

    def predict(self, query: Query, rows: Tensor, items: Tensor) -> Tensor:
        """Predictions for N pairs that may leave the rating scale."""
        baseline = super().predict(query, rows, items)
        if query.histories.rating is None:
            return baseline
        above, rated = self._above_baseline(query)
        neighbourly = []
        size = max(1, BLOCK_NUMBERS // (8 * self.neighbours.shape[1]))
        for block_rows, block_items in zip(rows.split(size), items.split(size), strict=True):
            neighbours = self.neighbours[block_items]
            weight = self.similarities[block_items] * rated[block_rows[:, None], neighbours]
            total = (weight * above[block_rows[:, None], neighbours]).sum(1)
            neighbourly.append(total / (weight.sum(1) + self._baseline_weight))
        return baseline + torch.cat(neighbourly) if neighbourly else baseline

    def explain(self, query: Query, items: Tensor) -> Explanation:
        """Each rating has ``s_ij (r_uj - b_uj) / (baseline_weight + sum_j s_ij)`` in the score of item i.

        The rest is the baseline ``b_ui``. That of a user who was not in training comes from their ratings too, but
        from the level of all of them and not from single ones. ``items``: shape [B, C], int64.
        """
        histories, asked = query.histories, items.clamp(min=0)
        bias, _ = self.users_of(query)
        rest = (self.mean + bias[:, None] + self.item_bias[asked]).masked_fill_(items < 0, torch.nan)
        parts = rest.new_zeros(len(histories.items), items.shape[1])
        if histories.rating is not None:
            above = InteractionMatrix.from_histories(histories, len(self.item_bias), histories.rating)
            ones = above.with_values(torch.ones_like(above.values))
            above = above.with_values(above.values - self.mean - bias[above.rows] - self.item_bias[above.columns])
            # An item that was rated again counts once, in the sum of similarities as well.
            shares, counted = (shares_of_interactions(histories, matrix) for matrix in (above, ones))
            for row, targets in enumerate(asked):
                own = slice(*histories.offsets[row : row + 2].tolist())
                similarity = rest.new_zeros(len(targets), len(self.item_bias))
                similarity.scatter_(1, self.neighbours[targets], self.similarities[targets])
                found = similarity[:, histories.items[own]].T
                weight = (found * counted[own, None]).sum(0)
                parts[own] = found * shares[own, None] / (weight + self._baseline_weight)
        return Explanation(histories, parts.masked_fill_((items < 0)[rows_of(histories)], torch.nan), rest)

    def _above_baseline(self, query: Query) -> tuple[Tensor, Tensor]:
        """What the users' ratings have above the baseline, and where there are ratings, both [B, I], float32."""
        assert query.histories.rating is not None
        known = InteractionMatrix.from_histories(query.histories, len(self.item_bias), query.histories.rating)
        bias, _ = self.users_of(query)
        above = known.values - self.mean - bias[known.rows] - self.item_bias[known.columns]
        return known.with_values(above).dense(), known.with_values(torch.ones_like(above)).dense()
