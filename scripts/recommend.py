"""Recommend unseen items to one user: ``python scripts/recommend.py run=DIR user=196 k=10``.

A user who was not in training tells what they have seen, oldest first, by the item ids of the data:
``python scripts/recommend.py run=DIR history=[50,172,1] ratings=[5,3,4]``. With ``explain=true`` each title is
followed by what its score comes from.
"""

from __future__ import annotations

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.table import Table

from recsys.assembly import TrainedRun, open_run
from recsys.command_line import id_as_written, ids_as_written
from recsys.console import console, user_errors
from recsys.data.histories import Histories
from recsys.errors import RecsysError
from recsys.explaining import explain_list
from recsys.explanation_table import explained_table
from recsys.models.protocols import Query
from recsys.presentation import recommendation_table
from recsys.recommending import (
    NewUser,
    min_rating_of_history,
    popular_items,
    recommend,
    recommend_to_new_user,
)


@hydra.main(version_base="1.3", config_path="../configs", config_name="recommend")
def main(config: DictConfig) -> None:
    """Print titles and scores; the popular list, with a message, for a user of whom nothing is known."""
    with user_errors():
        if (config.user is None) == (config.history is None):
            raise RecsysError(
                "Give either user=ID for a user of the data, or history=[ID,ID,...] for one who was not in training; "
                f"{'neither' if config.user is None else 'both'} came."
            )
        if config.ratings is not None and config.history is None:
            raise RecsysError("ratings belong to the items of history=[ID,ID,...]. Give both, or leave ratings out.")
        run = open_run(config.run)
        console.print(_for_user(run, config) if config.history is None else _for_history(run, config))


def _for_user(run: TrainedRun, config: DictConfig) -> Table:
    user_id = id_as_written("user", config.user, HydraConfig.get().overrides.task)
    user = int(run.prepared.user_vocabulary.index_of([user_id])[0])
    if user < 0:
        message = f"User {user_id} is not in the data that {config.run} was trained on, so nothing is known of them"
        return _popular(run, config.k, f"{message}: here is what is popular. {_IDS_ARE_TEXT}")
    seen = run.prepared.interactions
    known = seen.take(seen.at_least(min_rating_of_history(run.model, run.prepared)))
    items, scores = recommend(run.model, known, seen, torch.tensor([user]), config.k)
    query = Query(torch.tensor([user]), Histories.from_interactions(known).take(torch.tensor([user])))
    return _table(run, config, f"For user {user_id}", query, items[0], scores[0])


def _for_history(run: TrainedRun, config: DictConfig) -> Table:
    item_ids = ids_as_written("history", config.history, HydraConfig.get().overrides.task)
    user = NewUser.from_ids(item_ids, config.ratings, run.prepared, min_rating_of_history(run.model, run.prepared))
    items, scores = recommend_to_new_user(run.model, user, config.k)
    if user.unknown_ids:
        unknown = ", ".join(user.unknown_ids)
        message = f"Not in the data that {config.run} was trained on, and left out: {unknown}. {_IDS_ARE_TEXT}"
        console.print(message, markup=False)
    if (items < 0).all():
        message = "What is left of the history tells the model nothing: here is what is popular."
        return _popular(run, config.k, message, user.seen)
    query = Query(torch.tensor([-1]), user.history)
    return _table(run, config, "For a new user with this history", query, items, scores)


def _table(
    run: TrainedRun, config: DictConfig, heading: str, query: Query, items: torch.Tensor, scores: torch.Tensor
) -> Table:
    if not config.explain:
        return recommendation_table(run.prepared, heading, items, scores)
    return explained_table(run.prepared, heading, explain_list(run.model, run.prepared, query, items, scores))


def _popular(run: TrainedRun, k: int, message: str, seen: torch.Tensor | None = None) -> Table:
    console.print(message, markup=False)
    items, counts = popular_items(run.prepared.positives(), k, seen)
    heading = f"Most popular (score: interactions in {run.prepared.schema.name})"
    return recommendation_table(run.prepared, heading, items, counts)


_IDS_ARE_TEXT = "Ids are compared as text, leading zeros included."

if __name__ == "__main__":
    main()
