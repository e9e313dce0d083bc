"""Asks the service about its bundles, and which of them answers."""

from __future__ import annotations

from typing import Any

from app.service.api import OPEN_SECONDS, Body, ServiceApi, segment


class BundleApi:
    """The requests about bundles; every method raises :class:`app.service.errors.ServiceError`.

    Args:
        api: how the service is asked.
    """

    def __init__(self, api: ServiceApi) -> None:
        self._api = api

    def overview(self) -> Body:
        """``loaded`` ones, names of those that are ``available``, and ``deployments``, the latest first."""
        return self._api.ask("GET", "/v1/bundles")

    def evaluation(self, name: str) -> Body:
        """What the models of a bundle were measured at."""
        return self._api.ask("GET", f"/v1/bundles/{segment(name)}/evaluation")

    def item_map(self, name: str, limit: int) -> Body:
        """Its items on a plane."""
        return self._api.ask(
            "GET", f"/v1/bundles/{segment(name)}/item-map", params={"limit": limit}, seconds=OPEN_SECONDS
        )

    def activate(self, name: str, note: str | None) -> Body:
        """Let a bundle answer."""
        return self._api.ask("POST", f"/v1/bundles/{segment(name)}/activate", _note(note), seconds=OPEN_SECONDS)

    def roll_back(self, note: str | None) -> Body:
        """Let the bundle before answer again."""
        return self._api.ask("POST", "/v1/bundles/rollback", _note(note), seconds=OPEN_SECONDS)


def _note(note: str | None) -> dict[str, Any]:
    return {"note": note.strip()} if note and note.strip() else {}
