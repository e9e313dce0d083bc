"""The two-tower's training by batch size: steps and targets a second, peak memory, and the time of an epoch.

::

    python benchmarks/two_tower_speed.py --data ncf --root DIR --output benchmarks/results/two_tower_speed.md

Each row is a process of its own, so that peaks of memory do not mix. Further arguments are overrides of
``scripts/train.py``: ``model/encoder=mean``.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from results_file import write_results

from recsys.cli.configuration import compose_config
from recsys.runs.assembly import build_data, build_model, build_split, build_view
from recsys.training.fitting import fit

CONFIGS = Path(__file__).parents[1] / "configs"


class Stopwatch(pl.Callback):
    """Counts the steps of an epoch and stops after some time, at the end of a call."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.steps = 0
        self.rows = 0
        self.elapsed = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the watch."""
        self.started = time.perf_counter()

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        """Count what was done, and stop when the time is over."""
        self.steps += -(-len(batch) // pl_module.module.batch_size)
        self.rows += len(batch)
        self.elapsed = time.perf_counter() - self.started
        trainer.should_stop = trainer.should_stop or self.elapsed > self.seconds
        if trainer.should_stop:
            raise StopIteration  # Lightning takes it as the end of the epoch


def measure(overrides: list[str], seconds: float) -> dict[str, float]:
    """Train for a while with the settings of ``overrides``."""
    settings = ["model=two_tower", "training=next_item", "training/optimizer=adamw", "name=speed"]
    config = compose_config("train", overrides=[*settings, *overrides])
    prepared = build_data(config)
    model = build_model(config.model, config.seed, prepared)
    view = build_view(config, prepared, model)
    train = view.training_interactions(build_split(config, view.interactions).train, False)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    module = instantiate(config.training)(network=model, interactions=train, validation=None)
    watch = Stopwatch(seconds)

    def trainer(callbacks: list[pl.Callback], **options: object) -> pl.Trainer:
        return pl.Trainer(max_epochs=1, accelerator="auto", devices=1, callbacks=[*callbacks, watch], **options)

    with tempfile.TemporaryDirectory() as directory:
        fit(module, partial(trainer), Path(directory), monitor=None)
    num_windows = module.num_windows
    return {
        "steps": watch.steps,
        "seconds": watch.elapsed,
        "epoch": watch.elapsed * num_windows / watch.rows,
        "targets": len(train) * watch.rows / num_windows / watch.elapsed,
        "peak": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "device_peak": torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else 0.0,
    }


def main() -> None:
    """Measure each batch size in a process of its own and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="movielens_100k", help="choice of the group data")
    parser.add_argument("--root", help="data.root")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[32, 64, 128, 256])
    parser.add_argument("--seconds", type=float, default=30.0, help="of training for each row, about")
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments, overrides = parser.parse_known_args()
    settings = [f"data={arguments.data}", *([f"data.root={arguments.root}"] if arguments.root else []), *overrides]
    if arguments.one:
        print(json.dumps(measure([*settings, f"training.batch_size={arguments.batch_sizes[0]}"], arguments.seconds)))
        return
    lines = [
        f"`{' '.join(['two_tower', *overrides])}` on {arguments.data}; {torch.get_num_threads()} threads, "
        f"{platform.machine()}, torch {torch.__version__}.",
        "",
        "| histories of a step | steps a second | targets a second | an epoch, s | peak memory beyond the data, MiB |",
        "|---|---|---|---|---|",
    ]
    for size in arguments.batch_sizes:
        command = [sys.executable, __file__, "--one", "--batch-sizes", str(size), "--seconds", str(arguments.seconds)]
        command += ["--data", arguments.data, *(["--root", arguments.root] if arguments.root else []), *overrides]
        process = subprocess.run(command, capture_output=True, text=True)
        if process.returncode != 0:
            raise SystemExit(process.stderr[-3000:])
        row = json.loads(process.stdout.strip().splitlines()[-1])
        peak = row["device_peak"] or row["peak"]
        speed = f"{row['steps'] / row['seconds']:.1f} | {row['targets']:,.0f} | {row['epoch']:.0f}"
        lines.append(f"| {size} | {speed} | {peak:,.0f} |")
        print(lines[-1], file=sys.stderr, flush=True)
    text = "\n".join([*lines, ""])
    print(text)
    write_results(text, arguments.output)


if __name__ == "__main__":
    main()
