"""What a model can do. Callers ask for the protocol, never for a class.

Besides its protocols a model may have any of these methods; callers look for them by ``getattr``:

- ``score_catalogue(users) -> [B, I]``: scores every item for known users (int64, shape [B]), with gradients, where that
  takes less than scoring all pairs;
- ``score_candidates(query, items) -> [B, C]``: scores given items (int64, shape [B, C]) of each query, NaN where an
  item is unscored, where that differs from the scores of the whole catalogue;
- ``approximate_catalogue(users) -> (scores [B, I], error [B, 1]) | None``: rough scores of every item for known users,
  and by how much those of a user may be wrong at most; None where that would save no time. The exact scores do not
  depend on histories;
- ``squared_norms(users, items)``: squared norms of the vectors of ``users`` and of ``items``, each in its shape, which
  ``training.l2`` penalises;
- ``factor_tables() -> FactorTables | None``: the tables that the scores of pairs are biases and inner products of
  (:class:`recsys.models.interface.factor_tables.FactorTables`), so that a training may compute scores and gradients in
  one pass; None where the scores of now are more than that, as in training with dropout;
- ``pair_towers() -> PairTowers``: the towers whose sum is the score of a pair
  (:class:`recsys.models.interface.pair_towers.PairTowers`), for the same purpose;
- ``observe_training(interactions)``: receives the interactions that are going to be trained on, before the first step;
- ``item_weights(items) -> [C, I]``: for each of ``items`` (int64, shape [C]) the weight, float32, that an interaction
  with each item of the catalogue has in its score; 0 for the item itself and where there is none;
- ``sparse_item_weights(items) -> InteractionMatrix | None``: the same weights as a sparse matrix, C rows of I columns,
  where the model keeps few of them; None where it keeps all;
- ``known_by_content() -> [I]``: which items the model knows without interactions, bool, so that they say something in
  a history and may be like others;
- ``dynamic_buffers() -> names``: buffers, as in ``state_dict``, whose sizes are known only once the model is fitted,
  such as lists of neighbours; the other tensors have the sizes of a fresh model;
- ``update(interactions, earlier) -> statistics``, of a model that is fitted at once: fits to ``interactions``, the
  training rows of now, from an earlier fit (:class:`recsys.models.interface.earlier_fit.EarlierFit`) in less time than
  :meth:`Fittable.fit`; returns tensors that its next update is given again, by name; None, and nothing is done, where
  these settings allow no update;
- ``fit_bytes(num_users, num_items) -> int``, a static method: what fitting holds at least, in bytes, where that grows
  with the square of a side, so that nobody starts what cannot end;
- ``sized_settings``, a class attribute: names of the settings that may be ``auto`` in the model's configuration, and
  ``sized_defaults(size, given) -> settings``, a static method: their values for data of a size
  (:class:`recsys.models.interface.data_size.DataSize`), beside the numbers that are given;
- ``default_training``, a class attribute: the choice of ``training`` where none is made.

What a model may have for its export is in :mod:`recsys.models.onnx.exportable`.

Shape suffixes: B queries, I items of the catalogue, N pairs, K items of each query, C requested items.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.features import FeatureTable
from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.models.components.source_scores import SourceScores
from recsys.models.interface.explanation import Explanation
from recsys.models.layers.packed_windows import PackedWindows


@dataclass(frozen=True, slots=True)
class Query:
    """B users to score for, with what is known of them.

    Args:
        users: internal user indices, shape [B], int64; -1 for a user that is not in the vocabulary.
        histories: their known interactions, B rows, oldest first.
        features: the columns of the users, by name, B rows each, as :class:`recsys.data.encoded_columns.EncodedColumn`
            encodes them, in place of what the data have of these users: all that the model reads
            (:meth:`UsesUserFeatures.user_columns`), or none. Empty: what the data have, and nothing of a user that
            is not in the vocabulary.
    """

    users: Tensor
    histories: Histories
    features: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.users)

    def take(self, rows: Tensor) -> Query:
        """The users at positions ``rows`` (int64), in that order."""
        features = {name: values[rows] for name, values in self.features.items()}
        return Query(self.users[rows], self.histories.take(rows), features)


@runtime_checkable
class ScoringModel(Protocol):
    """Every model."""

    def score(self, query: Query) -> Tensor:
        """Score the whole catalogue for each query.

        Returns:
            Shape [B, I], float: higher is better, NaN where an item is unscored.
        """
        ...


@runtime_checkable
class ScoresPairs(Protocol):
    """A model that scores single pairs of a known user and a known item."""

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs; ``users`` and ``items`` are int64 and broadcast against each other.

        Returns:
            One score for each pair, in the broadcast shape.
        """
        ...


@runtime_checkable
class Fittable(Protocol):
    """A model that is computed from the interactions at once, without gradient steps."""

    def fit(self, interactions: Interactions) -> None:
        """Compute the model from ``interactions``, the training part of a split."""
        ...


@runtime_checkable
class PredictsRatings(Protocol):
    """A model that predicts which rating a user would give to an item, learnt from ratings."""

    def predict_ratings(self, query: Query, rows: Tensor, items: Tensor) -> Tensor:
        """Predict the ratings of N pairs.

        Args:
            query: who rates, B users with what is known of them.
            rows: the pairs' rows of ``query``, shape [N], int64.
            items: the pairs' items, internal indices, shape [N], int64.

        Returns:
            Shape [N], float32, within the rating scale of the data that the model was fitted on. Never NaN: for users
            and items that were not in training the model falls back to what it knows, at last to the mean rating.
        """
        ...


@runtime_checkable
class FoldsIn(Protocol):
    """A model that scores users it has never seen from their histories, without a training step."""

    def score_histories(self, histories: Histories) -> Tensor:
        """Score the whole catalogue for B users of whom nothing but their histories is known.

        Returns:
            Shape [B, I], as :meth:`ScoringModel.score`; a row of NaN for an empty history.
        """
        ...


