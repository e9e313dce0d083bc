"""Users of an experiment who saw a list, and clicked or not, as the store keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from recsys_serving.experimenting.experiment_changes import experiment_of
from recsys_serving.store.events.records import Exposure, Interaction
from recsys_serving.store.store import Store

from recsys.experiments.assignment import assign

#: An experiment of two variants, whose guardrail is the share of users who click, half an hour after their first list.
CLICKERS: dict[str, Any] = {
    "variants": [{"name": "control", "share": 0.5}, {"name": "new", "share": 0.5}],
    "metrics": [{"name": "clickers", "event": "click"}],
    "guardrails": [{"metric": "clickers", "relative_tolerance": 0.1}],
    "exposure_window_hours": 0.5,
    "attribution_window_hours": 0.5,
}


def show_lists(
    store: Store,
    experiment_id: str,
    users: Iterable[str],
    at: datetime,
    clicks: Callable[[str, int], bool],
) -> dict[str, int]:
    """Show a list to each user who takes part now; a click follows after a minute.

    Args:
        store: takes lists and clicks.
        experiment_id: as it is now.
        users: who ask.
        at: when they ask.
        clicks: whether a user clicks, by the variant and the number of the user among those of the variant.

    Returns:
        Number of lists by variant.
    """
    experiment = experiment_of(store.experiments.get(experiment_id))
    counts: dict[str, int] = {}
    lists, interactions = [], []
    for user in users:
        assignment = assign(experiment, user)
        if assignment is None:
            continue
        name = assignment.variant.name
        number = counts.get(name, 0)
        counts[name] = number + 1
        shown = Exposure(uuid4(), user, at, ("i",), None, "first", "1", name, experiment_id)
        lists.append(shown)
        if clicks(name, number):
            then = at + timedelta(minutes=1)
            interactions.append(
                Interaction(uuid4().hex, user, "i", "click", then, recommendation_id=shown.recommendation_id)
            )
    store.exposures.append(lists)
    if interactions:
        store.interactions.append(interactions)
    return counts
