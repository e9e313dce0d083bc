"""Runs Lightning's ``Trainer``: with the callbacks that every training has, interrupts that are some, and no advice."""

from __future__ import annotations

import logging
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytorch_lightning as pl
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import EarlyStopping

from recsys.distributed.ranks import ranks
from recsys.errors import RunError
from recsys.training.checkpointing.checkpoints import AtomicCheckpointIO, PortableCheckpoint
from recsys.training.lightning_training import LightningTraining
from recsys.training.module import RecommenderModule
from recsys.training.ranks.strategy import rank_strategy
from recsys.training.reports.epoch_history import EpochHistory
from recsys.training.reports.fit_progress import FitProgress
from recsys.training.reports.fit_report import LAST_CHECKPOINT, Listener


def run_trainer(
    module: RecommenderModule,
    trainer: Callable[..., pl.Trainer],
    directory: Path,
    best: str,
    monitor: str | None,
    patience: int | None,
    resume: bool,
    print_line: Callable[[str], None] | None,
    listener: Listener | None,
    progress_bar: bool,
    shard_embeddings: bool,
) -> tuple[list[dict[str, float]], float | None]:
    """Train to the last epoch, or until validation gets no better.

    Args:
        module: what to train; it is left with the weights of the last epoch.
        trainer: makes the ``Trainer`` from the remaining arguments (callbacks, logging switches).
        directory: of the checkpoints.
        best: file name of the one of the best epoch.
        monitor: validation metric to maximise; None trains to the last epoch.
        patience: stop after so many validations without improvement; None never stops early.
        resume: go on from the last checkpoint where there is one.
        print_line: receives a line for each epoch.
        listener: receives the metrics of each epoch.
        progress_bar: show a bar for all epochs, where there is a terminal.
        shard_embeddings: have each of several ranks hold some rows of the embedding tables.

    Returns:
        The metrics of each epoch, and the best monitored value; None without validation.
    """
    history = EpochHistory(monitor or "", print_line, listener)
    checkpoint = PortableCheckpoint(
        directory,
        filename=best.removesuffix(".ckpt"),
        monitor=monitor,
        mode="max",
        save_last=True,
        save_top_k=0 if monitor is None else 1,  # without validation the last epoch is the one that counts
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )
    callbacks: list[pl.Callback] = [history]
    if monitor is not None and patience is not None:
        # Checked at the end of the training epoch, before the checkpoint is saved, so that its count is resumed too.
        callbacks.append(EarlyStopping(monitor, mode="max", patience=patience, check_on_train_epoch_end=True))
    if progress_bar and ranks().is_main:
        callbacks.append(FitProgress(early_stopping=monitor is not None and patience is not None))
    last = directory / LAST_CHECKPOINT
    with warnings.catch_warnings():
        _silence_lightning()
        runner = trainer(
            callbacks=[*callbacks, checkpoint],
            logger=False,
            enable_model_summary=False,
            enable_progress_bar=False,  # Lightning's would overwrite what is printed
            num_sanity_val_steps=0,
            plugins=[AtomicCheckpointIO()],
            **rank_strategy(trainer, shard_embeddings),
        )
        with _interrupts(runner):
            goes_on = str(last) if resume and last.is_file() else None
            training = LightningTraining(module)
            # Lightning does so once it has read a checkpoint, whose digits single precision would lose.
            runner.precision_plugin.convert_module(training)
            if print_line is not None:
                training.print_line = print_line
            try:
                runner.fit(training, ckpt_path=goes_on, weights_only=True)
            finally:
                training.release_rows()
            training.bring_tables_together()
    score = checkpoint.best_model_score
    return history.epochs, None if monitor is None or score is None else float(score)


def check_trainer(trainer: Callable[..., pl.Trainer]) -> None:
    """Require that a ``Trainer`` can be made, and is asked for nothing that a training of single steps leaves out.

    Raises:
        RunError: it refuses its settings, needs a library that is not there, or is to clip or to add up gradients.
    """
    with warnings.catch_warnings():
        _silence_lightning()
        try:
            made = trainer(
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                **rank_strategy(trainer),
            )
        except (MisconfigurationException, ImportError, ValueError, TypeError) as error:
            raise RunError(f"The trainer refuses its settings ({error}). Correct trainer.*.") from error
    for name, usual, instead in (
        ("gradient_clip_val", None, "a lower training.optimizer.lr keeps steps small"),
        ("accumulate_grad_batches", 1, "training.batch_size says how many rows a step takes"),
    ):
        if (given := getattr(made, name)) != usual:
            raise RunError(
                f"trainer.{name} must be left out, as steps do not heed it, but is {given}. Leave it out; {instead}."
            )


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


def _silence_lightning() -> None:
    """Keep Lightning's advice on DataLoader workers and devices off the terminal: it does not apply here."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    ignored = (
        "does not have many workers",
        "LeafSpec",
        "Checkpoint directory .* exists and is not empty",
        "Total length of `list` across ranks is zero",
        "It is recommended to use `self.log",  # what is logged is of all ranks already
    )
    for message in ignored:
        warnings.filterwarnings("ignore", f".*{message}")
