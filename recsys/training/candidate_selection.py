"""Which items a ranker is trained to put in order.

Shape suffixes: B users, S sources, I items of the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from recsys.errors import SettingsError
from recsys.models.components.source_scores import SourceScores

#: Chooses the candidates of some users: from the scores of the sources (shape [B, S, I]), whether an item was held out
#: for the user (bool, shape [B, I]) and a source of randomness on the same device to whether an item is a candidate
#: (bool, shape [B, I]).
CandidateSelector = Callable[[SourceScores, Tensor, torch.Generator], Tensor]


@dataclass(frozen=True, slots=True)
class RetrievedCandidates:
    """What the sources really return: the best ``num_candidates`` unseen items of each.

    A held-out item that no source returns is no candidate either, as the ranker will never see one like it; so the
    negatives are the hard ones.

    Args:
        num_candidates: of each source, at least 1.

    Raises:
        SettingsError: ``num_candidates`` is below 1.
    """

    num_candidates: int = 100

    def __post_init__(self) -> None:
        _check("num_candidates", self.num_candidates)

    def __call__(self, source_scores: SourceScores, relevant: Tensor, generator: torch.Generator) -> Tensor:
        """See :data:`CandidateSelector`."""
        return source_scores.retrieved(self.num_candidates)


@dataclass(frozen=True, slots=True)
class UniformCandidates:
    """All held-out items, and ``num_negatives`` others drawn uniformly from what is new to the user.

    For a ranker that will order items drawn in this way, or the whole catalogue.

    Args:
        num_negatives: of each user, at least 1; without replacement.

    Raises:
        SettingsError: ``num_negatives`` is below 1.
    """

    num_negatives: int = 200

    def __post_init__(self) -> None:
        _check("num_negatives", self.num_negatives)

    def __call__(self, source_scores: SourceScores, relevant: Tensor, generator: torch.Generator) -> Tensor:
        """See :data:`CandidateSelector`."""
        draws = torch.rand(relevant.shape, generator=generator, device=relevant.device)
        draws = draws.masked_fill(~source_scores.unseen | relevant, -1)
        best = draws.topk(min(self.num_negatives, draws.shape[1]), dim=1)
        return relevant.scatter(1, best.indices, best.values >= 0) | relevant


def _check(name: str, value: int) -> None:
    if value < 1:
        raise SettingsError(f"candidate_selector.{name} must be at least 1, but it is {value}. Correct it.")
