"""The item tower: item vectors from ids, features and sentence embeddings.

Shape suffixes: I items of the catalogue, D dim, E dimension of a sentence model.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.data.features import FeatureTable
from recsys.models.layers.embedding import Embedding
from recsys.models.layers.feature_embedding import FeatureEmbedding


class ItemTower(nn.Module):
    """``x_i = id_i + features_i (+ sentence_i)``, where an item without training has the unknown id.

    In training the id of each item is replaced by the unknown id with probability ``id_dropout``, so that the
    unknown id and the features learn to represent items without interactions (Volkovs et al.: DropoutNet, 2017).

    Args:
        num_items: size of the item vocabulary, I.
        embedding_dim: D.
        id_dropout: probability of the replacement.
        init_std: standard deviation of the normal initialisation.
    """

    is_trained: Tensor

    def __init__(self, num_items: int, embedding_dim: int, id_dropout: float, init_std: float) -> None:
        super().__init__()
        self.embedding_dim = embedding_dim
        self.id_dropout = id_dropout
        self.init_std = init_std
        self.ids = Embedding(num_items, embedding_dim)
        self.unknown_id = nn.Parameter(torch.zeros(embedding_dim))
        nn.init.normal_(self.ids.weight, std=init_std)
        self.features: FeatureEmbedding | None = None
        self.sentences: nn.Linear | None = None
        self.register_buffer("is_trained", torch.ones(num_items, dtype=torch.bool))
        self.register_buffer("sentence_vectors", torch.zeros(num_items, 0), persistent=False)

    def set_item_features(self, features: FeatureTable, columns: Sequence[str] | None) -> None:
        """Set the features of the catalogue, I rows.

        Args:
            features: the features.
            columns: names of the used columns; None for all.

        Raises:
            ModelError: a column does not exist.
        """
        wanted = tuple(features.features) if columns is None else tuple(columns)
        if wanted:
            self.features = FeatureEmbedding(features, wanted, self.embedding_dim, self.init_std)

    def set_sentence_vectors(self, vectors: Tensor) -> None:
        """Set the sentence embeddings of the items, shape [I, E]."""
        self.sentence_vectors = vectors
        self.sentences = nn.Linear(vectors.shape[1], self.embedding_dim, bias=False)

    def has_content(self) -> Tensor:
        """Which items have features or sentences, shape [I], bool: without any there is nothing but the id."""
        found = torch.zeros_like(self.is_trained)
        if self.features is not None:
            found = found | (self.features() != 0).any(1)
        if self.sentences is not None:
            found = found | (self.sentence_vectors != 0).any(1)
        return found

    def forward(self, items: Tensor | None = None) -> Tensor:
        """The vectors of some items (int64, any shape), with D dimensions last; None: of the catalogue, shape [I, D].

        Whether an item is without its id is drawn for the catalogue: it is the same for all that ask in this call.
        """
        has_id: Tensor = self.is_trained
        if self.training and self.id_dropout > 0:
            has_id = has_id & (torch.rand(len(has_id), device=has_id.device) >= self.id_dropout)
        ids = self.ids.table() if items is None else self.ids(items)
        has_id = has_id if items is None else has_id[items]
        vectors = torch.where(has_id[..., None], ids, self.unknown_id)
        if self.features is not None:
            vectors = vectors + self.features(items)
        if self.sentences is not None:
            known = self.sentence_vectors if items is None else functional.embedding(items, self.sentence_vectors)
            vectors = vectors + self.sentences(known)
        return vectors
