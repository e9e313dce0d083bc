"""A network that scores pairs alone, as a model that scores the catalogue.

Shape suffixes: B queries, C candidates, I items of the catalogue.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from recsys.errors import ModelError
from recsys.models.interface.protocols import Query, ScoresPairs, ScoringModel
from recsys.models.onnx.exportable import ServingForm
from recsys.models.onnx.pair_scores import CandidatePairs, CataloguePairs

#: Pairs that are scored at once when the catalogue is scored, a bound on memory.
MAX_PAIRS = 2**20

#: Methods that a network may have besides; see :mod:`recsys.models.interface.protocols`.
PASSED_ON = (
    "squared_norms",
    "observe_training",
    "set_item_features",
    "sentence_encoder",
    "set_sentence_vectors",
    "set_user_features",
    "user_columns",
)


class PairRecommender(nn.Module):
    """Scores every item for known users by the pairs of each with the whole catalogue.

    Users that are not in the vocabulary are unscored.

    Args:
        network: has ``score_pairs``; its weights are those of this model.
        num_items: size of the item vocabulary, I.
    """

    def __init__(self, network: nn.Module, num_items: int) -> None:
        super().__init__()
        self.network = network
        self.num_items = num_items
        self.model_name = type(network).__name__
        for name in PASSED_ON:
            if hasattr(network, name):
                setattr(self, name, getattr(network, name))

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs; ``users`` and ``items`` (int64) broadcast against each other."""
        scores: Tensor = self.network.score_pairs(users, items)  # type: ignore[operator]
        return scores

    def score_catalogue(self, users: Tensor) -> Tensor:
        """Score every item for known users (int64, shape [B]), with gradients; returns [B, I]."""
        return self.score_pairs(users[:, None], torch.arange(self.num_items, device=users.device)[None])

    @torch.no_grad()
    def score(self, query: Query) -> Tensor:
        """Score the catalogue for each query, shape [B, I]; a row of NaN for a user that is not in the vocabulary."""
        size = max(1, MAX_PAIRS // self.num_items)
        blocks = [self.score_catalogue(users) for users in query.users.clamp(min=0).split(size)]
        return torch.cat(blocks).masked_fill((query.users < 0)[:, None], torch.nan)

    def serving_form(self) -> ServingForm:
        """The scores of all pairs; see :class:`recsys.models.onnx.exportable.Exportable`."""
        return ServingForm(CataloguePairs(self.network, self.num_items).eval(), None)

    def serving_ranker(self) -> nn.Module:
        """The scores of candidates alone; see :mod:`recsys.models.onnx.exportable`."""
        return CandidatePairs(self.network).eval()


def as_recommender(model: nn.Module, num_items: int) -> Any:
    """``model`` as one that scores the catalogue: itself, or wrapped where it scores pairs alone.

    Args:
        model: with ``score`` or ``score_pairs``.
        num_items: size of the item vocabulary.

    Raises:
        ModelError: it has neither.
    """
    if isinstance(model, ScoringModel):
        return model
    if not isinstance(model, ScoresPairs):
        raise ModelError(
            f"A model needs score or score_pairs, but {type(model).__name__} has neither. Write one of them: "
            "docs/adding_a_model.md."
        )
    return PairRecommender(model, num_items)
