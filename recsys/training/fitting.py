"""Runs a LightningModule to its best epoch, and can go on after an interruption."""

from __future__ import annotations

import json
import logging
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import EarlyStopping

from recsys.cli.whole_files import whole_file
from recsys.errors import RunError
from recsys.training.checkpoints import AtomicCheckpointIO, PortableCheckpoint, checkpoint_errors
from recsys.training.epoch_history import EpochHistory
from recsys.training.fit_progress import FitProgress
from recsys.training.fit_report import LAST_CHECKPOINT, REPORT, FitReport, Listener, read_report
from recsys.training.module import RecommenderModule

BEST_CHECKPOINT = "best.ckpt"


def fit(
    module: RecommenderModule,
    trainer: Callable[..., pl.Trainer],
    checkpoint_directory: Path,
    monitor: str | None,
    patience: int | None = None,
    resume: bool = False,
    print_line: Callable[[str], None] | None = None,
    listener: Listener | None = None,
    progress_bar: bool = True,
) -> FitReport:
    """Train, and leave the network with the weights of its best epoch.

    What was trained to its end is not trained again on ``resume``: its weights are read back.

    Args:
        module: what to train.
        trainer: makes the ``Trainer`` from the remaining arguments (callbacks, logging switches).
        checkpoint_directory: where ``last.ckpt`` (each epoch) and ``best.ckpt`` are kept.
        monitor: validation metric to maximise, such as ``valid/ndcg@10``; None trains to the last epoch.
        patience: stop after so many validations without improvement; None never stops early.
        resume: go on from ``last.ckpt`` where there is one.
        print_line: receives a line for each epoch.
        listener: receives the metrics of each epoch.
        progress_bar: show a bar for all epochs, where there is a terminal.

    Raises:
        RunError: the checkpoint belongs to another network or data set, or the loss became NaN.
    """
    if resume and (checkpoint_directory / REPORT).is_file():
        report = read_report(checkpoint_directory / REPORT)
        kept = LAST_CHECKPOINT if report.best_value is None else BEST_CHECKPOINT
        _load(module, checkpoint_directory / kept)
        return report
    check_monitor(module, monitor)
    history = EpochHistory(monitor or "", print_line, listener)
    checkpoint = PortableCheckpoint(
        checkpoint_directory,
        filename=BEST_CHECKPOINT.removesuffix(".ckpt"),
        monitor=monitor,
        mode="max",
        save_last=True,
        save_top_k=1,
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )
    callbacks: list[pl.Callback] = [history]
    if monitor is not None and patience is not None:
        # Checked at the end of the training epoch, before the checkpoint is saved, so that its count is resumed too.
        callbacks.append(EarlyStopping(monitor, mode="max", patience=patience, check_on_train_epoch_end=True))
    if progress_bar:
        callbacks.append(FitProgress(early_stopping=monitor is not None and patience is not None))
    last = checkpoint_directory / LAST_CHECKPOINT
    with warnings.catch_warnings():
        _silence_lightning()
        runner = trainer(
            callbacks=[*callbacks, checkpoint],
            logger=False,
            enable_model_summary=False,
            enable_progress_bar=False,  # Lightning's would overwrite what is printed
            num_sanity_val_steps=0,
            plugins=[AtomicCheckpointIO()],
        )
        with _fitting_errors(last), _interrupts(runner):
            runner.fit(module, ckpt_path=str(last) if resume and last.is_file() else None, weights_only=True)
    score = checkpoint.best_model_score
    if monitor is None or score is None:
        report = FitReport(history.epochs, best_epoch=len(history.epochs), best_value=None)
    else:
        best_epoch = _load(module, checkpoint_directory / BEST_CHECKPOINT)
        report = FitReport(history.epochs, best_epoch, float(score))
    with whole_file(checkpoint_directory / REPORT) as path:
        path.write_text(json.dumps(asdict(report)), encoding="utf-8")
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


def check_trainer(trainer: Callable[..., pl.Trainer]) -> None:
    """Require that a ``Trainer`` can be made.

    Raises:
        RunError: it refuses its settings, or needs a library that is not there.
    """
    with warnings.catch_warnings():
        _silence_lightning()
        try:
            trainer(logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
        except (MisconfigurationException, ImportError, ValueError, TypeError) as error:
            raise RunError(f"The trainer refuses its settings ({error}). Correct trainer.*.") from error


def _load(module: RecommenderModule, path: Path) -> int:
    """Load the weights of a checkpoint; returns its epoch, from 1."""
    if not path.is_file():
        raise RunError(
            f"The checkpoint {path} is required to go on, but it is not there. Delete {path.with_name(REPORT)}, and "
            "the training is done again."
        )
    with checkpoint_errors(path):
        state = torch.load(path, map_location="cpu", weights_only=True)
        weights, epoch = state["state_dict"], int(state["epoch"]) + 1
    with _fitting_errors(path):
        module.load_state_dict(weights)
    return epoch


@contextmanager
def _interrupts(trainer: pl.Trainer) -> Iterator[None]:
    """Let an interrupt be one: Lightning makes a ``SystemExit`` of it, and ignores those that follow.

    Raises:
        KeyboardInterrupt: the training was interrupted.
    """
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit:
        if trainer.interrupted:
            raise KeyboardInterrupt from None
        raise
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


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


def _silence_lightning() -> None:
    """Keep Lightning's advice on DataLoader workers and devices off the terminal: it does not apply here."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    ignored = (
        "does not have many workers",
        "LeafSpec",
        "Checkpoint directory .* exists and is not empty",
        "Total length of `list` across ranks is zero",
    )
    for message in ignored:
        warnings.filterwarnings("ignore", f".*{message}")
