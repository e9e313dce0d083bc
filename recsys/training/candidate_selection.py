"""Which items a ranker is trained to put in order.

Shape suffixes: B users, S sources, I items of the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from recsys.errors import RecsysError
from recsys.models.components.source_scores import SourceScores


class CandidateSelector(Protocol):
    """Chooses the candidates of some users."""

    def choose(self, opinions: SourceScores, relevant: Tensor, generator: torch.Generator) -> Tensor:
        """Choose items.

        Args:
            opinions: of the sources, shape [B, S, I].
            relevant: whether an item was held out for the user, shape [B, I], bool.
            generator: source of randomness, on the same device.

        Returns:
            Whether an item is a candidate, shape [B, I], bool.
        """
        ...


@dataclass(frozen=True, slots=True)
class RetrievedCandidates:
    """What the sources really return: the best ``num_candidates`` unseen items of each.

    A held-out item that no source returns is no candidate either, as the ranker will never see one like it; so the
    negatives are the hard ones.

    Args:
        num_candidates: of each source, at least 1.

    Raises:
        RecsysError: ``num_candidates`` is below 1.
    """

    num_candidates: int = 100

    def __post_init__(self) -> None:
        _check("num_candidates", self.num_candidates)

    def choose(self, opinions: SourceScores, relevant: Tensor, generator: torch.Generator) -> Tensor:
        """See :class:`CandidateSelector`."""
        return opinions.retrieved(self.num_candidates)


@dataclass(frozen=True, slots=True)
class UniformCandidates:
    """All held-out items, and ``num_negatives`` others drawn uniformly from what is new to the user.

    For a ranker that will order items drawn in this way, or the whole catalogue.

    Args:
        num_negatives: of each user, at least 1; without replacement.

    Raises:
        RecsysError: ``num_negatives`` is below 1.
    """

    num_negatives: int = 200

    def __post_init__(self) -> None:
        _check("num_negatives", self.num_negatives)

    def choose(self, opinions: SourceScores, relevant: Tensor, generator: torch.Generator) -> Tensor:
        """See :class:`CandidateSelector`."""
        draws = torch.rand(relevant.shape, generator=generator, device=relevant.device)
        draws = draws.masked_fill(~opinions.unseen | relevant, -1)
        best = draws.topk(min(self.num_negatives, draws.shape[1]), dim=1)
        return relevant.scatter(1, best.indices, best.values >= 0) | relevant


def _check(name: str, value: int) -> None:
    if value < 1:
        raise RecsysError(f"candidate_selector.{name} must be at least 1, but it is {value}. Correct it.")
