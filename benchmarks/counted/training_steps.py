"""Counts the steps of a training at its default settings, with tables of the size of MovieLens 20M."""

from __future__ import annotations

import logging
import math
import warnings
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from hydra.utils import instantiate

from counted.operators import CountOperators, OperatorCount
from recsys.cli.configuration import compose_config
from recsys.data.interactions import Interactions
from recsys.training.lightning_training import LightningTraining
from recsys.training.module import STEPS_PER_CALL, RecommenderModule

#: Users and items of MovieLens 20M.
NUM_USERS, NUM_ITEMS = 138_493, 26_744

#: Calls of ``training_step`` that a training makes, the last of which is counted.
CALLS = 6


def count_steps(*overrides: str) -> OperatorCount:
    """What ``STEPS_PER_CALL`` steps of the optimiser do, in the sixth call of a training.

    The steps before them are others: optimisers make their state, and Adam updates tables whole at first.

    Args:
        *overrides: of ``scripts/train.py``, such as ``model=mf``.
    """
    config = compose_config("train", overrides=[*overrides, "data=synthetic"])
    torch.manual_seed(0)
    network = instantiate(config.model)(num_users=NUM_USERS, num_items=NUM_ITEMS)
    batch_size = config.training.batch_size
    interactions = synthetic_interactions((CALLS + 1) * STEPS_PER_CALL * batch_size)
    module = instantiate(config.training)(network=network, interactions=interactions)
    return counted_call(module)


def synthetic_interactions(count: int) -> Interactions:
    """Interactions of random users with items by Zipf's law, with seed 0.

    Args:
        count: how many.
    """
    random = np.random.default_rng(0)
    popularity = 1 / np.arange(1, NUM_ITEMS + 1)
    return Interactions(
        random.integers(NUM_USERS, size=count, dtype=np.int32),
        random.choice(NUM_ITEMS, size=count, p=popularity / popularity.sum()).astype(np.int32),
        None,
        np.arange(count, dtype=np.int64),
        None,
        NUM_USERS,
        NUM_ITEMS,
    )


def counted_call(module: RecommenderModule, calls: int = CALLS) -> OperatorCount:
    """What ``STEPS_PER_CALL`` steps of a training do, in its last call.

    Args:
        module: what is trained; its epoch has at least ``calls`` whole calls.
        calls: of ``training_step``, the last of which is counted.
    """
    counting = _CountLastCall(calls)
    train_epoch(module, counting, calls)
    assert counting.counted.count.kernels > 0, "the epoch has fewer calls"
    return counting.counted.count


def train_epoch(module: RecommenderModule, callback: pl.Callback, calls: int | None = None) -> None:
    """Train for an epoch on the CPU; nothing is validated, kept or printed.

    Args:
        module: what is trained.
        callback: hears of each call of ``training_step``.
        calls: of ``training_step`` after which the epoch ends; None: all.
    """
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            accelerator="cpu",
            max_epochs=1,
            limit_train_batches=calls,
            limit_val_batches=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[callback],
        )
        trainer.fit(LightningTraining(module))


class _CountLastCall(pl.Callback):
    """Counts the last call of ``training_step``."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.counted = CountOperators()

    def on_train_batch_start(self, trainer: Any, training: Any, batch: Any, batch_idx: int) -> None:
        """Begin to count."""
        if batch_idx == self.calls - 1:
            self.counted.__enter__()

    def on_train_batch_end(self, trainer: Any, training: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Stop counting."""
        if batch_idx == self.calls - 1:
            self.counted.__exit__(None, None, None)


def bytes_per_step(model: str) -> int:
    """Bytes that the operators of one step read and write."""
    return math.ceil(count_steps(f"model={model}").bytes / STEPS_PER_CALL)
