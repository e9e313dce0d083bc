"""User-based nearest neighbours.

Shape suffixes: B queries, U users, I items, M training interactions.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.models.components.recency import Recency
from recsys.models.components.similarities import Similarity
from recsys.models.components.weightings import Weighting
from recsys.models.interface.model_card import ModelCard
from recsys.models.interface.protocols import Query
from recsys.models.layers.validation import check_dims
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.row_products import row_products
from recsys.models.linalg.rowwise_product import RowwiseProduct
from recsys.models.linalg.top_entries import nonzero, top_entries
from recsys.models.onnx.exportable import ServingForm
from recsys.models.onnx.user_neighbours import UserNeighbours

#: For each training user while a query is scored: products, denominators, magnitudes, each a float32.
_BYTES_OF_CANDIDATE = 12
#: The same similarity may differ by so much where its sum is formed in another order.
_ROUNDING = 1 - 1e-6


class UserKNN(nn.Module):
    """Scores an item by how similar the users are who have it.

    ``score(u, i) = sum of similarity(u, v) over the neighbours v of u who have i``, where the neighbours of ``u`` are
    the ``num_neighbours`` most similar training users with a similarity above zero. They are found when the query
    comes, from its history, in which recency weighs the interactions; a known user is not their own neighbour. Of users
    who are equally similar but for rounding, those with the lower index are neighbours, here and in ONNX.

    With ``reverse_neighbours`` the neighbours of ``u`` are those who would choose ``u``: the training users whose
    similarity to ``u`` reaches that to the last of their own ``num_neighbours`` most similar other training users. An
    asymmetric similarity is then that of ``v``, who seeks. This is what the code of Ferrari Dacrema et al. does, which
    keeps neighbours by the columns of the similarities and scores by their rows.

    Where interactions have weights, training users are compared by these, unless by ratings; the history of a query has
    none, and what a neighbour has counts the same however often they had it.

    Sources: Resnick et al., GroupLens, CSCW 1994; Ferrari Dacrema, Cremonesi and Jannach, RecSys 2019.

    Args:
        num_users: size of the user vocabulary, U.
        num_items: size of the item vocabulary, I.
        similarity: how users are compared, by their items.
        weighting: of items and users before users are compared.
        recency: how much older interactions of a query's history count in the comparison.
        num_neighbours: neighbours of each query, at most; with ``reverse_neighbours``, of each training user.
        reverse_neighbours: neighbours are those who would choose the query's user. Fitting then compares all training
            users with each other, which takes time that grows with the square of their number.
        normalize: divide by the similarities of all neighbours, so that a score is the share of the neighbourhood that
            has the item. This changes no ranking, but makes scores of several users comparable.
        max_block_bytes: bound on the memory of the similarities of a block of queries with all users; a block has at
            least one query.

    Raises:
        ModelError: a setting is out of range.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="what users with like histories have; Resnick et al. (1994)",
        settings=("num_neighbours", "similarity", "weighting", "recency"),
        use="where there are few users, or many items for each",
        gives="scores",
        served_from="a dense table of users and items, 5 bytes a pair, 1 GiB at most",
        weights="stand in the rows of the training users, not in the query's; the adjusted cosine takes ratings",
    )

    offsets: Tensor
    items: Tensor
    values: Tensor
    squares: Tensor
    thresholds: Tensor
    item_counts: Tensor

    def __init__(
        self,
        num_users: int,
        num_items: int,
        similarity: Similarity,
        weighting: Weighting,
        recency: Recency,
        num_neighbours: int = 100,
        reverse_neighbours: bool = False,
        normalize: bool = False,
        max_block_bytes: int = 2**28,
    ) -> None:
        super().__init__()
        check_dims(num_neighbours=num_neighbours, max_block_bytes=max_block_bytes)
        self.num_users = num_users
        self.num_items = num_items
        self.similarity = similarity
        self.weighting = weighting
        self.recency = recency
        self.num_neighbours = num_neighbours
        self.reverse_neighbours = reverse_neighbours
        self.normalize = normalize
        self.max_block_bytes = max_block_bytes
        self.register_buffer("offsets", torch.zeros(num_users + 1, dtype=torch.int64))
        self.register_buffer("items", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("values", torch.zeros(0))
        self.register_buffer("squares", torch.zeros(num_users))
        self.register_buffer("thresholds", torch.zeros(num_users))
        self.register_buffer("item_counts", torch.zeros(num_items, dtype=torch.int64))

    def dynamic_buffers(self) -> tuple[str, ...]:
        """The training interactions; see :mod:`recsys.models.interface.protocols`."""
        return ("items", "values")

    def fit(self, interactions: Interactions) -> None:
        """Keep the weighted training interactions, and the threshold of each user for their neighbours.

        Raises:
            ModelError: the similarity needs ratings, or recency needs timestamps, that the data do not have.
        """
        self.recency.check(interactions)
        given = self.similarity.represent_training(interactions, self.values.device)
        self.item_counts = given.column_counts()
        matrix = self.weighting.weigh(given, self.item_counts, self.num_users)
        self.offsets, self.items, self.values = matrix.offsets, matrix.columns, matrix.values
        self.squares = matrix.squared_lengths()
        if self.reverse_neighbours:
            histories = Histories.from_interactions(interactions, self.values.device)
            queries = matrix if interactions.weight is None else self._unweighted(histories)
            self._set_thresholds(matrix, queries)

    def _unweighted(self, histories: Histories) -> InteractionMatrix:
        """The training users as queries, whose histories have no weights."""
        queries = self.similarity.represent(histories, self.num_items)
        return self.weighting.weigh(queries, self.item_counts, self.num_users)

    def _set_thresholds(self, matrix: InteractionMatrix, queries: InteractionMatrix) -> None:
        """Find the similarity of each training user to the last of their own neighbours, the ``queries``."""
        place = max(1, self.num_users - self.num_neighbours + 1)
        squares = queries.squared_lengths()
        for start, products in row_products(matrix, self.max_block_bytes, queries):
            rows = slice(start, start + len(products))
            similarities = self.similarity.compare(products, self.squares[rows], squares)
            similarities.diagonal(offset=start).fill_(-torch.inf)
            self.thresholds[rows] = similarities.kthvalue(place, dim=1).values * _ROUNDING

    def score(self, query: Query) -> Tensor:
        """Score the catalogue for each query, shape [B, I], float32; a row of NaN for an empty history."""
        return self._score(query.histories, query.users)

    def score_histories(self, histories: Histories) -> Tensor:
        """Score the catalogue for users of whom only the history is known; see :meth:`score`."""
        return self._score(histories, torch.full((len(histories),), -1, device=histories.items.device))

    @torch.no_grad()
    def serving_form(self) -> ServingForm:
        """A dense table of users and items; see :class:`recsys.models.onnx.exportable.Exportable`.

        Raises:
            ModelError: it would be too large.
        """
        encoder = UserNeighbours(
            InteractionMatrix(self.offsets, self.items, self.values, self.num_items),
            self.item_counts,
            self.similarity,
            self.weighting,
            self.recency,
            None if self.reverse_neighbours else self.num_neighbours,
            self.squares,
            self.thresholds,
            self.normalize,
        )
        return ServingForm(encoder.eval(), None, encoder.floats_per_position)

    @torch.no_grad()
    def _score(self, histories: Histories, users: Tensor) -> Tensor:
        """Scores, shape [B, I]; ``users`` (shape [B], int64, -1 for unknown ones) are no neighbours of their own."""
        training = InteractionMatrix(self.offsets, self.items, self.values, self.num_items)
        owned = RowwiseProduct(training.with_values(torch.ones_like(self.values)))
        queries = self._represent(histories)
        squares = queries.squared_lengths()
        size = max(1, self.max_block_bytes // (_BYTES_OF_CANDIDATE * max(self.num_users, 1)))
        scores = torch.empty(len(histories), self.num_items, device=self.values.device)
        for start in range(0, len(histories), size):
            block = queries.slice(start, min(start + size, len(histories)))
            rows = slice(start, start + len(block))
            products_UB = training @ block.dense().T
            known = (users[rows] >= 0).nonzero().squeeze(1)
            neighbours = self._neighbours(products_UB, squares[rows], known, users[rows][known])
            owned(neighbours.normalized() if self.normalize else neighbours, out=scores[rows])
        return scores.masked_fill_((queries.counts == 0)[:, None], torch.nan)

    def _neighbours(self, products_UB: Tensor, squares_B: Tensor, known: Tensor, users: Tensor) -> InteractionMatrix:
        """The neighbours of each query and their similarities: B rows, U columns.

        Args:
            products_UB: inner products of the training users with the queries.
            squares_B: squared lengths of the queries.
            known: queries of known users.
            users: these users, who are no neighbours of their own.
        """
        if self.reverse_neighbours:
            similarities_BU = self.similarity.compare(products_UB, self.squares, squares_B).T
            similarities_BU.masked_fill_(similarities_BU < self.thresholds, 0)
        else:
            similarities_BU = self.similarity.compare(products_UB.T, squares_B, self.squares)
        similarities_BU[known, users] = 0
        similarities_BU.clamp_(min=0)
        return (
            nonzero(similarities_BU) if self.reverse_neighbours else top_entries(similarities_BU, self.num_neighbours)
        )

    def _represent(self, histories: Histories) -> InteractionMatrix:
        """The queries' rows as they are compared with those of the training users."""
        matrix = self.similarity.represent(histories, self.num_items)
        matrix = self.weighting.weigh(matrix, self.item_counts, self.num_users)
        weights = self.recency.weights(histories)
        if weights is None:
            return matrix
        recent = InteractionMatrix.from_histories(histories, self.num_items, weights)
        return matrix.with_values(matrix.values * recent.values)
