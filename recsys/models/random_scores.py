"""Random scores: what a model has without knowing anything."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from recsys.data.interactions import Interactions
from recsys.models.interface.model_card import ModelCard
from recsys.models.interface.protocols import Query
from recsys.models.onnx.exportable import ServingForm
from recsys.models.onnx.onnx_query import OnnxQuery

#: Multipliers and shifts of the finalizer of SplitMix64, and its increment (the golden ratio), as signed numbers.
_INCREMENT = 0x9E3779B97F4A7C15 - 2**64
_FIRST = 0xBF58476D1CE4E5B9 - 2**64
_SECOND = 0x94D049BB133111EB - 2**64

#: A float32 holds each of the multiples of ``2**-24`` in [0, 1) exactly.
_SCORE_BITS = 24


class RandomScores(nn.Module):
    """Scores each pair of a user and an item by a number drawn uniformly from [0, 1).

    The number is a hash of the seed, the user and the item, so that it is the same whenever the pair is scored, on
    every device and in every batch. All users that are not in the vocabulary are one and the same. Steele, Lea, Flood:
    Fast Splittable Pseudorandom Number Generators (2014).

    Args:
        num_users: size of the user vocabulary; not used, taken so that every model is constructed alike.
        num_items: size of the item vocabulary, I.
        seed: another one gives other scores.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="a number without meaning for each pair",
        settings=("seed",),
        use="to see what chance alone finds, for new items above all",
        gives="scores",
        served_from="the same numbers as in PyTorch, computed anew",
        weights="not used",
    )

    seed: Tensor

    def __init__(self, num_users: int, num_items: int, seed: int = 0) -> None:
        super().__init__()
        self.num_items = num_items
        self.register_buffer("seed", torch.tensor(seed, dtype=torch.int64))

    def fit(self, interactions: Interactions) -> None:
        """There is nothing to learn."""

    def score(self, query: Query) -> Tensor:
        """A number for each query and item, shape [B, I], float32."""
        return self.score_pairs(query.users[:, None], torch.arange(self.num_items, device=query.users.device))

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        """A number for each pair, in the shape that ``users`` and ``items`` broadcast to, float32."""
        return _numbers(self.seed, users, items)

    def serving_form(self) -> ServingForm:
        """The same numbers; see :class:`recsys.models.onnx.exportable.Exportable`."""
        return ServingForm(_Served(self.seed, self.num_items).eval(), None)


class _Served(nn.Module):
    """The numbers of each query."""

    seed: Tensor

    def __init__(self, seed: Tensor, num_items: int) -> None:
        super().__init__()
        self.register_buffer("seed", seed)
        self.num_items = num_items

    def forward(self, query: OnnxQuery) -> Tensor:
        """Shape [B, I], float32."""
        return _numbers(self.seed, query.users[:, None], torch.arange(self.num_items, device=query.users.device))


def _numbers(seed: Tensor, users: Tensor, items: Tensor) -> Tensor:
    mixed = _mixed(_mixed(_mixed(seed) + users) + items)
    return _shifted(mixed, 64 - _SCORE_BITS).float() * 2.0**-_SCORE_BITS


def _mixed(values: Tensor) -> Tensor:
    """SplitMix64's next number from each state; integers wrap around."""
    values = values + _INCREMENT
    values = (values ^ _shifted(values, 30)) * _FIRST
    values = (values ^ _shifted(values, 27)) * _SECOND
    return values ^ _shifted(values, 31)


def _shifted(values: Tensor, num_bits: int) -> Tensor:
    """``values``, int64, shifted to the right with zeros coming in, as if they were unsigned."""
    return (values >> num_bits) & (2 ** (64 - num_bits) - 1)
