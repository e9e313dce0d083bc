"""The learning curve of a run as a file of its bundle, so that a bundle tells it where its run is not."""

from __future__ import annotations

import shutil
from pathlib import Path

from recsys.runs.run_directory import HISTORY, SELECTION
from recsys.runs.trained_run import TrainedRun


def copy_learning_curve(run: TrainedRun, path: Path) -> None:
    """Copy the metrics of each epoch, or those of the fit that chose the number of epochs; nothing without epochs.

    Args:
        run: whose they are.
        path: of the new file.
    """
    place = run.directory.path
    for found in (place / HISTORY, place / SELECTION / HISTORY):
        if found.is_file():
            shutil.copyfile(found, path)
            return
