"""Measures whether explanations name the interactions that scores come from.

::

    python benchmarks/explanation_fidelity.py --output benchmarks/results/explanation_fidelity.md

Each model has its settings of configs/tuned/DATA.yaml, or those that it comes with, and is fitted to the training part
of the default split. For users of the test the item recommended first is explained; then its score is computed again
without the interaction with the largest part, without random ones, and without the one with the smallest part.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from omegaconf import OmegaConf
from results_file import write_results

from recsys.cli.configuration import compose_config
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.interface.protocols import Explains
from recsys.recommendation.explanation_fidelity import Fidelity, deletion_fidelity
from recsys.recommendation.sampled_explanation import batch_explainer_of
from recsys.runs.assembly import build_data, build_model, build_split, build_view
from recsys.runs.model_fitting import ModelFitter

CONFIGS = Path(__file__).parents[1] / "configs"
MODELS = ("ease", "slim", "item_knn", "ials", "pure_svd", "content", "user_knn", "nmf")
HEADER = (
    "| model | parts | score | named first | random | named last | first / random | first falls further | seconds |"
)


def measured(name: str, data: str, users: int, permutations: int, seed: int) -> tuple[str, Fidelity, float]:
    """How the parts are found, what deletion shows, and the seconds for each user."""
    tuned = CONFIGS / "tuned" / f"{data}.yaml"
    overrides = OmegaConf.load(tuned).get(name) or [] if tuned.is_file() else []
    settings = [f"model={name}", f"data={data}", "name=fidelity", "trainer.accelerator=cpu"]
    config = compose_config("train", overrides=[*settings, *overrides])
    prepared = build_data(config)
    model = build_model(config.model, config.seed, prepared)
    view = build_view(config, prepared, model)
    split = build_split(config, view.interactions)
    ModelFitter(config, view, split).fit(model)
    task = RankingTask.from_split(view.interactions, split, "test", positive=view.positive)
    model.eval()
    exact = isinstance(model, Explains)
    explainer = batch_explainer_of(model, prepared.schema.num_items, num_permutations=permutations, max_items=30)
    started = time.perf_counter()
    result = deletion_fidelity(model, explainer, task, max_users=users, seed=seed)
    return "exact" if exact else "sampled", result, (time.perf_counter() - started) / len(result.scores)


def row(name: str, parts: str, result: Fidelity, seconds: float) -> str:
    """A line of the table."""
    low, high = result.interval()
    cells = [name, parts, f"{result.scores.mean():.3g}"]
    cells += [f"{falls.mean():+.3g}" for falls in (result.named, result.random, result.least)]
    difference = result.named.mean() - result.random.mean()
    cells[3] += f" (difference {difference:.3g} [{low:.3g}, {high:.3g}])"
    cells += [f"{result.ratio:.1f}", f"{result.wins:.1%}", f"{seconds:.3f}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure each model and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="movielens_100k")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--permutations", type=int, default=16, help="orders of each history, where parts are sampled")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="a Markdown file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    lines = [
        f"# Fidelity of explanations on {arguments.data}",
        "",
        f"Means over {arguments.users} test users, seed {arguments.seed}: the score of the item that is recommended "
        "first, and how far it falls without one interaction of the history. Brackets: 95 % bootstrap interval over "
        "users of the difference between the interaction named first and a random one. First falls further: the share "
        "of users for whom that is so. Sampled parts: "
        f"{arguments.permutations} orders of the 30 most recent interactions. Seconds of each user, with the random "
        "draws.",
        "",
        f"`python benchmarks/explanation_fidelity.py --data {arguments.data} --models {' '.join(arguments.models)} "
        f"--users {arguments.users} --permutations {arguments.permutations} --seed {arguments.seed}`",
        "",
        HEADER,
        "|" + "---|" * HEADER.count(" | ") + "---|",
    ]
    for name in arguments.models:
        result = measured(name, arguments.data, arguments.users, arguments.permutations, arguments.seed)
        lines.append(row(name, *result))
        print(lines[-1], flush=True)
    write_results("\n".join(lines) + "\n", arguments.output)


if __name__ == "__main__":
    main()
