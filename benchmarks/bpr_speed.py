"""BPR by plain gradient descent beside implicit: the processor's seconds of an epoch, and quality after as many.

::

    python -m venv peer && peer/bin/pip install implicit==0.7.3 'numpy<2'
    python benchmarks/bpr_speed.py peer/bin/python --interactions train.parquet test.parquet \
        --user user --item item --output benchmarks/results/bpr_speed.md

Both sides take the same 80 % of the interactions, vectors of 64 dimensions, the same number of epochs and one thread.
The learning rate of each is its best on validation. Seconds are those of the processor, so that what else the
machine does counts little.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from recbole_speed import interactions_of, read
from results_file import write_results
from torch import Tensor, nn

from recsys.data.interactions import Interactions
from recsys.data.splitting.random_ratio import RandomRatio
from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.interface.protocols import Query
from recsys.models.mf import MF
from recsys.training.fitting import fit
from recsys.training.losses import BPRLoss
from recsys.training.negatives import UniformNegatives
from recsys.training.optimizers.sgd import SGD
from recsys.training.sampled_negatives import SampledNegativesModule

DIM, BATCH = 64, 2048
#: The step of a mean over a batch is as many times smaller than that of single pairs as the batch has pairs.
OUR_RATES = (25.0, 50.0, 100.0, 200.0)
THEIR_RATES = (0.0125, 0.025, 0.05, 0.1)


@dataclass
class Trained:
    """A model with what an epoch of its training took."""

    model: nn.Module
    epoch: float


class Factors(nn.Module):
    """What implicit has learnt, for our evaluation."""

    def __init__(self, users: Tensor, items: Tensor) -> None:
        super().__init__()
        self.users, self.items = users, items

    def score(self, query: Query) -> Tensor:
        """Inner products with the whole catalogue."""
        return self.users[query.users] @ self.items.T


class Clock(pl.Callback):
    """Notes the processor's seconds of each epoch."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def on_train_epoch_start(self, *_: Any) -> None:
        """Begin."""
        self._started = time.process_time()

    def on_train_epoch_end(self, *_: Any) -> None:
        """End."""
        self.seconds.append(time.process_time() - self._started)


def ours(train: Interactions, rate: float, epochs: int, fused: bool = True) -> Trained:
    """Train with recsys; the epoch is the median, as the first one loads compiled loops."""
    torch.manual_seed(42)
    network = MF(train.num_users, train.num_items, embedding_dim=DIM, biases=False)
    module = SampledNegativesModule(
        network, train, BATCH, partial(SGD, lr=rate), UniformNegatives(1), BPRLoss(), l2=0.005, seed=42
    )
    if not fused:
        module._fused = None
    clock = Clock()

    def trainer(callbacks: list[pl.Callback], **options: Any) -> pl.Trainer:
        return pl.Trainer(max_epochs=epochs, accelerator="cpu", callbacks=[*callbacks, clock], **options)

    with tempfile.TemporaryDirectory() as directory:
        fit(module, trainer, Path(directory), monitor=None)
    return Trained(network.eval(), statistics.median(clock.seconds))


def theirs(train: Interactions, rate: float, epochs: int, python: Path) -> Trained:
    """Train with implicit, in its own environment."""
    with tempfile.TemporaryDirectory() as directory:
        path, factors = Path(directory) / "pairs.npz", Path(directory) / "factors.npz"
        np.savez(path, users=train.user_index, items=train.item_index, sizes=(train.num_users, train.num_items))
        settings = {"factors": DIM, "learning_rate": rate, "iterations": epochs, "random_state": 42}
        process = subprocess.run(
            [python.absolute(), Path(__file__).with_name("peer_implicit_bpr.py").absolute()],
            input=json.dumps({"path": str(path), "factors": str(factors), "settings": settings}),
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        if process.returncode != 0:
            raise SystemExit(f"implicit failed:\n{process.stderr[-3000:]}")
        learnt = np.load(factors)
        model = Factors(torch.from_numpy(learnt["users"]), torch.from_numpy(learnt["items"]))
    return Trained(model, json.loads(process.stdout.strip().splitlines()[-1])["epoch"])


def main() -> None:
    """Try all learning rates and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", type=Path, help="Python interpreter of the environment with implicit")
    parser.add_argument("--interactions", type=Path, nargs="+", required=True, help="Parquet files with the pairs")
    parser.add_argument("--user", default="user_id", help="column of user ids")
    parser.add_argument("--item", default="item_id", help="column of item ids")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    interactions = interactions_of(read(arguments.interactions, arguments.user, arguments.item))
    split = RandomRatio(test_ratio=0.1, valid_ratio=0.1, seed=42, rounding="down").split(interactions)
    train = interactions.take(split.train)
    evaluator = RankingEvaluator(ks=(10,))
    tasks = {part: RankingTask.from_split(interactions, split, part) for part in ("valid", "test")}

    def ndcg(trained: Trained, part: str) -> float:
        return float(evaluator.evaluate(trained.model, tasks[part]).means()["ndcg@10"])

    sides: dict[str, tuple[Any, tuple[float, ...]]] = {
        "recsys": (partial(ours, train, epochs=arguments.epochs), OUR_RATES),
        "implicit 0.7.3": (partial(theirs, train, epochs=arguments.epochs, python=arguments.peer), THEIR_RATES),
    }
    rows, tried = [], []
    for name, (train_one, rates) in sides.items():
        runs = {rate: train_one(rate=rate) for rate in rates}
        valid = {rate: ndcg(trained, "valid") for rate, trained in runs.items()}
        best = max(valid, key=lambda rate: valid[rate])
        epoch = min(trained.epoch for trained in runs.values())
        rows.append(f"| {name} | {epoch:.2f} | {best:g} | {valid[best]:.4f} | {ndcg(runs[best], 'test'):.4f} |")
        tried.append(f"{name}: " + ", ".join(f"{rate:g} {value:.4f}" for rate, value in valid.items()))
    plain = min(ours(train, OUR_RATES[0], 3, fused=False).epoch for _ in range(2))
    text = "\n".join(
        [
            f"{len(train):,} interactions for training, {train.num_users:,} users, {train.num_items:,} items; "
            f"{arguments.epochs} epochs, one thread each, {platform.machine()}, torch {torch.__version__}. Seconds: "
            "those of the processor for an epoch, the fewest of the runs with each learning rate.",
            "",
            "| | epoch, s | learning rate | validation NDCG@10 | test NDCG@10 |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"An epoch of recsys by operators of PyTorch, without the fused pass: {plain:.2f} s.",
            "",
            "NDCG@10 on validation by learning rate. " + ". ".join(tried) + ".",
            "",
        ]
    )
    print(text)
    write_results(text, arguments.output)


if __name__ == "__main__":
    main()
