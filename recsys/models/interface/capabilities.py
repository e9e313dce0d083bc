"""What a model can do, in words, by the protocols that it implements."""

from __future__ import annotations

from torch import nn

from recsys.models.interface.protocols import (
    Explains,
    Factorized,
    Fittable,
    FoldsIn,
    PredictsRatings,
    PretrainsInTowers,
    UsesItemFeatures,
)

_WORDS = {
    PredictsRatings: "predicts ratings",
    FoldsIn: "folds in unseen users",
    UsesItemFeatures: "scores new items from content",
    Factorized: "retrieves by vectors",
    Explains: "explains its scores",
    PretrainsInTowers: "pre-trains in towers",
}


def capabilities(model: nn.Module) -> tuple[str, ...]:
    """What ``model`` can do: how it is fitted first, then the rest, in the words and the order of docs/models.md."""
    fitting = "fits without gradient steps" if isinstance(model, Fittable) else "learns by gradient steps"
    return (fitting, *(words for protocol, words in _WORDS.items() if isinstance(model, protocol)))
