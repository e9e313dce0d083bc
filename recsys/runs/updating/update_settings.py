"""How a run is updated, and when it is compared with a fit on all interactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from recsys.errors import SettingsError

NewRows = Literal["fresh", "mean"]
OptimizerStart = Literal["kept", "reset"]

#: With replay an update takes an epoch for so many of the fit, where nothing else is set.
_FIT_EPOCHS = 12


@dataclass(frozen=True, slots=True)
class DriftSettings:
    """When an updated model is compared with a model that is fitted anew on all interactions.

    Args:
        every: after so many updates since the last full fit, and again after as many; None: never.
        metric: that is compared on validation.
        tolerance: how far the updated model may fall behind, as a share of its value.
        confidence: of the interval of the difference, which must lie above the tolerance for the refit to be taken.
        max_users: of validation, a random sample, that both are measured on; None: all.

    Raises:
        SettingsError: a value is out of range.
    """

    every: int | None = None
    metric: str = "ndcg@10"
    tolerance: float = 0.0
    confidence: float = 0.95
    max_users: int | None = None

    def __post_init__(self) -> None:
        if self.every is not None and self.every < 1:
            raise SettingsError(f"drift.every must be 1 or more, or null, but is {self.every}. Correct it.")
        if not 0 <= self.tolerance < 1:
            raise SettingsError(
                f"drift.tolerance must be a share of the updated model's value, from 0 to less than 1, but is "
                f"{self.tolerance}. Correct it."
            )
        if not 0 < self.confidence < 1:
            raise SettingsError(f"drift.confidence must be between 0 and 1, but is {self.confidence}. 0.95 is usual.")


@dataclass(frozen=True, slots=True)
class GradientPlan:
    """One way in which a model that learns by gradient steps goes on.

    Args:
        epochs: at most; the best on validation counts, where there is one.
        replay: share of the rows without anything new that is learned from again.
        shrink: how far weights are moved back towards those of a fresh model first, as a share of the way.
    """

    epochs: int
    replay: float
    shrink: float

    def in_words(self) -> str:
        """What is learned from, such as ``the new interactions and 44% of the others``."""
        if self.replay == 0:
            return "the new interactions"
        return f"the new interactions and {self.replay:.0%} of the others" if self.replay < 1 else "all interactions"


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """How models that learn by gradient steps go on.

    Args:
        epochs: at most; the best on validation counts, where there is one. None: see :meth:`plans`.
        replay: share of the rows without anything new that is learned from again, for models that learn from histories
            of the users without anything new; others are drawn each time. None: see :meth:`plans`.
        shrink: how far vectors and matrices are moved back towards those of a fresh model first, as a share of the way;
            of models that learn from histories vectors of items, users and feature values alone. None: see
            :meth:`plans`.
        new_rows: how the rows of new users and items in tables start: ``fresh`` as in a new model, ``mean`` at the mean
            of the others.
        optimizer: whether the optimiser's state is ``kept`` from the last training, or ``reset``.
        keep_statistics: whether what makes the next update faster (user vectors, a Gram matrix) is kept in the run.
        drift: when it is compared with a fit on all interactions.

    Raises:
        SettingsError: a value is out of range.
    """

    epochs: int | None = None
    replay: float | None = None
    shrink: float | None = None
    new_rows: NewRows = "fresh"
    optimizer: OptimizerStart = "kept"
    keep_statistics: bool = True
    drift: DriftSettings = DriftSettings()  # noqa: RUF009  # frozen

    def __post_init__(self) -> None:
        if self.epochs is not None and self.epochs < 1:
            raise SettingsError(f"epochs must be 1 or more, or null, but is {self.epochs}. Correct it.")
        if self.replay is not None and not 0 <= self.replay <= 1:
            raise SettingsError(f"replay must be a share, from 0 to 1, but is {self.replay}. 1 is all rows.")
        if self.shrink is not None and not 0 <= self.shrink <= 1:
            raise SettingsError(f"shrink must be a share of the way, from 0 to 1, but is {self.shrink}. Correct it.")
        for name, known in (("new_rows", NewRows), ("optimizer", OptimizerStart)):
            if getattr(self, name) not in get_args(known):
                raise SettingsError(
                    f"{name} must be {' or '.join(get_args(known))}, but is {getattr(self, name)!r}. Choose one."
                )

    def plans(self, fit_epochs: int, validated: bool, learns_histories: bool) -> list[GradientPlan]:
        """The ways in which a model goes on, of which one is kept.

        Where neither ``replay`` nor ``shrink`` is set there are two, and the first is kept where it is clearly better
        on validation:

        - the new interactions are learned from once, and weights stay;
        - the others are learned from as well, in one epoch for each twelve of the fit, or a share of them where the fit
          took fewer. Weights go back first as far as keeps the number of passes over the data that they remember at
          that of the fit, however many updates follow: with more, rows are learnt by heart.

        Without validation it is the first one, for models that learn from histories the second.

        Args:
            fit_epochs: whose weights the last fit on all rows kept, at least 1.
            validated: whether there is validation.
            learns_histories: whether the model learns from histories, and not from single rows.
        """
        epochs = max(1, fit_epochs // _FIT_EPOCHS) if self.epochs is None else self.epochs
        replayed = min(1.0, fit_epochs / (_FIT_EPOCHS * epochs)) if self.replay is None else self.replay
        with_replay = GradientPlan(
            epochs, replayed, min(1.0, replayed * epochs / fit_epochs) if self.shrink is None else self.shrink
        )
        if self.replay is not None or self.shrink is not None:
            return [with_replay]
        without = GradientPlan(1 if self.epochs is None else self.epochs, replay=0.0, shrink=0.0)
        if validated:
            return [without, with_replay]
        return [with_replay] if learns_histories else [without]
