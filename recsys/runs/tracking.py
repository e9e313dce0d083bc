"""Experiment tracking: parameters, metrics by epoch, the final metrics and the artefacts of a run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from recsys.cli.console import console
from recsys.cli.whole_files import write_private
from recsys.runtime.versions.mlflow_store import open_store


class NoTracker:
    """Records nothing besides the run's own directory."""

    def start(self, run_name: str, parameters: Mapping[str, Any], state: Path, tags: Mapping[str, str]) -> None:
        """Begin a run with its (nested) parameters, or go on with the one that the file ``state`` names.

        Args:
            run_name: name of the run.
            parameters: its settings.
            state: says which run of the tracker this is.
            tags: by which it is found, such as ``model`` and ``data``.
        """

    def log_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Record the metrics of one epoch, from 1."""

    def log_child(self, run_name: str, parameters: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        """Record a finished part of the run, such as a trial of a search, as a run of its own below it."""

    def finish(self, metrics: Mapping[str, float], artifacts: list[Path]) -> None:
        """Record the final metrics and files, and mark the run as finished."""

    def fail(self) -> None:
        """Mark the run as failed."""


class MLflowTracker:
    """Records to MLflow: a local SQLite file by default, so that no server is needed.

    MLflow allows no ``@`` and ``=`` in metric names: ``test/ndcg@10`` becomes ``test/ndcg_at_10``. Where MLflow cannot
    be reached or written to there is one warning, and the training goes on unrecorded: the run directory has it all.

    Args:
        uri: tracking URI, such as ``sqlite:///mlflow.db`` or ``http://host:5000``.
        experiment: name of the experiment; created where it does not exist.
        artifact_directory: where the artefacts of a new experiment are kept when ``uri`` is a local database.
        warn: receives the warning.
    """

    def __init__(
        self, uri: str, experiment: str, artifact_directory: str, warn: Callable[[str], None] = console.print
    ) -> None:
        self._uri = uri
        self._experiment = experiment
        self._artifact_directory = artifact_directory
        self._warn = warn
        self._client: Any = None
        self._run_id = ""

    def start(self, run_name: str, parameters: Mapping[str, Any], state: Path, tags: Mapping[str, str]) -> None:
        """See :class:`NoTracker`."""

        def begin() -> None:
            if state.is_file():
                self._run_id = state.read_text(encoding="utf-8").strip()
                self._client.update_run(self._run_id, status="RUNNING")
            else:
                run = self._client.create_run(self._experiment_id(), run_name=run_name, tags=dict(tags))
                write_private(state, f"{run.info.run_id}\n".encode(), keep_existing=True)
                self._run_id = state.read_text(encoding="utf-8").strip()
                if self._run_id == run.info.run_id:
                    self._log_parameters(parameters)
                else:  # another worker of the same search was sooner
                    self._client.delete_run(run.info.run_id)

        self._attempt(lambda: setattr(self, "_client", open_store(self._uri)))
        self._attempt_with_client(begin)

    def log_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """See :class:`NoTracker`."""
        self._attempt_with_client(lambda: self._log_metrics(metrics, epoch))

    def log_child(self, run_name: str, parameters: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        """See :class:`NoTracker`."""

        def record() -> None:
            tags = {"mlflow.parentRunId": self._run_id}
            run_id = self._client.create_run(self._experiment_id(), run_name=run_name, tags=tags).info.run_id
            self._log_parameters(parameters, run_id)
            self._log_metrics(metrics, 0, run_id)
            self._client.set_terminated(run_id, "FINISHED")

        self._attempt_with_client(record)

    def finish(self, metrics: Mapping[str, float], artifacts: list[Path]) -> None:
        """See :class:`NoTracker`."""

        def end() -> None:
            self._log_metrics(metrics, 0)
            for path in artifacts:
                self._client.log_artifact(self._run_id, str(path))
            self._client.set_terminated(self._run_id, "FINISHED")

        self._attempt_with_client(end)

    def fail(self) -> None:
        """See :class:`NoTracker`."""
        self._attempt_with_client(lambda: self._client.set_terminated(self._run_id, "FAILED"))

    def _attempt_with_client(self, action: Callable[[], None]) -> None:
        if self._client is not None:
            self._attempt(action)

    def _attempt(self, action: Callable[[], None]) -> None:
        """Do it; on failure warn, and from then on do nothing more."""
        try:
            action()
        except Exception as error:  # MLflow raises its own errors, those of its database and those of the network
            self._warn(f"not tracked: MLflow at {self._uri} failed ({_reason(error)}); tracking=none switches it off")
            self._client = None

    def _experiment_id(self) -> str:
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(self._experiment)
        if found is None:
            location = None
            if self._uri.startswith("sqlite:"):
                location = Path(self._artifact_directory).absolute().as_uri()
            try:
                experiment_id: str = self._client.create_experiment(self._experiment, artifact_location=location)
                return experiment_id
            except MlflowException:
                # Another run of a sweep may have made it since.
                found = self._client.get_experiment_by_name(self._experiment)
                if found is None:
                    raise
        return str(found.experiment_id)

    def _log_parameters(self, parameters: Mapping[str, Any], run_id: str | None = None) -> None:
        from mlflow.entities import Param

        rows = [Param(legal_name(name), str(value)[:6000]) for name, value in flatten(parameters).items()]
        for start in range(0, len(rows), 100):
            self._client.log_batch(run_id or self._run_id, params=rows[start : start + 100])

    def _log_metrics(self, metrics: Mapping[str, float], step: int, run_id: str | None = None) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        rows = [Metric(legal_name(name), value, now, step) for name, value in metrics.items()]
        for start in range(0, len(rows), 1000):
            self._client.log_batch(run_id or self._run_id, metrics=rows[start : start + 1000])


def _reason(error: BaseException) -> str:
    """What went wrong, in a line."""
    text = str(error).partition("\n")[0]
    if "Read timed out" in text:  # inside of three errors of libraries
        return "the server takes connections, but does not answer in time"
    return text or type(error).__name__


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
