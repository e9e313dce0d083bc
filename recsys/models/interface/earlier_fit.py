"""What a model is updated from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from recsys.data.training_change import TrainingChange


@dataclass(frozen=True, slots=True, eq=False)
class EarlierFit:
    """A model that was fitted on the data of an earlier generation.

    Args:
        state: its state dict; tables have fewer rows where users or items were added since.
        change: how the training rows differ from those that it was fitted on.
        statistics: what its last update has kept beside it, such as a Gram matrix; empty where it kept nothing.
    """

    state: Mapping[str, Tensor]
    change: TrainingChange
    statistics: Mapping[str, Tensor] = field(default_factory=dict)
