"""Steps of MF and NeuMF at the size of MovieLens 20M: tables updated whole, and by their touched rows alone.

::

    python benchmarks/touched_rows.py --output benchmarks/results/touched_rows.md

Both sides take the default settings, the same 20 million synthetic interactions and the same steps, one after the
other in one process; the one difference is the optimiser, PyTorch's Adam or ours. The seconds are those of the
processor, so that what else the machine does counts little, over ``--steps`` steps after the first ``--warm-up``; an
epoch is that many times longer as it has steps.
"""

from __future__ import annotations

import argparse
import logging
import platform
import time
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from counted.training_steps import NUM_ITEMS, NUM_USERS, synthetic_interactions
from hydra.utils import instantiate
from results_file import write_results

from recsys.cli.configuration import compose_config
from recsys.data.interactions import Interactions
from recsys.training.lightning_training import LightningTraining
from recsys.training.module import STEPS_PER_CALL
from recsys.training.optimizers.adam import Adam

SIDES = {"all rows": torch.optim.Adam, "touched rows": Adam}


class Clock(pl.Callback):
    """Notes the processor's time before each call of ``training_step``, and after the last one."""

    def __init__(self) -> None:
        self.times: list[tuple[float, float]] = []

    def on_train_batch_start(self, *_: Any) -> None:
        """Note the time."""
        self.times.append((time.process_time(), time.perf_counter()))

    def on_train_end(self, *_: Any) -> None:
        """Note the time."""
        self.times.append((time.process_time(), time.perf_counter()))


def seconds_per_step(interactions: Interactions, model: str, side: str, warm_up: int, steps: int) -> list[float]:
    """The processor's and the wall's seconds of a step."""
    config = compose_config("train", overrides=[f"model={model}", "data=synthetic"])
    torch.manual_seed(0)
    network = instantiate(config.model)(num_users=NUM_USERS, num_items=NUM_ITEMS)
    optimizer = partial(SIDES[side], lr=config.training.optimizer.lr, fused=True)
    module = instantiate(config.training)(network=network, interactions=interactions, optimizer=optimizer)
    clock = Clock()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            accelerator="cpu",
            max_epochs=1,
            limit_train_batches=(warm_up + steps) // STEPS_PER_CALL,
            limit_val_batches=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[clock],
        )
        trainer.fit(LightningTraining(module))
    begin, end = clock.times[warm_up // STEPS_PER_CALL], clock.times[-1]
    return [(after - before) / steps for before, after in zip(begin, end, strict=True)]


def main() -> None:
    """Run both sides and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", type=int, default=20_000_000)
    parser.add_argument("--warm-up", type=int, default=160, help="steps; Adam updates tables whole in the first 128")
    parser.add_argument("--steps", type=int, default=96)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    arguments = parser.parse_args()
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    torch.set_num_threads(arguments.threads)
    interactions = synthetic_interactions(arguments.interactions)
    epoch = -(-arguments.interactions // 2048)
    lines = [
        f"{len(interactions):,} interactions, {NUM_USERS:,} users, {NUM_ITEMS:,} items, batches of 2,048 positives "
        f"with 4 negatives each, {epoch:,} steps an epoch; {arguments.steps} steps measured after {arguments.warm_up}, "
        f"{arguments.threads} thread, {platform.machine()}, torch {torch.__version__}.",
        "",
        "| | a step, processor (ms) | a step, wall (ms) | an epoch, processor (s) |",
        "|---|---|---|---|",
    ]
    for model in ("mf", "neumf"):
        for side in SIDES:
            processor, wall = seconds_per_step(interactions, model, side, arguments.warm_up, arguments.steps)
            lines.append(f"| {model}, {side} | {1e3 * processor:.1f} | {1e3 * wall:.1f} | {epoch * processor:.0f} |")
            print(lines[-1], flush=True)
    text = "\n".join([*lines, ""])
    print(text)
    write_results(text, arguments.output)


if __name__ == "__main__":
    main()
