"""The form in which a model leaves PyTorch: modules that only read arrays, and tables.

Besides ``serving_form`` a model may have:

- ``serving_ranker() -> nn.Module``, where it scores candidates cheaper than the whole catalogue: a module whose
  ``forward`` takes a :class:`recsys.models.onnx.onnx_query.OnnxQuery` and candidates (int64, shape [B, C]) and returns
  their scores, shape [B, C], float32, NaN where an item is unscored; the score of candidate -1 does not matter, but it
  is no error;
- ``explaining_form() -> nn.Module``, where it splits its scores over the history
  (:class:`recsys.models.interface.protocols.Explains`): a module whose ``forward`` takes an ``OnnxQuery`` and explained
  items (int64, shape [B, K]) and returns contributions, shape [B, L, K], 0 after the end of a history, and the rest,
  shape [B, K]; float32, NaN where ``explain`` has NaN, as for item -1; it is in evaluation mode;
- ``item_encoder() -> ItemEncoderSpec``, where it finds items by vectors and can make those of new items from their
  features; it raises :class:`recsys.errors.ModelError` where the model, as it is set up or fitted, cannot;
- ``ranker_item_encoder() -> ItemEncoderSpec``, where its ``serving_ranker`` scores new items by vectors made of their
  features: then ``forward`` takes these as a third argument, shape [N, W], float32, and candidate ``I + n`` is the
  n-th of them; errors as above. A model without ``serving_ranker`` needs only ``item_encoder``.

Shape suffixes: B queries, L positions, C candidates of each, K explained items of each, I items of the catalogue,
N new items, W numbers of a new item's vector, D dim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.data.encoded_columns import EncodedColumn
from recsys.models.onnx.onnx_query import OnnxQuery


@dataclass(frozen=True, slots=True)
class ServingForm:
    """How a model finds candidates online.

    Args:
        encoder: a module whose ``forward`` takes a :class:`recsys.models.onnx.onnx_query.OnnxQuery` and returns query
            vectors, shape [B, D], or, without item vectors, the scores of the catalogue, shape [B, I]; float32, NaN
            where :meth:`recsys.models.interface.protocols.ScoringModel.score` has NaN. It is in evaluation mode.
        item_vectors: shape [I, D], float32: the score of an item is the inner product of its vector with that of the
            query, up to a constant for each query; NaN for an item that nobody gets. None: the encoder scores.
        floats_per_position: numbers that the encoder holds at once for each position of a history, which bounds
            how many queries are asked together.
        user_columns: columns of users that the encoder reads from a query, and the model's ranker, if it has one.
    """

    encoder: nn.Module
    item_vectors: Tensor | None
    floats_per_position: int = 0
    user_columns: tuple[EncodedColumn, ...] = ()

    @property
    def dim(self) -> int | None:
        """Dimension of the item vectors, D; None where there are none."""
        return None if self.item_vectors is None else self.item_vectors.shape[1]


@runtime_checkable
class Exportable(Protocol):
    """A model that can be exported."""

    def serving_form(self) -> ServingForm:
        """What it is without PyTorch; it shares the parameters of the model."""
        ...


@dataclass(frozen=True, slots=True)
class ItemEncoderSpec:
    """How items that were not in the catalogue get vectors online.

    Args:
        encoder: a module whose ``forward`` takes one tensor for each column, in their order: codes, shape [C, W],
            int64, with -1 for no value, or numbers as they are in the data, shape [C], float32, with NaN where one is
            missing. It returns vectors like those of :class:`ServingForm`, shape [C, D], NaN for an item of which
            nothing is known. It is in evaluation mode.
        columns: of the features, at least one.
    """

    encoder: nn.Module
    columns: tuple[EncodedColumn, ...]


class EncoderRanker(nn.Module):
    """Scores candidates by what finds them.

    Args:
        form: of the model that ranks.
    """

    item_vectors: Tensor | None

    def __init__(self, form: ServingForm) -> None:
        super().__init__()
        self.encoder = form.encoder
        self.register_buffer("item_vectors", form.item_vectors)

    def forward(self, query: OnnxQuery, candidates: Tensor, new_items: Tensor | None = None) -> Tensor:
        """The scores of ``candidates``, as a ``serving_ranker`` gives them; the vectors of ``new_items`` are [N, D]."""
        encoded = self.encoder(query)
        items = candidates.clamp(min=0)
        if self.item_vectors is None:
            scores: Tensor = encoded.gather(1, items)
            return scores
        if new_items is None:
            vectors = functional.embedding(items, self.item_vectors)
        else:
            num_items = self.item_vectors.shape[0]
            old = functional.embedding(items.clamp(max=num_items - 1), self.item_vectors)
            new = functional.embedding((items - num_items).clamp(min=0), new_items)
            vectors = torch.where((items >= num_items)[:, :, None], new, old)
        return (vectors @ encoded[:, :, None]).squeeze(2)


def scores_of(form: ServingForm, query: OnnxQuery) -> Tensor:
    """The scores of the whole catalogue, shape [B, I]."""
    encoded: Tensor = form.encoder(query)
    return encoded if form.item_vectors is None else encoded @ form.item_vectors.T
