"""The run directory: everything that one training leaves behind, each part readable by a person or without pickle.

::

    runs/2026-01-31_12-00-00_mf_movielens_100k/
        config.yaml          the resolved configuration
        run.json             data (directory, content hash, sizes), versions, best epoch; written last
        metrics.json         flat: test/ndcg@10, test/ndcg@10_low, test/ndcg@10_high, ...
        per_user.parquet     the same measures for each test user, for comparing runs
        model.safetensors    weights of the best epoch
        history.csv          metrics of each epoch
        curves.png           learning curves
        checkpoints/         last.ckpt and best.ckpt, for resuming
        tracking_run         which run of the experiment tracker this is
"""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from omegaconf import DictConfig, OmegaConf
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

import recsys
from recsys.cli.commands import command_line
from recsys.data.feedback_view import ViewKind
from recsys.data.prepared import PreparedDataset
from recsys.data.split import Split
from recsys.errors import RunError
from recsys.models.interface.protocols import dynamic_buffers
from recsys.training.epoch_history import draw_curves

#: 2: the settings of a training are below ``training``, and settings have the names of this version.
FORMAT_VERSION = 2
#: Formats whose ``run.json``, metrics and values for each user are read; a model is only built from the current one.
READABLE_VERSIONS = (1, FORMAT_VERSION)
CONFIG = "config.yaml"
MANIFEST = "run.json"
METRICS = "metrics.json"
PER_USER = "per_user.parquet"
WEIGHTS = "model.safetensors"
HISTORY = "history.csv"
CURVES = "curves.png"
CHECKPOINTS = "checkpoints"
TRACKING = "tracking_run"
#: What an experiment tracker keeps a copy of.
ARTIFACTS = (CONFIG, MANIFEST, METRICS, PER_USER, WEIGHTS, HISTORY, CURVES)


@dataclass(frozen=True, slots=True)
class RunManifest:
    """What ``run.json`` says.

    Args:
        format_version: version of the directory's format.
        created: local time at which the run was finished, ISO 8601.
        data_name: name of the data set.
        data_directory: prepared directory that the run was trained on.
        data_hash: content hash of the prepared data.
        split_hash: content hash of the split.
        num_users: size of the user vocabulary.
        num_items: size of the item vocabulary.
        best_epoch: epoch whose weights were kept; 0 for a model without epochs.
        fit_seconds: wall time of fitting, seconds.
        versions: of Python and of the libraries that matter.
        view: ``implicit`` (likes were split) or ``explicit`` (ratings).
    """

    format_version: int
    created: str
    data_name: str
    data_directory: str
    data_hash: str
    split_hash: str
    num_users: int
    num_items: int
    best_epoch: int
    fit_seconds: float
    versions: dict[str, str]
    view: ViewKind = "implicit"  # the only one of version 0.1, whose manifests do not name it

    @classmethod
    def of(
        cls,
        prepared: PreparedDataset,
        split: Split,
        best_epoch: int,
        fit_seconds: float,
        view: ViewKind = "implicit",
    ) -> RunManifest:
        """The manifest of a run on ``prepared`` that ends now."""
        libraries = ("torch", "pytorch-lightning", "numpy", "pyarrow")
        return cls(
            format_version=FORMAT_VERSION,
            created=datetime.now().isoformat(timespec="seconds"),
            data_name=prepared.schema.name,
            data_directory=str(prepared.directory.absolute()),
            data_hash=prepared.schema.content_hash,
            split_hash=split.content_hash(),
            num_users=prepared.interactions.num_users,
            num_items=prepared.interactions.num_items,
            best_epoch=best_epoch,
            fit_seconds=round(fit_seconds, 3),
            versions={
                "python": platform.python_version(),
                "recsys": recsys.__version__,
                **{name: version(name) for name in libraries},
            },
            view=view,
        )

    def check_data(self, prepared: PreparedDataset) -> None:
        """Refuse data that the run was not trained on.

        Raises:
            RunError: the content hash differs.
        """
        if prepared.schema.content_hash != self.data_hash:
            raise RunError(
                f"The run was trained on {self.data_name} with content hash {self.data_hash[:12]}, but the prepared "
                f"data in {prepared.directory} have {prepared.schema.content_hash[:12]}. "
                "Use the data of the run, or train again on the new data."
            )

    def check_split(self, split: Split) -> None:
        """Refuse a split that is not the one the run was trained with, so that no training row is ever tested on.

        Raises:
            RunError: the split differs.
        """
        if split.content_hash() != self.split_hash:
            raise RunError(
                "The split could not be made again as it was in training: another version of NumPy or of recsys may "
                f"draw other rows. Evaluate with the versions of the run ({_listed(self.versions)}), or train again."
            )


