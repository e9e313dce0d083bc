"""Exposures: lists that were shown, and what users did with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from recsys_serving.store.database import Database
from recsys_serving.store.records import Exposure, UserOutcome


class ExposureStore:
    """Lists that were shown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, exposures: Sequence[Exposure]) -> int:
        """Store lists, in one transaction; one whose id is there is left out. Returns how many were new."""
        raise NotImplementedError

    def get(self, recommendation_id: UUID) -> Exposure | None:
        """A list that was shown, or None."""
        raise NotImplementedError

    def iterate(
        self, since: datetime, until: datetime, experiment_id: str | None = None, batch: int = 5000
    ) -> Iterator[Exposure]:
        """Lists shown from ``since`` until before ``until``, oldest first, of an experiment or of all."""
        raise NotImplementedError

    def outcomes(
        self, experiment_id: str, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[UserOutcome, ...]:
        """What each user of an experiment did with its lists.

        An interaction counts where its ``recommendation_id`` names one of the lists and its item stands in it.

        Args:
            experiment_id: the experiment.
            since: only lists shown from then on; None for all.
            until: only lists shown and interactions before then; None for all.
        """
        raise NotImplementedError
