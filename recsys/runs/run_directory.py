"""The run directory: everything that one training leaves behind, each part readable by a person or without pickle.

::

    runs/2026-01-31_12-00-00_mf_movielens_100k/
        config.yaml          the resolved configuration
        run.json             data (directory, content hash, sizes), versions, epochs, what was measured; written last
        metrics.json         flat: test/ndcg@10, test/ndcg@10_low, test/ndcg@10_high, ...; before_refit/test/ndcg@10
                             where they were measured before the refit on all interactions
        per_user.parquet     the same measures for each test user, for comparing runs
        model.safetensors    weights of the best epoch
        history.csv          metrics of each epoch
        curves.png           learning curves
        checkpoints/         last.ckpt, for resuming, and best.ckpt, weights alone
        selection/           history.csv, curves.png and checkpoints of a first fit, which chose the number of epochs
        tracking_run         which run of the experiment tracker this is
        data/                the prepared data, where they were made of tables in memory
        statistics.safetensors  of an updated run: what makes its next update faster
        update.md            of an updated run: its lineage, with a picture of what refits beside updates have shown
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from recsys.cli.commands import typed_command
from recsys.cli.output_directory import new_directory
from recsys.cli.trusted_targets import check_targets
from recsys.cli.whole_files import whole_file
from recsys.errors import RunError
from recsys.models.interface.protocols import dynamic_buffers
from recsys.runs.run_manifest import FORMAT_VERSION, READABLE_VERSIONS, RunManifest

CONFIG = "config.yaml"
MANIFEST = "run.json"
METRICS = "metrics.json"
PER_USER = "per_user.parquet"
WEIGHTS = "model.safetensors"
STATISTICS = "statistics.safetensors"
HISTORY = "history.csv"
CURVES = "curves.png"
CHECKPOINTS = "checkpoints"
SELECTION = "selection"
TRACKING = "tracking_run"
DATA = "data"
#: There while an update makes the run: which one.
UPDATE_MARK = ".update"
#: What an experiment tracker keeps a copy of.
ARTIFACTS = (CONFIG, MANIFEST, METRICS, PER_USER, WEIGHTS, HISTORY, CURVES)


class RunDirectory:
    """Reads and writes the parts of one run directory.

    Args:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, parent: Path, name: str) -> RunDirectory:
        """Make a new directory below ``parent``, named by the time and ``name``.

        Raises:
            RunError: it cannot be made.
        """
        return cls(new_directory(parent, name, "run", "paths.runs_dir"))

    @classmethod
    def open(cls, path: Path | str) -> RunDirectory:
        """Open a finished run.

        Raises:
            RunError: there is no such run, or it was not finished.
        """
        run = cls(Path(path))
        if not run.config_path.is_file():
            raise RunError(f"A run directory is required, but {path} has no {CONFIG}. Give the path after 'run:'.")
        if not run.is_finished:
            run.require_no_update()
            raise RunError(
                f"The run {path} was not finished: it has no {MANIFEST}. "
                f"Go on with it: {typed_command('train')} resume={path}"
            )
        return run

    @property
    def config_path(self) -> Path:
        """Where the resolved configuration is."""
        return self.path / CONFIG

    def config(self) -> DictConfig:
        """Read ``config.yaml``, of which something is to be made.

        Raises:
            RunError: it is damaged, or names code that is neither part of recsys nor trusted.
        """
        config = self.settings()
        try:
            content = OmegaConf.to_container(config, resolve=True)
        except OmegaConfBaseException as error:
            raise RunError(f"{self.config_path} is damaged ({error}). Train again.") from error
        check_targets(content, self.config_path)
        return config

    def settings(self) -> DictConfig:
        """Read ``config.yaml`` to look at it; nothing may be made of it.

        Raises:
            RunError: it is damaged.
        """
        try:
            config = OmegaConf.load(self.config_path)
        except Exception as error:  # OmegaConf lets the errors of its YAML library through
            raise RunError(f"{self.config_path} is damaged ({error}). Train again.") from error
        if not isinstance(config, DictConfig):
            raise RunError(f"{self.config_path} is damaged: it holds no mapping. Train again.")
        return config

    @property
    def is_finished(self) -> bool:
        """Whether the run came to its end."""
        return (self.path / MANIFEST).is_file()

    def require_no_update(self) -> None:
        """Refuse what an update has left that was not finished: a training would not go on with it.

        Raises:
            RunError: it is that.
        """
        if not self.is_finished and (self.path / UPDATE_MARK).is_file():
            raise RunError(
                f"The run {self.path} is an update that was not finished. Make it with the same command again, which "
                "removes what is left of it."
            )

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoints are."""
        return self.path / CHECKPOINTS

    @property
    def data(self) -> Path:
        """Where the prepared data are, if the run keeps them."""
        return self.path / DATA

    def manifest(self) -> RunManifest:
        """Read ``run.json``.

        Raises:
            RunError: it is damaged or of another version.
        """
        try:
            content = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
            if content["format_version"] not in READABLE_VERSIONS:
                raise RunError(
                    f"Run format {FORMAT_VERSION} is required, but {self.path} has {content['format_version']}. "
                    "Use the version of recsys that wrote it, or train again."
                )
            return RunManifest(**content)
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise RunError(f"{self.path / MANIFEST} is damaged ({error}). Train again.") from error

    def metrics(self) -> dict[str, float]:
        """Read ``metrics.json``; what is not a number there is left out.

        Raises:
            RunError: it is missing or damaged.
        """
        try:
            content = json.loads((self.path / METRICS).read_text(encoding="utf-8"))
            return {name: float(value) for name, value in content.items() if value is not None}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise RunError(f"{self.path / METRICS} cannot be read ({error}). Train again.") from error

    def save_per_user(self, table: pa.Table) -> None:
        """Write the values of each test user, as :func:`recsys.evaluation.per_user.per_user_table` gives them."""
        with whole_file(self.path / PER_USER) as path:
            pq.write_table(table, path, compression="zstd")

    def per_user(self) -> pa.Table:
        """Read the values of each test user.

        Raises:
            RunError: there are none, because an older version of recsys made the run, or they are damaged.
        """
        path = self.path / PER_USER
        if not path.is_file():
            raise RunError(
                f"Values for each user are required, but the run {self.path} has no {PER_USER}: an older version "
                f"made it. Write them now: {typed_command('evaluate')} run={self.path} save_per_user=true"
            )
        try:
            return pq.read_table(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise RunError(
                f"{path} is damaged ({error}). Write it again: {typed_command('evaluate')} run={self.path} "
                "save_per_user=true"
            ) from error

    def save_config(self, config: DictConfig) -> None:
        """Write the resolved configuration."""
        with whole_file(self.config_path) as path:
            OmegaConf.save(config, path, resolve=True)

    def save_history(
        self,
        epochs: list[dict[str, float]],
        title: str,
        directory: Path | None = None,
        monitor: str = "",
        best_epoch: int | None = None,
    ) -> None:
        """Write ``history.csv`` and ``curves.png``; nothing where there were no epochs.

        Args:
            epochs: metrics of each epoch.
            title: heading of the picture.
            directory: of the run, which they go into; None for the run itself.
            monitor: the metric that decided.
            best_epoch: the epoch whose weights were kept.
        """
        if epochs:
            # Imported here: both take a second, and opening a run needs neither.
            import pandas as pd

            from recsys.training.reports.learning_curves import draw_curves

            place = directory or self.path
            with whole_file(place / HISTORY) as path:
                pd.DataFrame(epochs).to_csv(path, index=False)
            with whole_file(place / CURVES) as path:
                draw_curves(epochs, path, title, monitor, best_epoch)

    def save_model(self, model: nn.Module) -> None:
        """Write the weights.

        Raises:
            RunError: they could not be written, for example to a full disk.
        """
        try:
            with whole_file(self.path / WEIGHTS) as path:
                save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, path)
        except SafetensorError as error:
            raise RunError(
                f"The weights could not be written to {self.path / WEIGHTS} ({error}). Free some space, then go on "
                f"with the run: {typed_command('train')} resume={self.path}"
            ) from error

    def save_statistics(self, statistics: Mapping[str, Tensor]) -> None:
        """Write what makes the next update faster.

        Raises:
            RunError: it could not be written.
        """
        try:
            with whole_file(self.path / STATISTICS) as path:
                save_file({name: tensor.contiguous() for name, tensor in statistics.items()}, path)
        except SafetensorError as error:
            raise RunError(
                f"What makes the next update faster could not be written to {self.path / STATISTICS} ({error}). Free "
                "some space, or leave it out (keep_statistics=false), and update again."
            ) from error

    def load_statistics(self) -> dict[str, Tensor]:
        """What makes an update faster; nothing where it was not kept, or cannot be read."""
        try:
            return dict(load_file(self.path / STATISTICS))
        except (SafetensorError, OSError):
            return {}

    def load_model(self, model: nn.Module) -> None:
        """Read the weights into ``model``.

        Raises:
            RunError: they are missing, damaged, or those of another model or data set.
        """
        path = self.path / WEIGHTS
        try:
            state = load_file(path)
        except (SafetensorError, OSError) as error:
            raise RunError(f"The weights {path} cannot be read ({error}). Train again.") from error
        for name in dynamic_buffers(model):
            buffer = model.get_buffer(name)
            if name in state and state[name].ndim == buffer.ndim:
                buffer.resize_(state[name].shape)
        expected = model.state_dict()
        wrong = [
            f"{name}: required {_shape(expected, name)}, came {_shape(state, name)}"
            for name in sorted(expected.keys() | state.keys())
            if _shape(expected, name) != _shape(state, name)
        ]
        if wrong:
            raise RunError(
                f"The weights {path} are those of another model or data set ({wrong[0]}). "
                "Use the configuration and the data of that run."
            )
        model.load_state_dict(state)

    def save_metrics(self, metrics: Mapping[str, float]) -> None:
        """Write the metrics; what is not a number as null."""
        self._write_json(METRICS, {name: value if math.isfinite(value) else None for name, value in metrics.items()})

    def finish(self, metrics: Mapping[str, float] | None, manifest: RunManifest) -> None:
        """Write the metrics, unless they are None and written already, then the manifest: the run is finished."""
        if metrics is not None:
            self.save_metrics(metrics)
        self._write_json(MANIFEST, asdict(manifest))

    def _write_json(self, name: str, content: Mapping[str, Any]) -> None:
        with whole_file(self.path / name) as path:
            path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def earlier_version(path: Path) -> RunError:
    """The error for a run whose settings have the names of an earlier version, so that its model cannot be built."""
    return RunError(
        f"A run of this version is required, but {path} was written by an earlier version of recsys, in which settings "
        "had other names. Train again with the same settings, or use the version that wrote it."
    )


def _shape(state: Mapping[str, Any], name: str) -> str:
    return str(list(state[name].shape)) if name in state else "nothing"
