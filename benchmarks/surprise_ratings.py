"""Models of ratings beside Surprise on the same five folds of MovieLens 100K: RMSE, MAE and seconds, in one run.

::

    python -m venv peer && peer/bin/pip install scikit-surprise==1.1.5 'numpy<2'
    python benchmarks/surprise_ratings.py peer/bin/python --output benchmarks/results/surprise_ratings.md

Both sides fit the same rows with the same number of threads, one process after the other, and each pair of models
alternates ``--repeats`` times; the seconds are those of fitting all folds, the fewest of the repeats. Our settings are
those of ``configs/model``, chosen on validation (docs/ratings.md); Surprise's are its own defaults, which its
documentation gives results for, and for its neighbourhoods the item-based baseline correlation.
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
from pathlib import Path
from typing import Any

import numpy as np
import torch
from results_file import write_results

from recsys.cli.configuration import compose_config
from recsys.data.prepared import PreparedDataset
from recsys.data.splitting.k_fold import KFold
from recsys.evaluation.rating import RatingEvaluator, RatingTask
from recsys.runs.assembly import build_data, build_model

CONFIGS = Path(__file__).parents[1] / "configs"
NUM_FOLDS = 5
NEIGHBOURS = {"sim_options": {"name": "pearson_baseline", "user_based": False}, "verbose": False}
#: Our model, Surprise's and its settings.
PAIRS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("bias", "BaselineOnly", {"verbose": False}),
    ("biased_mf", "SVD", {"random_state": 0}),
    ("svd_pp", "SVDpp", {"random_state": 0, "cache_ratings": True}),
    ("item_knn_ratings", "KNNBaseline", NEIGHBOURS),
)


def ours(prepared: PreparedDataset, name: str, seed: int) -> dict[str, Any]:
    """Fit and test on each fold with recsys."""
    config = compose_config("train", overrides=[f"model={name}", f"seed={seed}", "name=ratings"])
    report: dict[str, Any] = {"seconds": [], "rmse": [], "mae": []}
    for fold in range(NUM_FOLDS):
        split = KFold(NUM_FOLDS, fold, valid_ratio=0, seed=seed).split(prepared.interactions)
        model: Any = build_model(config.model, seed, prepared)
        train = prepared.interactions.take(split.train)
        started = time.perf_counter()
        model.fit(train)
        report["seconds"].append(time.perf_counter() - started)
        task = RatingTask.from_split(prepared.interactions, split, "test")
        result = RatingEvaluator(bootstrap_samples=0).evaluate(model.eval(), task)
        report["rmse"].append(result.rmse)
        report["mae"].append(result.mae)
    return report


def theirs(python: Path, path: Path, model: str, settings: dict[str, Any], threads: int) -> dict[str, Any]:
    """Fit and test on each fold with Surprise, in its own environment."""
    process = subprocess.run(
        [python.absolute(), Path(__file__).with_name("peer_surprise.py").absolute()],
        input=json.dumps({"path": str(path), "num_folds": NUM_FOLDS, "model": model, "settings": settings}),
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
    )
    if process.returncode != 0:
        raise SystemExit(f"Surprise failed:\n{process.stderr[-3000:]}")
    report: dict[str, Any] = json.loads(process.stdout.strip().splitlines()[-1])
    return report


def save_folds(prepared: PreparedDataset, seed: int, path: Path) -> None:
    """Write the ratings with the fold of each."""
    interactions = prepared.interactions
    fold = np.full(len(interactions), -1)
    for number in range(NUM_FOLDS):
        fold[KFold(NUM_FOLDS, number, valid_ratio=0, seed=seed).split(interactions).test] = number
    assert interactions.rating is not None
    np.savez(path, users=interactions.user_index, items=interactions.item_index, ratings=interactions.rating, fold=fold)


def main() -> None:
    """Run both sides and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", type=Path, help="Python interpreter of the environment with Surprise")
    parser.add_argument("--threads", type=int, default=1, help="Surprise's loops take one, whatever this is")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=42, help="of the folds and of our models")
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    prepared = build_data(compose_config("train", overrides=["data=movielens_100k", "name=ratings"]))
    threads = f"{arguments.threads} thread{'s' if arguments.threads > 1 else ''}"
    lines = [
        f"MovieLens 100K, {NUM_FOLDS} random folds, the same rows on both sides. RMSE and MAE: mean over folds ± their "
        f"standard deviation. Seconds: fitting {NUM_FOLDS} folds, the fewest of {arguments.repeats} alternating "
        f"repeats; {threads}, {platform.machine()}, torch {torch.__version__}, Surprise 1.1.5.",
        "",
        "`python benchmarks/surprise_ratings.py peer/bin/python --output benchmarks/results/surprise_ratings.md`",
        "",
        "| recsys | Surprise | RMSE | Surprise's | MAE | Surprise's | seconds | Surprise's | ratio |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "ratings.npz"
        save_folds(prepared, arguments.seed, path)
        for name, peer, settings in PAIRS:
            own_seconds, peer_seconds = [], []
            for _ in range(arguments.repeats):
                other = theirs(arguments.peer, path, peer, settings, arguments.threads)
                own = ours(prepared, name, arguments.seed)
                own_seconds.append(sum(own["seconds"]))
                peer_seconds.append(sum(other["seconds"]))
            errors = [
                f"{statistics.fmean(side[measure]):.4f} ± {statistics.stdev(side[measure]):.4f}"
                for measure in ("rmse", "mae")
                for side in (own, other)
            ]
            ratio = min(peer_seconds) / min(own_seconds)
            cells = [name, peer, *errors, f"{min(own_seconds):.2f}", f"{min(peer_seconds):.2f}", f"{ratio:.1f}"]
            lines.append(f"| {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    text = "\n".join([*lines, ""])
    print(text)
    write_results(text, arguments.output)


if __name__ == "__main__":
    main()
