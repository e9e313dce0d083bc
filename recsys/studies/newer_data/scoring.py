"""Asks contestants for lists as they would be served, and measures them user by user.

Shape suffixes: U users, K list length.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np
import pandas as pd
import torch

from recsys.data.columns import ITEM_ID, USER_ID
from recsys.evaluation.metrics import RANKING_METRICS
from recsys.evaluation.segments import USER_ACTIVITIES, USER_ACTIVITY, user_activity_of
from recsys.runtime.request import RecommendationRequest
from recsys.studies.comparison.compared_runs import ComparedRun
from recsys.studies.newer_data.contestants import Contestant
from recsys.studies.newer_data.held_out import HeldOut

#: Requests that are answered together.
BATCH_SIZE = 256


def measured(contestant: Contestant, held_out: HeldOut, k: int) -> ComparedRun:
    """The lists of a contestant for all users of ``held_out``, measured.

    What any contestant knows of a user is in no list: all choose among the same items, but those that they lack. A user
    whom the contestant does not know gets what it would show them, the popular list.

    Args:
        contestant: answers.
        held_out: what is to be recovered.
        k: length of the lists.
    """
    users = held_out.users
    relevant = _sets(held_out.pairs)
    known = _sets(held_out.known)
    lists = _lists(contestant, users, known, k)
    hits = np.zeros((len(users), k), dtype=bool)
    for row, (user, items) in enumerate(zip(users, lists, strict=True)):
        hits[row, : len(items)] = [item in relevant[user] for item in items]
    counts = np.array([len(relevant[user]) for user in users])
    hits_UK, num_relevant_U = torch.from_numpy(hits), torch.from_numpy(counts)
    activity = user_activity_of(torch.tensor([len(known.get(user, ())) for user in users]))
    columns = {f"{name}@{k}": metric(hits_UK, num_relevant_U, k).numpy() for name, metric in RANKING_METRICS.items()}
    per_user = pd.DataFrame(
        {USER_ID: users, USER_ACTIVITY: [USER_ACTIVITIES[place] for place in activity.tolist()], **columns}
    )
    shown = len({item for items in lists for item in items})
    metrics = {f"test/coverage@{k}": shown / len(contestant.items)}
    return ComparedRun(contestant.label, contestant.path, contestant.manifest, metrics, per_user)


def _lists(contestant: Contestant, users: Sequence[str], known: dict[str, set[str]], k: int) -> list[list[str]]:
    requests = (RecommendationRequest(user_id=user, k=k, exclude_items=sorted(known.get(user, ()))) for user in users)
    lists: list[list[str]] = []
    while batch := list(islice(requests, BATCH_SIZE)):
        lists.extend(answer.item_ids for answer in contestant.recommender.recommend(batch))
    return lists


def _sets(pairs: pd.DataFrame) -> dict[str, set[str]]:
    """The items of each user."""
    return {str(user): set(items) for user, items in pairs.groupby(USER_ID)[ITEM_ID]}
