"""Experiment tracking: parameters, metrics by epoch, the final metrics and the artefacts of a run."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


class Tracker(Protocol):
    """Where a run is recorded besides its own directory."""

    def start(self, run_name: str, parameters: Mapping[str, Any], state: Path) -> None:
        """Begin a run with its (nested) parameters, or go on with the one that the file ``state`` names."""
        ...

    def log_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Record the metrics of one epoch, from 1."""
        ...

    def finish(self, metrics: Mapping[str, float], artifacts: list[Path]) -> None:
        """Record the final metrics and files, and mark the run as finished."""
        ...

    def fail(self) -> None:
        """Mark the run as failed."""
        ...


class NoTracker:
    """Records nothing."""

    def start(self, run_name: str, parameters: Mapping[str, Any], state: Path) -> None:
        """See :class:`Tracker`."""

    def log_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """See :class:`Tracker`."""

    def finish(self, metrics: Mapping[str, float], artifacts: list[Path]) -> None:
        """See :class:`Tracker`."""

    def fail(self) -> None:
        """See :class:`Tracker`."""


class MLflowTracker:
    """Records to MLflow: a local SQLite file by default, so that no server is needed.

    MLflow allows no ``@`` and ``=`` in metric names: ``test/ndcg@10`` becomes ``test/ndcg_at_10``.

    Args:
        uri: tracking URI, such as ``sqlite:///mlflow.db`` or ``http://host:5000``.
        experiment: name of the experiment; created where it does not exist.
        artifact_directory: where the artefacts of a new experiment are kept when ``uri`` is a local database.
    """

    def __init__(self, uri: str, experiment: str, artifact_directory: str) -> None:
        self._uri = uri
        self._experiment = experiment
        self._artifact_directory = artifact_directory
        self._run_id: str | None = None

    def start(self, run_name: str, parameters: Mapping[str, Any], state: Path) -> None:
        """See :class:`Tracker`."""
        # Imported here: it takes a second, and a run without tracking does not need it.
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._client = MlflowClient(tracking_uri=self._uri)
        if state.is_file():
            self._run_id = state.read_text(encoding="utf-8").strip()
            self._client.update_run(self._run_id, status="RUNNING")
            return
        experiment = self._client.get_experiment_by_name(self._experiment)
        if experiment is None:
            local = self._uri.startswith("sqlite:")
            location = Path(self._artifact_directory).absolute().as_uri() if local else None
            try:
                experiment_id = self._client.create_experiment(self._experiment, artifact_location=location)
            except MlflowException:
                # Another run of a sweep made it since.
                found = self._client.get_experiment_by_name(self._experiment)
                if found is None:
                    raise
                experiment_id = found.experiment_id
        else:
            experiment_id = experiment.experiment_id
        self._run_id = self._client.create_run(experiment_id, run_name=run_name).info.run_id
        state.write_text(f"{self._run_id}\n", encoding="utf-8")
        for name, value in flatten(parameters).items():
            self._client.log_param(self._run_id, legal_name(name), str(value)[:6000])

    def log_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """See :class:`Tracker`."""
        self._log(metrics, epoch)

    def finish(self, metrics: Mapping[str, float], artifacts: list[Path]) -> None:
        """See :class:`Tracker`."""
        self._log(metrics, 0)
        for path in artifacts:
            self._client.log_artifact(self._run_id, str(path))
        self._client.set_terminated(self._run_id, "FINISHED")

    def fail(self) -> None:
        """See :class:`Tracker`."""
        if self._run_id is not None:
            self._client.set_terminated(self._run_id, "FAILED")

    def _log(self, metrics: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        rows = [Metric(legal_name(name), value, now, step) for name, value in metrics.items()]
        for start in range(0, len(rows), 1000):
            self._client.log_batch(self._run_id, metrics=rows[start : start + 1000])


def legal_name(name: str) -> str:
    """``name`` in the characters that MLflow allows."""
    return re.sub(r"[^\w\-. :/]", "_", name.replace("@", "_at_"))


def flatten(parameters: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, with dotted names; lists stay values."""
    flat: dict[str, Any] = {}
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat
