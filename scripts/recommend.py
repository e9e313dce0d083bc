"""Recommend unseen items to one user: ``python scripts/recommend.py run=DIR user=196 k=10``."""

from __future__ import annotations

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from recsys.assembly import open_run
from recsys.console import console, user_errors
from recsys.presentation import recommendation_table
from recsys.recommending import popular_items, recommend


@hydra.main(version_base="1.3", config_path="../configs", config_name="recommend")
def main(config: DictConfig) -> None:
    """Print titles and scores; the popular list, with a message, for a user that the run does not know."""
    with user_errors():
        run = open_run(config.run)
        known = run.prepared.positives()
        user_id = as_written("user", config.user)
        user = int(run.prepared.user_vocabulary.index_of([user_id])[0])
        if user < 0:
            console.print(
                f"User {user_id} is not in the data that {config.run} was trained on, so nothing is known of them: "
                "here is what is popular. Ids are compared as text, leading zeros included.",
                markup=False,
            )
            items, scores = popular_items(known, config.k)
            heading = f"Most popular (score: interactions in {run.prepared.schema.name})"
        else:
            rows, row_scores = recommend(run.model, known, run.prepared.interactions, torch.tensor([user]), config.k)
            items, scores = rows[0], row_scores[0]
            heading = f"For user {user_id}"
        console.print(recommendation_table(run.prepared, heading, items, scores))


def as_written(name: str, value: object) -> str:
    """The text of an id on the command line: Hydra reads 1e5 as a number, but an id is what was written."""
    written = [text.partition("=")[2] for text in HydraConfig.get().overrides.task if text.startswith(f"{name}=")]
    return value if isinstance(value, str) else written[-1]


if __name__ == "__main__":
    main()
