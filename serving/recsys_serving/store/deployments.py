"""Deployments: which bundle is live."""

from __future__ import annotations

from recsys_serving.store.database import Database
from recsys_serving.store.records import Deployment


class DeploymentStore:
    """Bundles that were made live, one after the other."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self) -> int:
        """Grows with each activation."""
        raise NotImplementedError

    def current(self) -> Deployment | None:
        """The latest deployment, or None."""
        raise NotImplementedError

    def list_deployments(self, limit: int = 100) -> tuple[Deployment, ...]:
        """Deployments, latest first."""
        raise NotImplementedError

    def activate(self, bundle: str, fingerprint: str, actor: str, note: str | None = None) -> Deployment:
        """Make a bundle the live one; where it is live already, with this fingerprint, nothing changes."""
        raise NotImplementedError

    def previous(self) -> Deployment | None:
        """The latest deployment of a bundle other than the live one: where a rollback goes; or None."""
        raise NotImplementedError