class RunDirectory:
    """Reads and writes the parts of one run directory.

    Args:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, parent: Path, name: str) -> RunDirectory:
        """Make a new directory below ``parent``, named by the time and ``name``."""
        stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        for suffix in ("", *(f"_{count}" for count in range(2, 1000))):
            path = parent / f"{stamp}_{name}{suffix}"
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise RunError(
                    f"A run directory cannot be made below {parent} ({error.strerror}). Choose another paths.runs_dir."
                ) from error
            return cls(path)
        raise RunError(f"No free name for a run is left below {parent}: remove old runs.")

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
            raise RunError(
                f"The run {path} was not finished: it has no {MANIFEST}. "
                f"Go on with it: {command_line('train')} resume={path}"
            )
        return run

    @property
    def config_path(self) -> Path:
        """Where the resolved configuration is."""
        return self.path / CONFIG

    def config(self) -> DictConfig:
        """Read ``config.yaml``.

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

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoints are."""
        return self.path / CHECKPOINTS

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
        temporary = self.path / f"{PER_USER}.partial"
        pq.write_table(table, temporary, compression="zstd")
        os.replace(temporary, self.path / PER_USER)

    def per_user(self) -> pa.Table:
        """Read the values of each test user.

        Raises:
            RunError: there are none, because an older version of recsys made the run, or they are damaged.
        """
        path = self.path / PER_USER
        if not path.is_file():
            raise RunError(
                f"Values for each user are required, but the run {self.path} has no {PER_USER}: an older version "
                f"made it. Write them now: {command_line('evaluate')} run={self.path} save_per_user=true"
            )
        try:
            return pq.read_table(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise RunError(
                f"{path} is damaged ({error}). Write it again: {command_line('evaluate')} run={self.path} "
                "save_per_user=true"
            ) from error

    def save_history(self, epochs: list[dict[str, float]], title: str) -> None:
        """Write ``history.csv`` and ``curves.png``; nothing where there were no epochs."""
        if epochs:
            pd.DataFrame(epochs).to_csv(self.path / HISTORY, index=False)
            draw_curves(epochs, self.path / CURVES, title)

    def save_model(self, model: nn.Module) -> None:
        """Write the weights.

        Raises:
            RunError: they could not be written, for example to a full disk.
        """
        temporary = self.path / f"{WEIGHTS}.partial"
        try:
            save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, temporary)
        except SafetensorError as error:
            temporary.unlink(missing_ok=True)
            raise RunError(
                f"The weights could not be written to {temporary} ({error}). Free some space, then go on with the run: "
                f"{command_line('train')} resume={self.path}"
            ) from error
        os.replace(temporary, self.path / WEIGHTS)

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

    def finish(self, metrics: Mapping[str, float], manifest: RunManifest) -> None:
        """Write the metrics (what is not a number as null), then the manifest that marks the run as finished."""
        self._write_json(METRICS, {name: value if math.isfinite(value) else None for name, value in metrics.items()})
        self._write_json(MANIFEST, asdict(manifest))

    def _write_json(self, name: str, content: Mapping[str, Any]) -> None:
        temporary = self.path / f"{name}.partial"
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(temporary, self.path / name)


def earlier_version(path: Path) -> RunError:
    """The error for a run whose settings have the names of an earlier version, so that its model cannot be built."""
    return RunError(
        f"A run of this version is required, but {path} was written by an earlier version of recsys, in which settings "
        "had other names. Train again with the same settings, or use the version that wrote it."
    )


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def _shape(state: Mapping[str, Any], name: str) -> str:
    return str(list(state[name].shape)) if name in state else "nothing"
