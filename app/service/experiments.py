"""Asks the service about its experiments, and changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.service.api import Body, ServiceApi, segment

#: Seconds that judging a policy may take: it makes thousands of lists again.
JUDGE_SECONDS = 60.0


class ExperimentApi:
    """The requests about experiments; every method raises :class:`app.service.errors.ServiceError`.

    Args:
        api: how the service is asked.
    """

    def __init__(self, api: ServiceApi) -> None:
        self._api = api

    def all(self) -> list[Body]:
        """All experiments, in the order in which they were made."""
        found: list[Body] = self._api.ask("GET", "/v1/experiments")["experiments"]
        return found

    def one(self, experiment_id: str) -> Body:
        """An experiment, and what was done to it."""
        return self._api.ask("GET", _path(experiment_id))

    def create(self, experiment_id: str, name: str, definition: Mapping[str, Any]) -> Body:
        """Make a draft."""
        body = {"experiment_id": experiment_id, "name": name, "definition": dict(definition)}
        return self._api.ask("POST", "/v1/experiments", body)

    def act(self, experiment_id: str, act: str, body: Mapping[str, Any] | None = None) -> Body:
        """``start``, ``ramp``, ``rollout``, ``pause``, ``resume`` or ``stop`` it."""
        return self._api.ask("POST", f"{_path(experiment_id)}/{segment(act)}", body)

    def results(self, experiment_id: str, looks: int, look_hours: float) -> Body:
        """What it has shown so far, at some looks."""
        params = {"looks": looks, "look_hours": look_hours}
        return self._api.ask("GET", f"{_path(experiment_id)}/results", params=params, seconds=JUDGE_SECONDS)

    def power(self, body: Mapping[str, Any]) -> Body:
        """How many users an experiment needs."""
        return self._api.ask("POST", "/v1/experiments/power", body)

    def off_policy(self, body: Mapping[str, Any]) -> Body:
        """How another policy would have done."""
        return self._api.ask("POST", "/v1/experiments/off-policy", body, seconds=JUDGE_SECONDS)


def variants_of(experiments: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Each variant of experiments that are not over: the experiment's id, and its name."""
    return [
        (one["experiment_id"], variant["name"])
        for one in experiments
        if one["status"] != "stopped"
        for variant in one["definition"]["variants"]
    ]


def _path(experiment_id: str) -> str:
    return f"/v1/experiments/{segment(experiment_id)}"
