"""Chooses how the loss of sampled negatives is computed in one pass with its gradients, where that can be done."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recsys.models.layers.embedding import tables_are_whole
from recsys.training.losses import softplus_form
from recsys.training.optimizers.keeps_rows import KeepsRows

if TYPE_CHECKING:
    from recsys.training.fused.pairs import FusedPairs
    from recsys.training.fused.steps import FusedSteps
    from recsys.training.fused.tower_steps import TowerSteps
    from recsys.training.fused.towers import FusedTowers

#: Pairs of an epoch from which on compiled loops are used: loading them takes a second.
LEAST_PAIRS = 2**18


def fused_loss(network: nn.Module, loss: Any, l2: float, num_pairs: int) -> FusedPairs | FusedTowers | None:
    """The fused pass for a training; None where there is none, or where it would not pay.

    Args:
        network: has ``factor_tables`` or ``pair_towers``, see :mod:`recsys.models.interface.protocols`.
        loss: of positives and negatives.
        l2: weight of the penalty.
        num_pairs: that an epoch scores.
    """
    form = softplus_form(loss)
    if form is None or num_pairs < LEAST_PAIRS or find_spec("numba") is None:
        return None
    if _scores_by(network, "pair_towers"):
        from recsys.training.fused.towers import FusedTowers

        return FusedTowers(network.pair_towers, form == "differences", l2)  # type: ignore[arg-type]
    if _scores_by(network, "factor_tables"):
        from recsys.training.fused.pairs import FusedPairs

        return FusedPairs(network.factor_tables, form == "differences", l2)  # type: ignore[arg-type]
    return None


def fused_steps(fused: FusedPairs | FusedTowers, optimizer: KeepsRows) -> FusedSteps | TowerSteps:
    """Steps of an optimiser without operators of PyTorch between them."""
    from recsys.training.fused.pairs import FusedPairs

    if isinstance(fused, FusedPairs):
        from recsys.training.fused.steps import FusedSteps

        return FusedSteps(fused, optimizer)
    from recsys.training.fused.tower_steps import TowerSteps

    return TowerSteps(fused, optimizer)


def one_pass_applies(ids: Tensor) -> bool:
    """Whether a pass can find gradients now: on the CPU, where they are wanted, in full precision, of whole tables.

    Args:
        ids: of the rows that are to be read.
    """
    plain = torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
    return ids.device.type == "cpu" and plain and tables_are_whole()


def _scores_by(network: nn.Module, parts: str) -> bool:
    """Whether a network scores by the parts that a method tells.

    Where the method belongs to a base whose scores or norms the class has replaced, it does not.
    """
    if getattr(network, parts, None) is None:
        return False
    of_parts, *others = (
        next((base for base in type(network).__mro__ if name in vars(base)), object)
        for name in (parts, "score_pairs", "squared_norms")
    )
    return all(issubclass(of_parts, other) for other in others)
