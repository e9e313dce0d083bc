"""NeuMF and BPR-MF beside RecBole: seconds of an epoch and of a full-catalogue evaluation, and quality after as many.

::

    python -m venv peer && peer/bin/pip install torch==2.13.0 recbole==1.2.1 'setuptools<80' 'numpy<2' 'pandas<3'
    python benchmarks/recbole_speed.py peer/bin/python --interactions train.parquet test.parquet \
        --user user --item item --output benchmarks/results/recbole_speed.md

Both sides take the same random 8:1:1 split by user (RecBole reads its parts from files), vectors of 64 dimensions,
those of MF with the same initialisation, the same batch (rows of a step: a positive and its negative are two), the same
epochs and the same number of threads, and mask what is known of a user when they rank. Each model of each side has a
process of its own, the sides in turn, ``--rounds`` times, each round with a seed of its own for the split and for both
trainings. The ratio is that of the processor's seconds, so that what else the machine does counts little; those of two
threads are added up. Ours is the training of ``scripts/train.py``: our optimiser, and the passes of the extra ``fast``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytorch_lightning as pl
import torch
from results_file import write_results

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.data.splitting.random_ratio import RandomRatio
from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.mf import MF
from recsys.models.neumf import NeuMF
from recsys.training.fitting import fit
from recsys.training.losses import BPRLoss, LogisticLoss
from recsys.training.negatives import UniformNegatives
from recsys.training.optimizers.adam import Adam
from recsys.training.sampled_negatives import SampledNegativesModule

BATCH_ROWS = 2048
#: Epochs of each model.
EPOCHS = {"BPR": 5, "NeuMF": 3}
#: Parts of a split.
PARTS = ("train", "valid", "test")
#: What quality is measured by, in the names of both sides.
METRICS = ("ndcg@10", "recall@10")


def read(paths: list[Path], user: str, item: str) -> pa.Table:
    """The pairs of all files, as strings."""
    tables = [pq.read_table(path, columns=[user, item]).rename_columns(["user_id", "item_id"]) for path in paths]
    return pa.concat_tables([table.cast(pa.schema({"user_id": "string", "item_id": "string"})) for table in tables])


def interactions_of(table: pa.Table) -> Interactions:
    """The pairs with internal indices."""
    users, items = (pc.dictionary_encode(table[name].combine_chunks()) for name in ("user_id", "item_id"))
    return Interactions(
        users.indices.to_numpy().astype("int32"),
        items.indices.to_numpy().astype("int32"),
        None,
        None,
        None,
        len(users.dictionary),
        len(items.dictionary),
    )


class Clock(pl.Callback):
    """Notes the seconds of the processor and of the wall of each epoch."""

    def __init__(self) -> None:
        self.seconds: list[tuple[float, float]] = []

    def on_train_epoch_start(self, *_: Any) -> None:
        """Begin."""
        self._before = now()

    def on_train_epoch_end(self, *_: Any) -> None:
        """End."""
        self.seconds.append(since(self._before))


def now() -> tuple[float, float]:
    """The processor's time and the wall's."""
    return time.process_time(), time.perf_counter()


def since(before: tuple[float, float]) -> tuple[float, float]:
    """Seconds of the processor and of the wall since then."""
    processor, wall = now()
    return processor - before[0], wall - before[1]


def ours(
    interactions: Interactions, split: Split, seed: int, model: str, epochs: int, threads: int, precision: str
) -> dict[str, Any]:
    """Train and evaluate with recsys."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    sizes = (interactions.num_users, interactions.num_items)
    if model == "NeuMF":
        network: torch.nn.Module = NeuMF(*sizes, embedding_dim=64, hidden_dims=(128, 64), dropout=0.1, init_std=0.01)
        loss: torch.nn.Module = LogisticLoss()
        positives = BATCH_ROWS // 2  # as RecBole counts a batch for a point-wise loss
    else:
        network, loss, positives = MF(*sizes, embedding_dim=64, biases=False), BPRLoss(), BATCH_ROWS
        for table in (network.user_vectors, network.item_vectors):
            torch.nn.init.xavier_normal_(table.weight)  # as RecBole begins
    module = SampledNegativesModule(
        network,
        interactions.take(split.train),
        batch_size=positives,
        optimizer=partial(Adam, lr=1e-3, fused=True),
        negative_sampler=UniformNegatives(1),
        loss=loss,
        seed=seed,
    )
    clock = Clock()

    def trainer(callbacks: list[pl.Callback], **options: Any) -> pl.Trainer:
        callbacks = [clock, *callbacks]
        options = {**options, "precision": precision, "accelerator": "cpu", "devices": 1}
        return pl.Trainer(max_epochs=epochs, callbacks=callbacks, **options)

    with tempfile.TemporaryDirectory() as directory:
        fit(module, trainer, Path(directory), monitor=None)
    evaluator = RankingEvaluator(ks=(10,))
    seconds, means = [], {}
    for part in ("valid", "test"):
        task = RankingTask.from_split(interactions, split, part)
        before = now()
        result = evaluator.evaluate(network.eval(), task)
        seconds.append(since(before))
        means[part] = result.means()
    return {"training": clock.seconds, "evaluating": seconds, **means}