@runtime_checkable
class UsesItemFeatures(Protocol):
    """A model that knows items by their content, so that it can score items without interactions."""

    def set_item_features(self, features: FeatureTable) -> None:
        """Take in the features of the catalogue, one row for each item; called once, before fitting."""
        ...

    def sentence_encoder(self) -> str | None:
        """Name or path of the sentence model that encodes the items' texts; None where the model does without."""
        ...

    def set_sentence_vectors(self, vectors: Tensor) -> None:
        """Take in the vectors of the catalogue, shape [I, E], of length 1, or 0 for an item without text.

        Called once, after :meth:`set_item_features` and before fitting, where there is a sentence encoder.
        """
        ...


@runtime_checkable
class UsesUserFeatures(Protocol):
    """A model that knows users by their features besides their interactions."""

    def set_user_features(self, features: FeatureTable) -> None:
        """Take in the features of the users, one row for each; called once, before fitting."""
        ...

    def user_columns(self) -> tuple[EncodedColumn, ...]:
        """Those that it reads, as :attr:`Query.features` has them; none before :meth:`set_user_features`."""
        ...


class SequenceEncoder(nn.Module, ABC):
    """Base of a network that predicts after each interaction of a history what comes next, with gradients.

    I items of the catalogue, R rows of C positions, D dim of the item vectors, E dim of the vectors whose inner
    products are the scores.
    """

    max_history: int
    #: Whether the ratings of a history, and the time between its interactions, are of use.
    uses_ratings: bool = False
    uses_time_gaps: bool = False

    @abstractmethod
    def item_vectors(self, items: Tensor | None = None) -> Tensor:
        """What is put into the encoder for ``items``, shape [..., D]; None: for the catalogue, shape [I, D]."""

    @abstractmethod
    def encode_windows(self, windows: PackedWindows, vectors: Tensor) -> Tensor:
        """Query vectors at each position of some windows, shape [R, C, E]; none depends on later interactions.

        Args:
            windows: R rows of C positions.
            vectors: that of :meth:`item_vectors` for the interaction before each position, shape [R, C, D]; any where a
                window starts and in padding.
        """

    @abstractmethod
    def catalogue(self, item_vectors: Tensor, items: Tensor | None = None) -> Tensor:
        """The vectors of the items that queries meet, from those of :meth:`item_vectors`.

        Args:
            item_vectors: shape [C, D].
            items: the items that they are of, all of them in training, shape [C], int64; None: the catalogue.

        Returns:
            Shape [C, E].
        """


@runtime_checkable
class Factorized(Protocol):
    """A model whose score is an inner product, so that a nearest-neighbour index can retrieve with it.

    The products order the items of each query as :meth:`ScoringModel.score` does; they may differ from the scores by a
    constant for each query.
    """

    def encode_users(self, query: Query) -> Tensor:
        """Query vectors, shape [B, D]; NaN for a query that the model cannot place."""
        ...

    def encode_items(self, items: Tensor) -> Tensor:
        """Item vectors of ``items`` (internal indices, shape [C], int64), shape [C, D]."""
        ...


@runtime_checkable
class Explains(Protocol):
    """A model whose score is a sum over the interactions of the history, so that it can say where a score comes from.

    Any other model that scores from histories is explained by samples, see
    :func:`recsys.recommendation.sampled_explanation.sampled_explainer_of`.
    """

    def explain(self, query: Query, items: Tensor) -> Explanation:
        """Split scores over the histories of ``query``.

        Args:
            query: B users.
            items: internal indices, shape [B, K], int64; -1 for no item.

        Returns:
            Contributions that add up to what :meth:`ScoringModel.score` gives for these items, up to rounding; NaN
            where that is NaN and for item -1.
        """
        ...


class RanksCandidates(nn.Module, ABC):
    """Base of a model that ranks items from the scores of other models, its sources.

    S sources, C candidates of each query, F' features that no step of training changes.
    """

    @abstractmethod
    def source_models(self) -> dict[str, nn.Module]:
        """The sources by name; they are part of the model, and fitted before it."""

    @abstractmethod
    def observe_training(self, interactions: Interactions) -> None:
        """Take in the interactions that are going to be trained on, before the first step."""

    @abstractmethod
    def score_sources(self, query: Query) -> SourceScores:
        """The scores of the sources for the catalogue, and behind them whatever else is on the same scale."""

    @abstractmethod
    def of_sources(self, source_scores: SourceScores) -> SourceScores:
        """The part of the sources in what :meth:`score_sources` gave, shape [B, S, I]."""

    @abstractmethod
    def candidate_features(self, query: Query, source_scores: SourceScores, items: Tensor) -> Tensor:
        """Features of candidates (shape [B, C], int64) that no step of training changes; shape [B, C, F']."""

    @abstractmethod
    def rank(self, described: Tensor, users: Tensor, items: Tensor) -> Tensor:
        """Score candidates from their features, with gradients; shape [B, C]."""


class PretrainsInTowers(nn.Module, ABC):
    """Base of a network made of towers that may be trained on their own first, each as a recommender of its own."""

    @abstractmethod
    def towers(self) -> dict[str, nn.Module]:
        """The towers by name; they share their parameters with the network."""

    @abstractmethod
    def fuse(self) -> None:
        """Combine the trained towers into the starting point of the whole network."""


def dynamic_buffers(model: nn.Module) -> tuple[str, ...]:
    """The names of the buffers of ``model`` whose sizes the data decide; see above."""
    names: tuple[str, ...] = model.dynamic_buffers() if hasattr(model, "dynamic_buffers") else ()  # type: ignore[operator]
    return names
