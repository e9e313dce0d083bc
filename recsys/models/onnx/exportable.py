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
  features; it raises :class:`recsys.errors.ModelError` where the model, as it is set up or fitted, cannot.

Shape suffixes: B queries, L positions, C candidates of each, K explained items of each, I items of the catalogue,
D dim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

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

    def forward(self, query: OnnxQuery, candidates: Tensor) -> Tensor:
        """The scores of ``candidates``, as a ``serving_ranker`` gives them."""
        encoded = self.encoder(query)
        items = candidates.clamp(min=0)
        if self.item_vectors is None:
            return encoded.gather(1, items)
        vectors = torch.nn.functional.embedding(items, self.item_vectors)
        return (vectors @ encoded[:, :, None]).squeeze(2)


def scores_of(form: ServingForm, query: OnnxQuery) -> Tensor:
    """The scores of the whole catalogue, shape [B, I]."""
    encoded: Tensor = form.encoder(query)
    return encoded if form.item_vectors is None else encoded @ form.item_vectors.T
