"""Which experiments a user is in, and what is different there."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recsys.errors import RecsysError
from recsys.experiments.assignment import Assigner, Assignment
from recsys.experiments.experiment import Experiment
from recsys.experiments.experiment_json import experiment_from_dict
from recsys_serving.store.admin.records import ExperimentRecord

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is different for one user.

    Args:
        experiment_id: the first experiment that the user is in; None: none.
        variant: of that experiment.
        bundle: name of the bundle that answers; None: the live one.
        list_options: options of the query that are set in place of its own.
        variants: of every experiment that the user is in, by experiment, where there are several.
    """

    experiment_id: str | None = None
    variant: str | None = None
    bundle: str | None = None
    list_options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    variants: Mapping[str, str] = field(default_factory=dict, hash=False)


#: Of whoever is in no experiment.
NO_TREATMENT = Treatment()


class Assignments:
    """Assigns users and sessions to variants; threads may share it."""

    def __init__(self) -> None:
        self._users = Assigner(())
        self._sessions = Assigner(())

    def take(self, records: Sequence[ExperimentRecord]) -> None:
        """Use these experiments from now on; one that cannot be read is left out, and logged."""
        experiments = [found for found in map(_experiment, records) if found is not None]
        try:
            users = Assigner([one for one in experiments if one.unit == "user"])
            sessions = Assigner([one for one in experiments if one.unit == "session"])
        except RecsysError as error:
            _log.error("The experiments before stay: %s", error)
            return
        self._users, self._sessions = users, sessions

    def treatment(self, user_id: str | None, session_id: str | None) -> Treatment:
        """What is different for a user or a session; experiments by user come first."""
        found: list[Assignment] = []
        if user_id and self._users.experiments:
            found += self._users.assign(user_id)
        if session_id and self._sessions.experiments:
            found += self._sessions.assign(session_id)
        if not found:
            return NO_TREATMENT
        options: dict[str, Any] = {}
        for assignment in reversed(found):
            options |= assignment.variant.list_options
        bundles = [one.variant.bundle for one in found if one.variant.bundle is not None]
        return Treatment(
            found[0].experiment_id,
            found[0].variant.name,
            bundle_name(bundles[0]) if bundles else None,
            options,
            {one.experiment_id: one.variant.name for one in found} if len(found) > 1 else {},
        )

    def bundles(self) -> list[str]:
        """Names of the bundles that variants of experiments need which run, or may run soon."""
        experiments = [*self._users.experiments, *self._sessions.experiments]
        return sorted(
            {
                bundle_name(variant.bundle)
                for experiment in experiments
                if experiment.status in ("draft", "running", "paused")
                for variant in experiment.variants
                if variant.bundle is not None
            }
        )


def _experiment(record: ExperimentRecord) -> Experiment | None:
    try:
        return experiment_from_dict({**record.definition, "id": record.experiment_id, "status": record.status.value})
    except RecsysError as error:
        _log.error("The experiment %s is left out: %s", record.experiment_id, error)
        return None


def bundle_name(bundle: str) -> str:
    """The name of a bundle that may be given as a directory."""
    return bundle.rstrip("/").rpartition("/")[2]
