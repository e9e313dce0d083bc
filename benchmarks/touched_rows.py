"""Steps of MF and NeuMF at the size of MovieLens 20M: tables updated whole, and by their touched rows alone.

::

    python benchmarks/touched_rows.py --output benchmarks/results/touched_rows.md

All sides take the default settings, the same synthetic interactions and the same steps, one after the other in one
process: PyTorch's Adam, ours by operators of PyTorch, and ours with the compiled passes of the extra ``fast``. Adam
begins in the middle of a training, as it updates tables whole in the first 128 steps. The seconds are those of the
processor, so that what else the machine does counts little, over ``--steps`` steps after the first ``--warm-up``; an
epoch of 20 million interactions is as many times longer as it has steps.
"""

from __future__ import annotations

import argparse
import platform
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from counted.training_steps import NUM_ITEMS, NUM_USERS, synthetic_interactions, train_epoch
from hydra.utils import instantiate
from results_file import write_results

from recsys.cli.configuration import compose_config
from recsys.data.interactions import Interactions
from recsys.training.module import STEPS_PER_CALL
from recsys.training.optimizers.adam import Adam

#: The optimiser, and whether loss and gradients are computed in one pass.
SIDES: dict[str, tuple[type[torch.optim.Adam], bool]] = {
    "all rows": (torch.optim.Adam, False),
    "touched rows": (Adam, False),
    "touched rows, one pass": (Adam, True),
}

#: Of MovieLens 20M.
EPOCH_INTERACTIONS = 20_000_000

#: Positives of a step, by default.
_BATCH_SIZE = 2048

#: Steps that Adam has behind it.
BEGUN = 500


def begun(optimizer_class: type[torch.optim.Adam], lr: float, parameters: Any) -> torch.optim.Adam:
    """An optimiser in the middle of a training."""
    optimizer = optimizer_class(parameters, lr=lr, fused=True)
    for parameter in optimizer.param_groups[0]["params"]:
        optimizer.state[parameter] = {
            "step": torch.tensor(float(BEGUN)),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.full_like(parameter, 1e-8),
        }
    return optimizer


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
    optimizer_class, fused = SIDES[side]
    optimizer = partial(begun, optimizer_class, config.training.optimizer.lr)
    module = instantiate(config.training)(network=network, interactions=interactions, optimizer=optimizer)
    if not fused:
        module._fused = None
    clock = Clock()
    train_epoch(module, clock, (warm_up + steps) // STEPS_PER_CALL)
    begin, end = clock.times[warm_up // STEPS_PER_CALL], clock.times[-1]
    return [(after - before) / steps for before, after in zip(begin, end, strict=True)]


def main() -> None:
    """Run both sides and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", type=int, default=1_000_000)
    parser.add_argument("--warm-up", type=int, default=32, help="steps")
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    arguments = parser.parse_args()
    if arguments.warm_up % STEPS_PER_CALL or arguments.steps % STEPS_PER_CALL or arguments.steps < STEPS_PER_CALL:
        parser.error(f"--warm-up and --steps must be multiples of the {STEPS_PER_CALL} steps that are taken at once")
    if arguments.interactions < (needed := _BATCH_SIZE * (arguments.warm_up + arguments.steps)):
        parser.error(f"--interactions must be at least {needed:,} for so many steps")
    torch.set_num_threads(arguments.threads)
    interactions = synthetic_interactions(arguments.interactions)
    epoch = -(-EPOCH_INTERACTIONS // _BATCH_SIZE)
    lines = [
        f"{len(interactions):,} interactions, {NUM_USERS:,} users, {NUM_ITEMS:,} items, batches of {_BATCH_SIZE:,} "
        f"positives with 4 negatives each, {epoch:,} steps an epoch of {EPOCH_INTERACTIONS:,}; {arguments.steps} steps "
        f"measured after {arguments.warm_up}, {arguments.threads} thread, "
        f"{platform.machine()}, torch {torch.__version__}.",
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
