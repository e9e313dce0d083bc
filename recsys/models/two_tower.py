"""A user by what they did, an item by what it is: two towers that meet in an inner product.

Shape suffixes: B queries, L positions, C requested items, I items of the catalogue, D dim of the towers, E dim of the
vectors that meet (D, or D + 1 with item biases).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.features import FeatureTable
from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.interface.model_card import ModelCard
from recsys.models.interface.protocols import Query, SequenceEncoder
from recsys.models.layers.bias_dimension import with_bias, with_ones
from recsys.models.layers.dropout import FusedDropout
from recsys.models.layers.embedding import Embedding
from recsys.models.layers.feature_embedding import FeatureEmbedding
from recsys.models.layers.history_inputs import NUM_GAPS, rating_embedding, time_gap_embedding
from recsys.models.layers.item_tower import ItemTower
from recsys.models.layers.packed_windows import PackedWindows
from recsys.models.layers.padded_histories import PaddedHistories
from recsys.models.layers.validation import check_dims
from recsys.models.onnx.exportable import ItemEncoderSpec, ServingForm
from recsys.models.onnx.history_tower import HistoryTower
from recsys.models.onnx.new_items import NewItems


class TwoTower(SequenceEncoder):
    """``score(u, i) = h(history of u, features of u) . x_i / temperature + b_i``.

    The item tower gives ``x_i`` from the item's id and its content
    (:class:`recsys.models.layers.item_tower.ItemTower`); the user tower encodes the vectors of the items in the
    history, oldest first, and adds what is known of the user. Both users and items may be new: a user is served from
    the history alone (from the features alone where there is no history), an item that was not in training from its
    content. Covington, Adams, Sargin: Deep Neural Networks for YouTube Recommendations (2016); Yi et al.:
    Sampling-Bias-Corrected Neural Modeling (2019).

    Args:
        num_users: size of the user vocabulary.
        num_items: size of the item vocabulary, I.
        encoder: makes the encoder of histories from ``embedding_dim``, ``max_history`` and ``dropout``.
        embedding_dim: dimension of both towers, D.
        max_history: interactions of a history that are encoded, the latest ones.
        dropout: probability of dropping a number of the encoder's input, and of its hidden layers, in training.
        id_dropout: probability of hiding an item's id in training.
        item_columns: item features that count; None: all.
        user_columns: user features that count; None: all.
        user_ids: whether known users have a vector of their own besides their history.
        ratings: whether the ratings of a history count.
        time_gaps: whether the time between the interactions of a history counts.
        normalize: whether both vectors are scaled to length 1 before they meet.
        temperature: by which the inner product is divided, above 0.
        item_bias: whether each item has a bias.
        sentence_model: name or path of a model of sentence-transformers for the items' texts; None: without.
        init_std: standard deviation of the normal initialisation of embeddings.

    Raises:
        ModelError: a dimension or the temperature is not positive.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary=(
            "a user by the history, an item by its id and content; Covington et al. (2016), Yi et al. (2019), "
            "Kang and McAuley (2018)"
        ),
        settings=("encoder", "max_history", "embedding_dim", "dropout", "id_dropout"),
        use="where order in time, content or new items matter ([more](two_tower.md))",
        gives="a vector",
        served_from="the latest `max_history` interactions; new items get vectors from their features",
        weights="not used: how much was taken at once says nothing of what comes next",
    )

    #: The choice of ``training`` where none is made.
    default_training: ClassVar[str] = "next_item"

    def __init__(
        self,
        num_users: int,
        num_items: int,
        encoder: Callable[..., nn.Module],
        embedding_dim: int = 64,
        max_history: int = 50,
        dropout: float = 0.2,
        id_dropout: float = 0.1,
        item_columns: Sequence[str] | None = None,
        user_columns: Sequence[str] | None = None,
        user_ids: bool = False,
        ratings: bool = False,
        time_gaps: bool = False,
        normalize: bool = False,
        temperature: float = 1.0,
        item_bias: bool = True,
        sentence_model: str | None = None,
        init_std: float = 0.05,
    ) -> None:
        super().__init__()
        check_dims(embedding_dim=embedding_dim, max_history=max_history)
        if temperature <= 0:
            raise ModelError(f"model.temperature must be above 0, but it is {temperature}. Correct it.")
        self.num_users = num_users
        self.num_items = num_items
        self.embedding_dim = embedding_dim
        self.max_history = max_history
        self.item_columns = item_columns
        self._chosen_user_columns = user_columns
        self.normalize = normalize
        self.temperature = temperature
        self.sentence_model = sentence_model
        self.init_std = init_std
        self.items = ItemTower(num_items, embedding_dim, id_dropout, init_std)
        self.encoder = encoder(embedding_dim=embedding_dim, max_history=max_history, dropout=dropout)
        self.dropout = FusedDropout(dropout)
        self.start = nn.Parameter(torch.zeros(embedding_dim))
        self.user_features: FeatureEmbedding | None = None
        self.user_vectors = _embedding(num_users, embedding_dim, init_std) if user_ids else None
        self.uses_ratings, self.uses_time_gaps = ratings, time_gaps
        self.rating_vector = nn.Parameter(torch.zeros(2, embedding_dim)) if ratings else None
        self.gap_vectors = _embedding(NUM_GAPS, embedding_dim, init_std) if time_gaps else None
        self.item_bias = _embedding(num_items, 1, 0.0) if item_bias else None

    def set_item_features(self, features: FeatureTable) -> None:
        """See :class:`recsys.models.interface.protocols.UsesItemFeatures`.

        Raises:
            ModelError: ``item_columns`` are not among the features.
        """
        self.items.set_item_features(features, self.item_columns)

    def set_user_features(self, features: FeatureTable) -> None:
        """See :class:`recsys.models.interface.protocols.UsesUserFeatures`.

        Raises:
            ModelError: ``user_columns`` are not among the features.
        """
        wanted = tuple(features.features) if self._chosen_user_columns is None else tuple(self._chosen_user_columns)
        if wanted:
            self.user_features = FeatureEmbedding(features, wanted, self.embedding_dim, self.init_std)

    def user_columns(self) -> tuple[EncodedColumn, ...]:
        """See :class:`recsys.models.interface.protocols.UsesUserFeatures`."""
        return () if self.user_features is None else self.user_features.described

    def sentence_encoder(self) -> str | None:
        """The sentence model that the items' texts are wanted from."""
        return self.sentence_model

    def set_sentence_vectors(self, vectors: Tensor) -> None:
        """See :class:`recsys.models.interface.protocols.UsesItemFeatures`."""
        self.items.set_sentence_vectors(vectors)

    def observe_training(self, interactions: Interactions) -> None:
        """Note which items are trained on; the others are known by their content alone."""
        self.items.is_trained.fill_(False)
        self.items.is_trained[torch.from_numpy(interactions.item_index).long()] = True

    @torch.no_grad()
    def known_by_content(self) -> Tensor:
        """Which items have features that count, shape [I]; see :mod:`recsys.models.interface.protocols`."""
        return self.items.has_content()

    def item_vectors(self, items: Tensor | None = None) -> Tensor:
        """The item tower's vectors of ``items``, shape [..., D], or of the catalogue; in training with some ids hidden.

        See :class:`recsys.models.interface.protocols.SequenceEncoder`.
        """
        vectors: Tensor = self.items(items)
        return vectors

    def catalogue(self, item_vectors: Tensor, items: Tensor | None = None) -> Tensor:
        """See :class:`recsys.models.interface.protocols.SequenceEncoder`."""
        vectors = functional.normalize(item_vectors, dim=1) if self.normalize else item_vectors
        if self.item_bias is None:
            return vectors
        if items is not None:
            return with_bias(vectors, self.item_bias(items)[:, 0])
        bias = self.item_bias.table()[:, 0]
        return with_bias(vectors, torch.where(self.items.is_trained, bias, self._mean_bias(bias.detach())))

    def encode_windows(self, windows: PackedWindows, vectors: Tensor) -> Tensor:
        """See :class:`recsys.models.interface.protocols.SequenceEncoder`."""
        vectors = self._of_interactions(windows, vectors)
        vectors = torch.where((windows.places == 0)[:, :, None], self.start, vectors)
        states = self.encoder(self.dropout(vectors), windows.windows)
        if self.user_features is not None or self.user_vectors is not None:
            states = states + functional.embedding(windows.windows, self._of_users(windows.users, {}))
        return self._queries(states)

    def _of_interactions(self, interactions: PackedWindows | PaddedHistories, vectors: Tensor) -> Tensor:
        """What enters the encoder for each interaction: its item's vector, rating and time gap; shape [B, L, D]."""
        vectors = vectors * self.embedding_dim**0.5
        if self.rating_vector is not None and interactions.rating is not None:
            vectors = vectors + rating_embedding(interactions.rating, self.rating_vector)
        if self.gap_vectors is not None and interactions.time_gaps is not None:
            vectors = vectors + time_gap_embedding(interactions.time_gaps, self.gap_vectors.weight)
        return vectors

    def _states(self, histories: PaddedHistories, item_vectors: Tensor, of_users: Tensor) -> Tensor:
        """Query vectors of histories, shape [B, L + 1, E], with what is known of their users, shape [B, D]."""
        vectors = self._of_interactions(histories, functional.embedding(histories.items, item_vectors))
        vectors = torch.cat([self.start.expand(len(vectors), 1, -1), vectors], dim=1)
        return self._queries(self.encoder(self.dropout(vectors)) + of_users[:, None, :])

    def _queries(self, states: Tensor) -> Tensor:
        """The vectors that meet those of items, shape [B, L, E], from states, shape [B, L, D]."""
        if self.normalize:
            states = functional.normalize(states, dim=2)
        if self.temperature != 1:
            states = states / self.temperature
        return states if self.item_bias is None else with_ones(states)

    def encode_users(self, query: Query) -> Tensor:
        """See :class:`recsys.models.interface.protocols.Factorized`."""
        return self._encode(query, self.item_vectors())

    def encode_items(self, items: Tensor) -> Tensor:
        """See :class:`recsys.models.interface.protocols.Factorized`."""
        return self.catalogue(self.item_vectors())[items]

    def score(self, query: Query) -> Tensor:
        """Score every item, shape [B, I]; without a history by what is known of the user, or of all users."""
        item_vectors = self.item_vectors()
        return self._encode(query, item_vectors) @ self.catalogue(item_vectors).T

    def score_histories(self, histories: Histories) -> Tensor:
        """Score every item, shape [B, I]; an empty history gets what suits all users."""
        return self.score(Query(torch.full_like(histories.counts, -1), histories))

    @torch.no_grad()
    def serving_form(self) -> ServingForm:
        """The user tower, and the item tower's vectors of the catalogue; for a model in evaluation mode.

        See :class:`recsys.models.onnx.exportable.Exportable`.
        """
        item_vectors = self.item_vectors()
        tower = HistoryTower(
            self.encoder,
            self.start,
            item_vectors * self.embedding_dim**0.5,
            None if self.user_vectors is None else self.user_vectors.weight,
            None if self.user_features is None else self.user_features.of_users(),
            self.rating_vector,
            None if self.gap_vectors is None else self.gap_vectors.weight,
            self.max_history,
            self.normalize,
            self.temperature,
            self.item_bias is not None,
        )
        return ServingForm(tower.eval(), self.catalogue(item_vectors), 4 * self.embedding_dim, self.user_columns())

    @torch.no_grad()
    def item_encoder(self) -> ItemEncoderSpec:
        """New items have the unknown id and their features; see :mod:`recsys.models.onnx.exportable`.

        Raises:
            ModelError: no columns count, or a sentence model does.
        """
        features = self.items.features
        if features is None or self.items.sentences is not None:
            reason = "it knows no columns of items" if features is None else "it knows texts by a sentence model"
            raise ModelError(
                f"New items get vectors from the columns of the items alone, but not with this model: {reason}. "
                "Train one with item features, and with model.sentence_model=null."
            )
        bias = None if self.item_bias is None else self._mean_bias(self.item_bias.table()[:, 0])
        encoder = NewItems(self.items.unknown_id, features.of_other_rows(), self.normalize, bias)
        return ItemEncoderSpec(encoder.eval(), features.described)

    def _encode(self, query: Query, item_vectors: Tensor) -> Tensor:
        """Query vectors after the last interaction, shape [B, E]."""
        latest = PaddedHistories.latest(query.histories, self.max_history)
        states = self._states(latest, item_vectors, self._of_users(query.users, query.features))
        return states[torch.arange(len(states), device=states.device), latest.lengths]

    def _of_users(self, users: Tensor, features: Mapping[str, Tensor]) -> Tensor:
        """What is known of users besides their histories, shape [B, D], from their indices and the query's features."""
        known, in_data = users.clamp(min=0), (users >= 0)[:, None]
        total = self.start.new_zeros(len(users), self.embedding_dim)
        if self.user_features is not None:
            own = self.user_features.of_users()(features) if features else self.user_features(known) * in_data
            total = total + own
        if self.user_vectors is not None:
            total = total + self.user_vectors(known) * in_data
        return total

    def _mean_bias(self, bias: Tensor) -> Tensor:
        """The mean of the biases (shape [I]) of the items in training, a scalar: what a new item starts from."""
        trained = self.items.is_trained
        return (bias * trained).sum() / trained.sum().clamp(min=1)


def _embedding(num_rows: int, embedding_dim: int, init_std: float) -> Embedding:
    table = Embedding(num_rows, embedding_dim)
    nn.init.normal_(table.weight, std=init_std)
    return table
