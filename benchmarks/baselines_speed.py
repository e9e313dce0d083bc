"""Measures how long the models of the shelf take to be fitted and to rank the full catalogue.

::

    python benchmarks/baselines_speed.py --root DIR --output benchmarks/results/baselines_speed.md

Each model has the settings of its experiment on the NCF protocol (``experiment=ncf_ease data.root=DIR``). A model is
fitted to all training rows and ranks the whole catalogue for every test user, with all measures and their intervals.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from pathlib import Path

import torch
from hydra.utils import instantiate
from results_file import write_results

from recsys.cli.configuration import compose_config
from recsys.evaluation.model_report import content_vectors
from recsys.evaluation.ranking_task import RankingTask
from recsys.runs.assembly import build_data, build_model, build_split, build_view
from recsys.runs.model_fitting import ModelFitter

CONFIGS = Path(__file__).parents[1] / "configs"
MODELS = ("item_knn", "user_knn", "ease", "pure_svd", "nmf", "ials")


def measured(name: str, root: str) -> tuple[float, float, float]:
    """Seconds of fitting and of the evaluation, and NDCG@10 over the full catalogue."""
    settings = [f"experiment=ncf_{name}", f"data.root={root}", "name=speed", "evaluation.progress=false"]
    config = compose_config("train", overrides=settings)
    prepared = build_data(config)
    model = build_model(config.model, config.seed, prepared)
    view = build_view(config, prepared, model)
    split = build_split(config, view.interactions)
    started = time.perf_counter()
    ModelFitter(config, view, split).fit(model)
    fitted = time.perf_counter()
    task = RankingTask.from_split(view.interactions, split, "test")
    result = instantiate(config.evaluation).evaluate(model.eval(), task, content_vectors(prepared))
    return fitted - started, time.perf_counter() - fitted, result.means()["ndcg@10"]


def main() -> None:
    """Measure each model some times and write the table with the fewest seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True, help="directory with the files of the protocol")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, help="a Markdown file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    runs = {name: [measured(name, arguments.root) for _ in range(arguments.repeats)] for name in arguments.models}
    lines = [
        "# The shelf on MovieLens 1M: seconds of fitting and of a full-catalogue evaluation",
        "",
        f"{arguments.threads} threads, {platform.machine()}, torch {torch.__version__}; the fewest of "
        f"{arguments.repeats} repeats. An evaluation ranks 3,706 items for 6,040 users, with all measures at four "
        "cut-offs and 1,000 resamples for the intervals.",
        "",
        "`python benchmarks/baselines_speed.py --root DIR --output benchmarks/results/baselines_speed.md`",
        "",
        "| model | fitting | evaluation | both | NDCG@10, full catalogue |",
        "|---|---|---|---|---|",
    ]
    for name, seconds in runs.items():
        fit, evaluation = (min(column) for column in list(zip(*seconds, strict=True))[:2])
        lines.append(f"| {name} | {fit:.2f} | {evaluation:.2f} | {fit + evaluation:.2f} | {seconds[0][2]:.4f} |")
    print("\n".join(lines))
    write_results("\n".join(lines) + "\n", arguments.output)


if __name__ == "__main__":
    main()
