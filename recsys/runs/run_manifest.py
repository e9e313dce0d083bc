"""What a run says of itself when it is finished: ``run.json``."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any, Literal

import recsys
from recsys.data.feedback_view import ViewKind
from recsys.data.prepared import PreparedDataset
from recsys.data.split import Split
from recsys.errors import RunError

TrainedOn = Literal["training", "training and validation", "all interactions"]

#: What the metrics of a run are of, where they are of its own model.
THIS_MODEL = "this model"
#: ... where nothing was held out and no other run measured anything.
NOTHING = "nothing: no interaction was held out"
#: ... and how that begins where the model was trained once more, on all interactions.
BEFORE_REFIT = "before the refit on all interactions"
MEASURED_HERE = f"{BEFORE_REFIT}, in this run"
#: Stands before the names of such metrics.
CARRIED_PREFIX = "before_refit/"

#: 2: the settings of a training are below ``training``, and settings have the names of this version.
FORMAT_VERSION = 2
#: Formats whose ``run.json``, metrics and values for each user are read; a model is only built from the current one.
READABLE_VERSIONS = (1, FORMAT_VERSION)


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
        trained_on: what the kept weights were fitted to.
        epochs_chosen: how the number of epochs of the kept weights came about; empty for a model without epochs.
        measured: what ``metrics.json`` is of.
        update: how the run came from another one, as :class:`recsys.runs.updating.update_record.UpdateRecord` says;
            None for a run that was trained anew.
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
    trained_on: TrainedOn = "training"
    epochs_chosen: str = ""
    measured: str = THIS_MODEL
    update: Mapping[str, Any] | None = None

    @classmethod
    def of(
        cls,
        prepared: PreparedDataset,
        split: Split,
        best_epoch: int,
        fit_seconds: float,
        view: ViewKind = "implicit",
        trained_on: TrainedOn = "training",
        epochs_chosen: str = "",
        measured: str = THIS_MODEL,
        update: Mapping[str, Any] | None = None,
    ) -> RunManifest:
        """The manifest of a run on ``prepared`` that ends now; ``split`` is the one that it was measured with."""
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
            trained_on=trained_on,
            epochs_chosen=epochs_chosen,
            measured=measured,
            update=update,
        )

    @property
    def parent(self) -> str | None:
        """Directory of the run that this one is an update of; None: it was trained anew."""
        return None if self.update is None else str(self.update["parent"])

    @property
    def lineage(self) -> str:
        """Where the model comes from, in words; empty for one that was trained anew."""
        if self.update is None:
            return ""
        number, since = self.update["updates"], self.update["since_refit"]
        refit = "" if since == number else f", {since} since the last fit on all interactions"
        return f"update {number}{refit} of run {self.update['parent']}"

    @property
    def holds_nothing_out(self) -> bool:
        """Whether the kept weights were fitted to all interactions, so that nothing is left to test them on."""
        return self.trained_on == "all interactions"

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


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())
