"""Alternating least squares beside implicit: seconds of an iteration and of a whole fit, and quality, in one run.

::

    python -m venv peer && peer/bin/pip install implicit==0.7.3 threadpoolctl 'numpy<2'
    python benchmarks/implicit_speed.py peer/bin/python --root DIR --output benchmarks/results/implicit_speed.md

DIR has the files of the NCF protocol. Both sides fit the same rows with 64 dimensions, 15 iterations and the same
number of threads, one after the other, ``--repeats`` times in turn, each time with another seed. The seconds are the
fewest of all repeats, so that what else the machine does counts little; the quality is the mean. ``--cholesky`` adds
the exact solvers, which take longer and run once. The settings of both sides were chosen on validation; ``--validate``
shows its numbers: one training interaction of each user is held out, and the test is not read.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from results_file import write_results
from torch import Tensor

from recsys.cli.configuration import compose_config
from recsys.data.feedback_view import FeedbackView
from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.evaluation.fixed_negatives import evaluate_fixed_negatives
from recsys.evaluation.model_report import fixed_pairs
from recsys.models.ials import IALS
from recsys.models.interface.protocols import ScoresPairs, ScoringModel
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.least_squares import Cholesky, ConjugateGradient, LeastSquaresSolver, RowSolver
from recsys.runs.assembly import build_data, build_split
from recsys.studies.tuning.validation import among_sampled_negatives

CONFIGS = Path(__file__).parents[1] / "configs"
DIM, ITERATIONS = 64, 15
#: Settings of both sides, the best on validation. implicit weighs an interaction ``alpha`` times and a pair without one
#: once; its penalty is the same for all users and items.
OURS = {"unobserved_weight": 0.15, "l2": 0.007}
THEIRS = {"alpha": 8.0, "regularization": 60.0}


@dataclass
class Noting(LeastSquaresSolver):
    """A solver that notes when each of its solves begins: two in every iteration."""

    solver: LeastSquaresSolver
    begins: list[float] = field(default_factory=list)

    def prepare(self, matrix: InteractionMatrix, dim: int) -> RowSolver:
        """Prepare the inner solver."""
        return NotingRows(self.solver.prepare(matrix, dim), self.begins)

    def iterations(self) -> list[float]:
        """The seconds of each iteration but the last."""
        return np.diff(self.begins[::2]).tolist()


@dataclass
class NotingRows:
    """The rows of :class:`Noting`."""

    rows: RowSolver
    begins: list[float]

    def __call__(self, vectors: Tensor, penalty: Tensor, start: Tensor) -> Tensor:
        """Note the time and solve."""
        self.begins.append(time.perf_counter())
        return self.rows(vectors, penalty, start)


@dataclass
class Factors:
    """What implicit has learnt, for our evaluation."""

    users: Tensor
    items: Tensor

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        """Inner products."""
        return (self.users[users] * self.items[items]).sum(-1)


@dataclass
class Side:
    """What the repeats of one side have shown so far."""

    name: str
    solver: LeastSquaresSolver | None
    settings: dict[str, Any] = field(default_factory=dict)
    iterations: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    quality: list[list[float]] = field(default_factory=list)

    def run_ours(self, train: Interactions, seed: int) -> ScoresPairs | ScoringModel:
        """Fit with recsys."""
        assert self.solver is not None
        noting = Noting(self.solver)
        model = IALS(train.num_users, train.num_items, DIM, ITERATIONS, solver=noting, seed=seed, **OURS)
        started = time.perf_counter()
        model.fit(train)
        self.whole.append(time.perf_counter() - started)
        self.iterations += noting.iterations()
        return model

    def run_theirs(self, train: Interactions, seed: int, python: Path, threads: int) -> ScoresPairs:
        """Fit with implicit, in its own environment."""
        with tempfile.TemporaryDirectory() as directory:
            path, factors = Path(directory) / "pairs.npz", Path(directory) / "factors.npz"
            sizes = (train.num_users, train.num_items)
            np.savez(path, users=train.user_index, items=train.item_index, sizes=sizes)
            settings = {"factors": DIM, "iterations": ITERATIONS, "random_state": seed, **THEIRS, **self.settings}
            request = {"path": str(path), "factors": str(factors), "threads": threads, "settings": settings}
            process = subprocess.run(
                [python.absolute(), Path(__file__).with_name("peer_implicit.py").absolute()],
                input=json.dumps(request),
                capture_output=True,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1"},
            )
            if process.returncode != 0:
                raise SystemExit(f"implicit failed:\n{process.stderr[-3000:]}")
            report = json.loads(process.stdout.strip().splitlines()[-1])
            learnt = np.load(factors)
            model = Factors(torch.from_numpy(learnt["users"]), torch.from_numpy(learnt["items"]))
        self.iterations += report["iterations"]
        self.whole.append(report["whole"])
        return model


def main() -> None:
    """Run both sides in turn and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", type=Path, help="Python interpreter of the environment with implicit")
    parser.add_argument("--root", required=True, help="directory with the files of the NCF protocol")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cholesky", action="store_true", help="run the exact solvers as well")
    parser.add_argument("--validate", action="store_true", help="measure the quality on validation, not on the test")
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = compose_config("train", overrides=["experiment=ncf_ials", f"data.root={arguments.root}", "name=ncf"])
    prepared = build_data(config)
    view = FeedbackView.implicit(prepared)
    split = build_split(config, view.interactions)
    if arguments.validate:
        view, split, held_out = among_sampled_negatives(view, split, seed=1)
        pairs = (held_out.users, held_out.targets, held_out.negatives)
    else:
        fixed = fixed_pairs(prepared, view.interactions, split, torch.device("cpu"))
        assert fixed is not None, "the files of the protocol have negatives"
        pairs = fixed
    train = view.interactions.take(split.train)
    histories = Histories.from_interactions(train)
    sides = [
        Side("recsys, one step of conjugate gradients", ConjugateGradient(1)),
        Side("recsys, two steps", ConjugateGradient(2)),
        Side("implicit, three steps (its default)", None, {"use_cg": True}),
    ]
    exact = [Side("recsys, Cholesky", Cholesky()), Side("implicit, Cholesky", None, {"use_cg": False})]
    for seed in range(arguments.repeats):
        for side in [*sides, *(exact if arguments.cholesky and seed == 0 else [])]:
            if side.solver is None:
                model: Any = side.run_theirs(train, seed, arguments.peer, arguments.threads)
            else:
                model = side.run_ours(train, seed)
            numbers = evaluate_fixed_negatives(model, *pairs, histories=histories, bootstrap_samples=0).means()
            side.quality.append([numbers["hit_rate@10"], numbers["ndcg@10"]])
    lines = [
        f"{len(train):,} interactions, {train.num_users:,} users, {train.num_items:,} items; {DIM} dimensions, "
        f"{ITERATIONS} iterations; {arguments.threads} threads, {platform.machine()}, torch {torch.__version__}, "
        f"implicit 0.7.3, Python {platform.python_version()}. Seconds: the fewest of {arguments.repeats} repeats in "
        "turn, of one for Cholesky. HR@10 and NDCG@10: mean and standard deviation over the repeats, "
        f"{'validation' if arguments.validate else 'test'} of the NCF protocol.",
        "",
        "| | an iteration | ratio to implicit's default | whole fit | HR@10 | NDCG@10 |",
        "|---|---|---|---|---|---|",
    ]
    base = min(sides[-1].iterations)
    for side in [*sides, *(exact if arguments.cholesky else [])]:
        seconds, (means, spreads) = min(side.iterations), (np.mean(side.quality, 0), np.std(side.quality, 0))
        quality = " | ".join(f"{mean:.4f} ± {spread:.4f}" for mean, spread in zip(means, spreads, strict=True))
        lines.append(f"| {side.name} | {seconds:.3f} | {seconds / base:.2f} | {min(side.whole):.2f} | {quality} |")
    text = "\n".join([*lines, ""])
    print(text)
    write_results(text, arguments.output)


if __name__ == "__main__":
    main()
