"""How time and memory grow with users, items and interactions, on synthetic data.

::

    python benchmarks/scaling.py --output benchmarks/results/scaling.md

Each row is a process of its own, so that its peak memory is its own. Preparing goes from raw tables to the prepared
directory; the training epoch is MF with BPR and NeuMF with the logistic loss, 64 dimensions, one negative, batches of
65,536 positives; the evaluation ranks the full
catalogue for up to 20,000 users and is scaled to all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from results_file import write_results

from recsys.data.preparing import Preparation
from recsys.data.readers.synthetic import SyntheticReader
from recsys.data.splitting.leave_last_out import LeaveLastOut
from recsys.evaluation.ranked_batch import rank_users
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.mf import MF
from recsys.models.neumf import NeuMF
from recsys.training.fitting import fit
from recsys.training.losses import BPRLoss, LogisticLoss
from recsys.training.negatives import UniformNegatives
from recsys.training.sampled_negatives import SampledNegativesModule

BATCH = 65_536
EVALUATED_USERS = 20_000
EVALUATION_BATCH = 512
#: users, items, interactions: the middle size, then one of them at a time smaller and larger, then ML-20M's size.
SIZES = [
    (50_000, 20_000, 1_250_000),
    (50_000, 20_000, 5_000_000),
    (50_000, 20_000, 20_000_000),
    (12_500, 20_000, 5_000_000),
    (200_000, 20_000, 5_000_000),
    (50_000, 5_000, 5_000_000),
    (50_000, 80_000, 5_000_000),
    (138_493, 26_744, 20_000_000),
]


def peak_gib() -> float:
    """Peak resident memory of this process so far, GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measure(num_users: int, num_items: int, num_interactions: int) -> dict[str, float]:
    """Prepare, train and evaluate at one size."""
    report: dict[str, float] = {}
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as directory:
        started = time.perf_counter()
        reader = SyntheticReader(num_users, num_items, num_interactions)
        prepared = Preparation().prepare(reader, Path(directory) / "prepared")
        report["prepare"] = time.perf_counter() - started
        report["prepare_gib"] = peak_gib()
        interactions = prepared.positives()
        started = time.perf_counter()
        split = LeaveLastOut(num_test=1, num_valid=0).split(interactions)
        report["split"] = time.perf_counter() - started
        sizes = (interactions.num_users, interactions.num_items)
        train = interactions.take(split.train)
        mf = MF(*sizes, embedding_dim=64)
        report["mf_epoch"] = epoch_seconds(mf, train, BPRLoss(), Path(directory) / "mf")
        neumf = NeuMF(*sizes, embedding_dim=64, hidden_dims=(128, 64))
        report["neumf_epoch"] = epoch_seconds(neumf, train, LogisticLoss(), Path(directory) / "neumf")
    task = RankingTask.from_split(interactions, split, "test")
    users = task.users[:EVALUATED_USERS]
    for name, model, evaluated in (("mf", mf, users), ("neumf", neumf, users[:1024])):
        started = time.perf_counter()
        for batch in evaluated.split(EVALUATION_BATCH):
            rank_users(model.eval(), task, batch, 10)
        report[f"{name}_evaluation"] = (time.perf_counter() - started) * len(task.users) / len(evaluated)
    report["all_gib"] = peak_gib()
    return report


def epoch_seconds(network: torch.nn.Module, train: Any, loss: Any, directory: Path) -> float:
    """Seconds of the first training epoch."""
    module = SampledNegativesModule(
        network,
        train,
        batch_size=BATCH,
        optimizer=partial(torch.optim.Adam, lr=1e-3, fused=True),
        negative_sampler=UniformNegatives(1),
        loss=loss,
    )
    trainer = partial(pl.Trainer, max_epochs=1, accelerator="cpu", devices=1)
    return fit(module, trainer, directory, monitor=None).epochs[0]["train/seconds"]


def main() -> None:
    """Measure every size and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    parser.add_argument("--size", type=int, nargs=3, help="measure only this size and print JSON")
    arguments = parser.parse_args()
    if arguments.size:
        print(json.dumps(measure(*arguments.size)))
        return
    lines = [
        f"{os.cpu_count()} CPU cores, torch {torch.__version__}. Seconds, and GiB of peak resident memory.",
        "",
        "| users | items | interactions | prepare | peak | split | MF epoch | NeuMF epoch | MF evaluation "
        "| NeuMF evaluation | peak of all |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for size in SIZES:
        command = [sys.executable, __file__, "--size", *map(str, size)]
        process = subprocess.run(command, capture_output=True, text=True)
        if process.returncode != 0:
            raise SystemExit(f"{size} failed:\n{process.stderr[-3000:]}")
        row = json.loads(process.stdout.strip().splitlines()[-1])
        cells = [f"{value:,}" for value in size]
        cells += [f"{row['prepare']:.1f}", f"{row['prepare_gib']:.2f}", f"{row['split']:.2f}"]
        cells += [f"{row[name]:.1f}" for name in ("mf_epoch", "neumf_epoch", "mf_evaluation", "neumf_evaluation")]
        lines.append(f"| {' | '.join(cells)} | {row['all_gib']:.2f} |")
        print(lines[-1], flush=True)
    text = "\n".join([*lines, ""])
    print(text)
    write_results(text, arguments.output)


if __name__ == "__main__":
    main()