def theirs(
    python: Path, table: pa.Table, split: Split, seed: int, model: str, epochs: int, threads: int
) -> dict[str, Any]:
    """Train and evaluate with RecBole, in its own environment."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory) / "pairs"
        folder.mkdir()
        named = table.rename_columns(["user_id:token", "item_id:token"])
        for part in PARTS:
            rows = named.take(getattr(split, part))
            rows.to_pandas().to_csv(folder / f"pairs.{part}.inter", sep="\t", index=False)
        settings = {"mf_embedding_size": 64, "mlp_embedding_size": 64, "mlp_hidden_size": [128, 64]}
        request = {
            "model": model,
            "dataset": "pairs",
            "data_path": directory,
            "parts": PARTS,
            "seed": seed,
            "epochs": epochs,
            "threads": threads,
            "batch_size": BATCH_ROWS,
            "settings": settings if model == "NeuMF" else {"embedding_size": 64},
        }
        process = subprocess.run(
            [python.absolute(), Path(__file__).with_name("peer_recbole.py").absolute()],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            cwd=directory,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        )
    if process.returncode != 0:
        raise SystemExit(f"RecBole failed:\n{process.stderr[-3000:]}")
    report: dict[str, Any] = json.loads(process.stdout.strip().splitlines()[-1])
    return report


Reports = list[dict[str, Any]]


def _seconds(reports: Reports, part: str, of: int) -> float:
    """The median epoch of the median round, or the best evaluation; ``of`` the processor or the wall."""
    summary = statistics.median if part == "training" else min
    return statistics.median(summary(seconds[of] for seconds in report[part]) for report in reports)


def speed_row(model: str, part: str, own: Reports, peer: Reports) -> str:
    """A row of the table of seconds."""
    name = "training epoch" if part == "training" else "full-catalogue evaluation"
    (a, of_a), (b, of_b) = ([_seconds(side, part, of) for of in (0, 1)] for side in (own, peer))
    rounds = [_seconds([theirs], part, 0) / _seconds([ours], part, 0) for ours, theirs in zip(own, peer, strict=True)]
    ratio = f"{b / a:.1f} | {min(rounds):.1f} to {max(rounds):.1f}"
    return f"| {model}, one {name} | {a:.2f} ({of_a:.2f}) | {b:.2f} ({of_b:.2f}) | {ratio} |"


def quality_row(model: str, part: str, metric: str, own: Reports, peer: Reports) -> str:
    """A row of the table of quality: means and deviations over the rounds, and of the differences in each round."""
    a, b = ([report[part][metric] for report in side] for side in (own, peer))
    differences = [ours - theirs for ours, theirs in zip(a, b, strict=True)]
    cells = [spread(a), spread(b), spread(differences, "+.4f")]
    return f"| {model}, {part}, {metric} | {' | '.join(cells)} | {sum(d >= 0 for d in differences)} of {len(a)} |"


def spread(values: list[float], form: str = ".4f") -> str:
    """The mean, and the standard deviation where there are several."""
    deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):{form}}{deviation}"


def main() -> None:
    """Run both sides and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", type=Path, help="Python interpreter of the environment with RecBole")
    parser.add_argument("--interactions", type=Path, nargs="+", required=True, help="Parquet files with the pairs")
    parser.add_argument("--user", default="user_id", help="column of user ids")
    parser.add_argument("--item", default="item_id", help="column of item ids")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=1, help="each with a seed of its own")
    parser.add_argument("--models", nargs="+", choices=list(EPOCHS), default=list(EPOCHS))
    parser.add_argument("--precision", default="32-true", help="of our side, as trainer.precision")
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    arguments = parser.parse_args()
    table = read(arguments.interactions, arguments.user, arguments.item)
    interactions = interactions_of(table)
    spawn = multiprocessing.get_context("spawn")
    own: dict[str, Reports] = {model: [] for model in arguments.models}
    peer: dict[str, Reports] = {model: [] for model in arguments.models}
    for seed in range(42, 42 + arguments.rounds):
        split = RandomRatio(test_ratio=0.1, valid_ratio=0.1, seed=seed, rounding="down").split(interactions)
        for model in arguments.models:
            settings = (split, seed, model, EPOCHS[model], arguments.threads)
            peer[model].append(theirs(arguments.peer, table, *settings))
            with ProcessPoolExecutor(1, spawn) as process:
                own[model].append(process.submit(ours, interactions, *settings, arguments.precision).result())
            of_round = own[model][-1:], peer[model][-1:]
            print(
                speed_row(model, "training", *of_round), quality_row(model, "test", METRICS[0], *of_round), flush=True
            )
    epochs = ", ".join(f"{model} {EPOCHS[model]}" for model in arguments.models)
    text = "\n".join(
        [
            f"{len(interactions):,} interactions, {len(split.train):,} for training, {interactions.num_users:,} users, "
            f"{interactions.num_items:,} items; {arguments.threads} threads, {platform.machine()}, torch "
            f"{torch.__version__}, precision {arguments.precision}; {arguments.rounds} rounds. Seconds of the "
            "processor: the median epoch, and the best evaluation; in brackets those of the wall.",
            "",
            "| | recsys | RecBole 1.2.1 | ratio | of the rounds |",
            "|---|---|---|---|---|",
            *(
                speed_row(model, part, own[model], peer[model])
                for model in arguments.models
                for part in ("training", "evaluating")
            ),
            "",
            f"Quality after as many epochs ({epochs}):",
            "",
            "| | recsys | RecBole 1.2.1 | difference | ours not below |",
            "|---|---|---|---|---|",
            *(
                quality_row(model, part, metric, own[model], peer[model])
                for model in arguments.models
                for part in PARTS[1:]
                for metric in METRICS
            ),
            "",
        ]
    )
    print(text)
    write_results(text, arguments.output)


if __name__ == "__main__":
    main()
