"""Asks contestants for lists as they would be served, and measures them user by user.

Shape suffixes: U users, K list length.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
import torch

from recsys.data.columns import ITEM_ID, USER_ID
from recsys.evaluation.metrics import RANKING_METRICS
from recsys.evaluation.segments import USER_ACTIVITIES, USER_ACTIVITY, user_activity_of
from recsys.evaluation.target_segments import TARGET
from recsys.runtime.request import RecommendationRequest
from recsys.studies.comparison.compared_runs import ComparedRun
from recsys.studies.newer_data.contestants import Contestant
from recsys.studies.newer_data.held_out import HeldOut

#: Requests that are answered together.
BATCH_SIZE = 256


def measured(contestant: Contestant, held_out: HeldOut, k: int) -> ComparedRun:
    """The lists of a contestant for all users of ``held_out``, measured.

    What any contestant knows of a user is in no list: all choose among the same items, but those that they lack. Where
    known items are to be found again, they are in the lists as each contestant has them when it is served, at the time
    of the user's first newer interaction. A user whom the contestant does not know gets what it would show them, the
    popular list.

    Args:
        contestant: answers.
        held_out: what is to be recovered.
        k: length of the lists.
    """
    users = held_out.users
    relevant = _sets(held_out.pairs)
    known = _sets(held_out.known)
    lists = _lists(contestant, held_out, known, k)
    activity = user_activity_of(torch.tensor([len(known.get(user, ())) for user in users]))
    columns = _measures(users, lists, relevant, k)
    if held_out.repeats == "keep":
        parts = {
            "new": {user: items - known.get(user, set()) for user, items in relevant.items()},
            "repeated": {user: items & known.get(user, set()) for user, items in relevant.items()},
        }
        for name, part in parts.items():
            columns[f"{TARGET}={name}/recall@{k}"] = _measures(users, lists, part, k)[f"recall@{k}"]
    per_user = pd.DataFrame(
        {USER_ID: users, USER_ACTIVITY: [USER_ACTIVITIES[place] for place in activity.tolist()], **columns}
    )
    shown = len({item for items in lists for item in items})
    metrics = {f"test/coverage@{k}": shown / len(contestant.items)}
    return ComparedRun(contestant.label, contestant.path, contestant.manifest, metrics, per_user)


def _measures(
    users: Sequence[str], lists: Sequence[Sequence[str]], relevant: dict[str, set[str]], k: int
) -> dict[str, np.ndarray[Any, np.dtype[np.floating[Any]]]]:
    """The measures of all users by name, shape [U] each; NaN for a user of whom nothing is relevant."""
    hits = np.zeros((len(users), k), dtype=bool)
    for row, (user, items) in enumerate(zip(users, lists, strict=True)):
        hits[row, : len(items)] = [item in relevant[user] for item in items]
    hits_UK = torch.from_numpy(hits)
    num_relevant_U = torch.tensor([len(relevant[user]) for user in users])
    return {f"{name}@{k}": metric(hits_UK, num_relevant_U, k).numpy() for name, metric in RANKING_METRICS.items()}


def _lists(contestant: Contestant, held_out: HeldOut, known: dict[str, set[str]], k: int) -> list[list[str]]:
    """The list of each user of ``held_out``."""

    def request(user: str) -> RecommendationRequest:
        if held_out.repeats == "keep":
            return RecommendationRequest(user_id=user, k=k, now=held_out.times.get(user))
        return RecommendationRequest(user_id=user, k=k, exclude_items=sorted(known.get(user, ())))

    requests = map(request, held_out.users)
    lists: list[list[str]] = []
    while batch := list(islice(requests, BATCH_SIZE)):
        lists.extend(answer.item_ids for answer in contestant.recommender.recommend(batch))
    return lists


def _sets(pairs: pd.DataFrame) -> dict[str, set[str]]:
    """The items of each user."""
    return {str(user): set(items) for user, items in pairs.groupby(USER_ID)[ITEM_ID]}
