"""The penalty on the norms of vectors that the gradient trainings share."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from recsys.errors import ModelError

#: Squared norms of the vectors of users and of items, each in the shape of its indices.
SquaredNorms = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def l2_penalty(network: nn.Module, l2: float | None, default: float) -> tuple[float, SquaredNorms | None]:
    """The weight of the penalty, and the norms that it is of; 0 and None for no penalty.

    Args:
        network: a model; only one with ``squared_norms`` has vectors that can be penalised.
        l2: the weight, at least 0; None: ``default`` for a model with ``squared_norms``, no penalty for others.
        default: see above.

    Raises:
        ModelError: a penalty is required, but the model has no ``squared_norms``.
    """
    norms = getattr(network, "squared_norms", None)
    weight = (default if norms is not None else 0.0) if l2 is None else l2
    if weight <= 0:
        return 0.0, None
    if norms is None:
        raise ModelError(
            f"training.l2={weight} needs a model with squared_norms, but {type(network).__name__} has none. Leave "
            "training.l2=null, or add the method (recsys/models/interface/protocols.py)."
        )
    return weight, norms
