"""How another policy would have done, by the lists that explored and what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np

from recsys.errors import ExperimentError
from recsys.experiments.metric import Direction
from recsys.experiments.off_policy.estimates import Estimator, LoggedFeedback, estimate_policy
from recsys.experiments.off_policy.reward_model import cross_fitted_predictions
from recsys.retrieval.types import FloatArray
from recsys_serving.experimenting.results import plain
from recsys_serving.experimenting.target_policies import Places, TargetPolicy
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.store.events.outcome_store import OutcomeStore
from recsys_serving.store.events.records import Exposure

#: Places of a list that are judged: those that explored, or all.
JudgedPlaces = Literal["explored", "all"]


@dataclass(frozen=True, slots=True)
class PreviewQuery:
    """What is asked of the log.

    Args:
        since: lists shown from then on.
        until: lists shown before then.
        event: type of the interactions that are the reward: 1 for an item that got one.
        attribution_seconds: an interaction counts so long after its list.
        experiment_id: only lists of this experiment; None: all that explored.
        places: those of a list that are judged.
        better: which direction of the reward is better.
        max_lists: the latest lists that are read, at most.
        timeout_seconds: for all.
    """

    since: datetime
    until: datetime
    event: str = "click"
    attribution_seconds: float = 86_400.0
    experiment_id: str | None = None
    places: JudgedPlaces = "explored"
    better: Direction = "higher"
    max_lists: int = 2_000
    timeout_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class OffPolicyPreview:
    """What the log says of a policy.

    Args:
        num_lists: lists that were judged.
        left_out: lists that were not, by the reason.
        places: places that were judged, from 0.
        estimates: by each estimator; refused ones say why.
        unavailable: estimators that could not be used, and why.
        sentence: what a person reads: that of SNIPS.
    """

    num_lists: int
    left_out: dict[str, int]
    places: list[int]
    estimates: list[dict[str, Any]]
    unavailable: dict[str, str]
    sentence: str


def preview_policy(store: OutcomeStore, policy: TargetPolicy, query: PreviewQuery) -> OffPolicyPreview:
    """Estimate what a policy would have got at each list, summed over the places that are judged.

    Places are taken to be independent of each other; see :mod:`recsys.experiments.off_policy.estimates`.

    Args:
        store: with the lists and what came of them.
        policy: that is judged.
        query: which lists.

    Raises:
        StoreUnavailable: the store is away, or takes longer than the time.
        ExperimentError: there are no lists to judge it by.
        RecsysError: the policy cannot be computed.
    """
    deadline = Deadline(query.timeout_seconds)
    read = store.explored(query.since, query.until, query.max_lists, query.experiment_id, query.timeout_seconds)
    left_out: Counter[str] = Counter()
    usable = [one for one in read if _is_usable(one, policy, left_out)]
    places, judged = _of_one_form(usable, query.places, left_out)
    targets = policy.distributions(judged, places, deadline) if judged else []
    if len(targets) < len(judged):
        left_out["the time did not suffice"] += len(judged) - len(targets)
        judged = judged[: len(targets)]
    if not judged:
        reasons = "; ".join(f"{number}: {reason}" for reason, number in left_out.items())
        hours = query.attribution_seconds / 3600
        raise ExperimentError(
            "A policy is judged by lists that explored, once the time in which a success counts is over "
            f"({hours:g} hour{'' if hours == 1 else 's'}). Of {len(read)} such lists none is left"
            f"{f' ({reasons})' if reasons else ''}. Let a variant explore, wait, or let successes count for less time."
        )
    rewarded = store.rewarded(judged, query.event, query.attribution_seconds, max(0.1, deadline.remaining()))
    estimates, unavailable = _estimates(judged, places, targets, rewarded, policy.tells_all, query.better)
    sentence = next(one["sentence"] for one in estimates if one["estimator"] == "snips")
    return OffPolicyPreview(len(judged), dict(left_out), places, estimates, unavailable, sentence)


def _is_usable(exposure: Exposure, policy: TargetPolicy, left_out: Counter[str]) -> bool:
    context = exposure.context
    if "ranked" not in context or exposure.propensities is None:
        left_out["it had no slot that explores"] += 1
    elif policy.needs_plain and exposure.user_id is None:
        left_out["its user is not known"] += 1
    elif policy.needs_plain and not (context.get("is_plain") and context.get("first_rank") == 1):
        left_out["its query had more than a user"] += 1
    elif policy.needs_plain and context.get("degraded"):
        left_out["it was made without a dependency"] += 1
    else:
        return True
    return False


def _of_one_form(
    exposures: Sequence[Exposure], which: JudgedPlaces, left_out: Counter[str]
) -> tuple[list[int], list[Exposure]]:
    """The places of the form that most lists have, and these lists."""

    def form(one: Exposure) -> tuple[int, ...]:
        if which == "all":
            return tuple(range(len(one.item_ids)))
        return tuple(sorted(int(place) for place in one.context["ranked"]))

    forms = Counter(form(one) for one in exposures)
    if not forms:
        return [], []
    chosen = max(forms, key=lambda one: (forms[one], one))
    kept = [one for one in exposures if form(one) == chosen]
    if len(kept) < len(exposures):
        left_out["it has other places than most"] += len(exposures) - len(kept)
    return list(chosen), kept


def _estimates(
    exposures: Sequence[Exposure],
    places: Sequence[int],
    targets: Sequence[Places],
    rewarded: dict[Any, frozenset[str]],
    tells_all: bool,
    better: Direction,
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    items = [[one.item_ids[place] for place in places] for one in exposures]
    rewards = np.array(
        [
            [float(item in rewarded.get(one.recommendation_id, ())) for item in row]
            for one, row in zip(exposures, items, strict=True)
        ]
    )
    propensities = np.array([[(one.propensities or ())[place] for place in places] for one in exposures])
    chosen = np.array(
        [
            [distribution.get(item, 0.0) for item, distribution in zip(row, target, strict=True)]
            for row, target in zip(items, targets, strict=True)
        ]
    )
    units = [one.user_id or str(one.context.get("session_id") or one.recommendation_id) for one in exposures]
    shown: FloatArray | None = None
    expected: FloatArray | None = None
    unavailable: dict[str, str] = {}
    if not tells_all:
        unavailable["doubly_robust"] = "The pool that the policy would draw from is not in the log."
    else:
        try:
            shown, expected = cross_fitted_predictions(rewards, items, targets, units)
        except ExperimentError as error:
            unavailable["doubly_robust"] = str(error)
    feedback = LoggedFeedback(rewards, propensities, chosen, shown, expected, units)
    names: list[Estimator] = ["ips", "snips"] if shown is None else ["ips", "snips", "doubly_robust"]
    return [plain(asdict(estimate_policy(feedback, name, better=better))) for name in names], unavailable
