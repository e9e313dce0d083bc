"""What a retraining trains, and when it makes it live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.errors import SettingsError
from recsys.studies.retraining.newest_interactions import HeldOutKind


@dataclass(frozen=True, slots=True)
class RetrainingSettings:
    """What is trained, and when it is made live.

    Args:
        train: settings of the training, such as ``["model=ease"]``; without a ``model=`` the models of the live bundle
            are trained anew, with their settings and these.
        export: settings of the export, beside those of the live bundle where its models are trained anew.
        held_out: which of the newest interactions both models are measured on: ``unprompted``, those that name no
            list, or ``all``; what users did with lists speaks for the model that made the lists.
        share: of the interactions that the live model does not know, that is held out.
        min_held_out: with fewer the live model stays.
        metric: that is compared.
        k: its cut-off.
        tolerance: how much worse the retrained model may be, as a share of the live model's value, with all of the
            interval of the difference.
        alpha: the interval of the difference has the confidence ``1 - alpha``.
        keep: bundles of retraining that are kept.

    Raises:
        SettingsError: a value is out of range.
    """

    train: Sequence[str] = ()
    export: Sequence[str] = ()
    held_out: HeldOutKind = "unprompted"
    share: float = 0.33
    min_held_out: int = 100
    metric: str = "ndcg"
    k: int = 500
    tolerance: float = 0.05
    alpha: float = 0.1
    keep: int = 3

    def __post_init__(self) -> None:
        if self.held_out not in ("unprompted", "all"):
            raise SettingsError(f"held_out must be unprompted or all, but is {self.held_out!r}.")
        if not 0 < self.share <= 1:
            raise SettingsError(f"share must be above 0 and at most 1, but is {self.share}.")
        if self.keep < 1 or self.min_held_out < 1:
            raise SettingsError("keep and min_held_out must be 1 or more. Correct the one that is less.")
        if not 0 <= self.tolerance < 1:
            raise SettingsError(
                f"tolerance must be a share of the live model's value, from 0 to less than 1, but is {self.tolerance}."
            )
