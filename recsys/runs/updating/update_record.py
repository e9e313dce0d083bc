"""What an updated run says of its update: a part of ``run.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from recsys.errors import RunError


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """An updated model beside one that was fitted anew on the same interactions, on the same validation users.

    Args:
        metric: that was compared.
        num_users: validation users.
        updated: mean of the updated model.
        refitted: mean of the refitted one.
        difference: mean of ``refitted - updated``, user by user.
        low: lower end of the interval of the difference.
        high: upper end.
        tolerance: how far the updated model may fall behind, in the unit of the metric.
        seconds: that the refit took.
    """

    metric: str
    num_users: int
    updated: float
    refitted: float
    difference: float
    low: float
    high: float
    tolerance: float
    seconds: float

    @property
    def takes_refit(self) -> bool:
        """Whether the updated model fell behind by more than the tolerance, by all of the interval."""
        return self.low > self.tolerance

    def in_words(self) -> str:
        """What was found, and what follows."""
        found = (
            f"a refit on all interactions has {self.metric} {self.refitted:.4f} on validation, the updated model "
            f"{self.updated:.4f}: {self.difference:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"
        )
        return f"{found}; " + ("the refit is taken" if self.takes_refit else "the updated model stays")


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """One update.

    Args:
        parent: directory of the run that was updated.
        updates: since the lineage began, this one included.
        since_refit: updates since the last fit on all interactions; 0: this is one.
        how: what was done, in words.
        num_fresh: training rows that the parent did not learn from.
        num_new_users: users that the parent did not know.
        num_new_items: items that the parent did not know.
        seconds: that fitting took, without a refit beside it.
        fit_epochs: whose weights the last fit on all interactions kept; 0 where none were counted.
        drift: the comparison with a refit; None: there was none this time.
    """

    parent: str
    updates: int
    since_refit: int
    how: str
    num_fresh: int
    num_new_users: int
    num_new_items: int
    seconds: float
    fit_epochs: int = 0
    drift: DriftCheck | None = None

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> UpdateRecord:
        """What :meth:`plain` gave.

        Raises:
            RunError: it is something else.
        """
        drift = content.get("drift")
        try:
            return cls(**{**content, "drift": None if drift is None else DriftCheck(**drift)})
        except TypeError as error:
            raise RunError(
                f"The record of an update in run.json is damaged ({error}). Make the update again, from the run that "
                "it was made of."
            ) from error

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)
