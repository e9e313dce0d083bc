"""Trains a network to its best epoch, and can go on after an interruption.

Lightning is imported where something is trained: what was trained to its end is read back without it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recsys.cli.whole_files import whole_file
from recsys.distributed.collectives import object_from_main, wait_for_ranks
from recsys.distributed.ranks import ranks
from recsys.errors import RunError
from recsys.training.module import RecommenderModule
from recsys.training.ranks.checkpoint_rows import read_checkpoint
from recsys.training.reports.fit_report import LAST_CHECKPOINT, REPORT, FitReport, Listener, read_report

BEST_CHECKPOINT = "best.ckpt"


def fit(
    module: RecommenderModule,
    trainer: Callable[..., Any],
    checkpoint_directory: Path,
    monitor: str | None,
    patience: int | None = None,
    resume: bool = False,
    print_line: Callable[[str], None] | None = None,
    listener: Listener | None = None,
    progress_bar: bool = True,
    shard_embeddings: bool = False,
) -> FitReport:
    """Train, and leave the network with the weights of its best epoch.

    What was trained to its end is not trained again on ``resume``: its weights are read back.

    Args:
        module: what to train.
        trainer: makes Lightning's ``Trainer`` from the remaining arguments (callbacks, logging switches).
        checkpoint_directory: where ``last.ckpt`` (each epoch) and ``best.ckpt`` are kept.
        monitor: validation metric to maximise, such as ``valid/ndcg@10``; None trains to the last epoch.
        patience: stop after so many validations without improvement; None never stops early.
        resume: go on from ``last.ckpt`` where there is one.
        print_line: receives a line for each epoch.
        listener: receives the metrics of each epoch.
        progress_bar: show a bar for all epochs, where there is a terminal.
        shard_embeddings: have each of several ranks hold some rows of the embedding tables.

    Raises:
        RunError: the checkpoint belongs to another network or data set, or the loss became NaN.
    """
    if resume and object_from_main((checkpoint_directory / REPORT).is_file()):
        report = read_report(checkpoint_directory / REPORT)
        kept = LAST_CHECKPOINT if report.best_value is None else BEST_CHECKPOINT
        _load(module, checkpoint_directory / kept)
        return report
    check_monitor(module, monitor)
    from recsys.training.trainer_run import run_trainer

    with _fitting_errors(checkpoint_directory / LAST_CHECKPOINT):
        epochs, best_value = run_trainer(
            module,
            trainer,
            checkpoint_directory,
            BEST_CHECKPOINT,
            monitor,
            patience,
            resume,
            print_line,
            listener,
            progress_bar,
            shard_embeddings,
        )
    # Without validation the last epoch counts.
    best = len(epochs) if best_value is None else _load(module, checkpoint_directory / BEST_CHECKPOINT)
    report = FitReport(epochs, best, best_value)
    if ranks().is_main:
        with whole_file(checkpoint_directory / REPORT) as path:
            path.write_text(json.dumps(asdict(report)), encoding="utf-8")
    wait_for_ranks()  # which read it
    return report


def check_monitor(module: RecommenderModule, monitor: str | None) -> None:
    """Require that validation measures what is monitored.

    Raises:
        RunError: it does not.
    """
    if monitor is not None and monitor not in module.validation_metrics:
        raise RunError(
            f"fitting.monitor must be one of {', '.join(sorted(module.validation_metrics))}, but it is {monitor}. "
            "Choose one of them, or add its cut-off to training.validation_ks."
        )


def _load(module: RecommenderModule, path: Path) -> int:
    """Load the weights of a checkpoint; returns its epoch, from 1."""
    if not path.is_file():
        raise RunError(
            f"The checkpoint {path} is required to go on, but it is not there. Delete {path.with_name(REPORT)}, and "
            "the training is done again."
        )
    state = read_checkpoint(path)
    weights, epoch = state["state_dict"], int(state["epoch"]) + 1
    # A training in double precision is gone on with in it, whatever the network begins with.
    for name, tensor in module.state_dict(keep_vars=True).items():
        if name in weights and tensor.is_floating_point():
            tensor.data = tensor.data.to(weights[name].dtype)
    with _fitting_errors(path):
        module.load_state_dict(weights)
    return epoch


@contextmanager
def _fitting_errors(path: Path) -> Iterator[None]:
    """Turn PyTorch's error about a checkpoint that does not fit into one with a remedy."""
    try:
        yield
    except RuntimeError as error:
        if "Error(s) in loading state_dict" not in str(error):
            raise
        lines = [line.strip() for line in str(error).splitlines()[1:] if line.strip()]
        raise RunError(
            f"The checkpoint {path} does not fit this model ({lines[0].rstrip('.')}). It was written for another model "
            "or another data set. Resume with the settings of that run, or start a new run."
        ) from error
