"""What a retraining trains, and when it makes it live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.errors import SettingsError
from recsys.studies.retraining.newest_interactions import HeldOutKind
from recsys.studies.selection.candidate import Candidate, read_candidates

#: The models of the live bundle, among those to choose from.
LIVE = "live"

#: What is chosen from where nothing else is said. A model of content can score what nobody has used yet.
MODELS = (LIVE, "content preparation.include_unrated_items=true", "ease", "item_knn", "ials", "popularity")


@dataclass(frozen=True, slots=True)
class RetrainingSettings:
    """What is trained, and when it is made live.

    Args:
        train: settings of the training, such as ``["model=ease"]``; without a ``model=`` the best of ``models`` is
            trained, with these settings as well.
        models: to choose from, with their settings; ``live`` are the models of the live bundle.
        export: settings of the export; without a ``model=`` in ``train`` beside those of the live bundle.
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
    models: Sequence[str] = MODELS
    export: Sequence[str] = ()
    held_out: HeldOutKind = "unprompted"
    share: float = 0.33
    min_held_out: int = 100
    metric: str = "ndcg"
    k: int = 500
    tolerance: float = 0.05
    alpha: float = 0.1
    keep: int = 3

    @property
    def model_is_named(self) -> bool:
        """Whether ``train`` names the model, so that there is nothing to choose."""
        return any(one.startswith("model=") for one in self.train)

    def to_choose_from(self) -> list[Candidate]:
        """The candidates in their order; the one for ``live`` has no settings."""
        others = {text: one for text, one in zip(self._others, read_candidates(self._others, "models"), strict=True)}
        return [Candidate(LIVE, ()) if text == LIVE else others[text] for text in self.models]

    @property
    def _others(self) -> list[str]:
        return [text for text in self.models if text != LIVE]

    def __post_init__(self) -> None:
        if not self.models or list(self.models).count(LIVE) > 1:
            raise SettingsError(
                f"models must be at least one model, and {LIVE} once at most, but are {list(self.models)}."
            )
        read_candidates(self._others, "models")
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
