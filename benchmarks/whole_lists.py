"""Measures how many users a second get their lists, by a model in PyTorch and by its bundle, beside scoring alone.

::

    python benchmarks/whole_lists.py --output benchmarks/results/whole_lists.md

Lists are tables of the 10 best items that the user does not have, as ``model.recommend(data.users)`` gives them.
Scoring alone is what the model computes for the same users in batches of as many, without choosing items. Both are in
seconds of the processor on one thread, so that a busy machine measures much the same.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from results_file import write_results

import recsys
from recsys.api.frame_recommender import BATCH_SIZE, FrameRecommender
from recsys.data.histories import Histories
from recsys.models.interface.protocols import Query

DATA: dict[str, dict[str, int]] = {
    "movielens_100k": {},
    "synthetic": {"num_users": 6040, "num_items": 3700, "num_interactions": 1_000_000},
}
MODELS = ("EASE", "IALS")


def rate(action: Callable[[], Any], num_users: int, repeats: int) -> float:
    """Users a second of the fastest of several repeats."""
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        action()
        seconds.append(time.process_time() - started)
    return num_users / min(seconds)


@torch.inference_mode()
def score_all(model: Any) -> None:
    """Score the catalogue for all users, in batches."""
    prepared = model.fitted.prepared
    histories = Histories.from_interactions(prepared.positives())
    for users in torch.arange(prepared.schema.num_users).split(BATCH_SIZE):
        model.network.score(Query(users, histories.take(users)))


def rows(source: str, repeats: int) -> list[str]:
    """The lines of the table for one data set."""
    data = recsys.Dataset.load(source, **DATA[source])
    found = []
    for name in MODELS:
        model = getattr(recsys, name)().fit(data, progress=False)

        def listed(recommender: FrameRecommender) -> float:
            return rate(lambda: recommender.recommend(k=10, progress=False), data.num_users, repeats)

        scoring = rate(lambda model=model: score_all(model), data.num_users, repeats)  # type: ignore[misc]
        with tempfile.TemporaryDirectory() as directory:
            bundle = recsys.load_bundle(model.export(Path(directory) / name))
            of_model, of_bundle = listed(model), listed(bundle)
        found.append(
            f"| {source} | {data.num_users:,} × {data.num_items:,} | {name} | {scoring:,.0f} | {of_model:,.0f} "
            f"({of_model / scoring:.0%}) | {of_bundle:,.0f} |"
        )
    return found


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, help="a Markdown file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    lines = [
        "# Everyone's list: users a second",
        "",
        f"One thread, {platform.machine()}, torch {torch.__version__}; users a second of processor time, the most of "
        f"{arguments.repeats} repeats. Lists of 10 unseen items, as tables. Scoring alone chooses no items, and takes "
        f"the users in the order of their ids, {BATCH_SIZE} at once.",
        "",
        "`python benchmarks/whole_lists.py --output benchmarks/results/whole_lists.md`",
        "",
        "| data | users × items | model | scoring alone | lists, PyTorch (share of scoring) | lists, bundle |",
        "|---|---|---|---|---|---|",
        *(row for source in DATA for row in rows(source, arguments.repeats)),
    ]
    print("\n".join(lines))
    write_results("\n".join(lines) + "\n", arguments.output)


if __name__ == "__main__":
    main()
