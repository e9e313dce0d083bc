"""The lists that a bundle and options would have made for users at moments of the past: for estimates off policy.

A history is that of the store up to the moment of the list. The catalogue, the users' attributes and the bundle are
those of now, and nothing is cached, noted or assigned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recsys.errors import BundleError
from recsys_serving.recommending.assignments import Treatment
from recsys_serving.recommending.catalogue.bundle_pool import BundlePool
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.recommending.exploring import POOL_SIZE
from recsys_serving.recommending.history import StoredHistory
from recsys_serving.recommending.list_maker import ListMaker
from recsys_serving.recommending.options import RecommendingOptions
from recsys_serving.recommending.query_plan import QueryPlan, with_treatment
from recsys_serving.recommending.types import RecommendationQuery
from recsys_serving.recommending.user_states import KnownUser
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.store.store import Store
from recsys_serving.store.users.records import UserState

#: Lists that are made at once.
_BATCH = 100


@dataclass(frozen=True, slots=True)
class PastQuery:
    """Who asked for a list, and when.

    Args:
        user_id: who.
        at: when; what the user did later is not known.
        k: length of the list.
    """

    user_id: str
    at: datetime
    k: int


class CounterfactualLists:
    """Makes lists of the past; threads may share it.

    Args:
        options: how the service answers.
        pool: of the bundles.
        maker: of lists.
        store: of users.
    """

    def __init__(self, options: RecommendingOptions, pool: BundlePool, maker: ListMaker, store: Store) -> None:
        self._options, self._pool, self._maker, self._store = options, pool, maker, store

    def make(
        self,
        queries: Sequence[PastQuery],
        bundle: str | None,
        list_options: Mapping[str, Any],
        deadline: Deadline,
        with_pool: bool = False,
    ) -> list[list[str]]:
        """Ids of each list, best first, with the pool behind it where that is wanted.

        Lists for which the time does not suffice are left out at the end.

        Args:
            queries: who asked.
            bundle: name of one that is open; None: the live one.
            list_options: as a variant has them.
            deadline: of all lists.
            with_pool: whether the items behind each page come as well.

        Raises:
            BundleError: the bundle is not open.
            RecsysError: an option cannot be served.
        """
        opened = self._opened(bundle)
        treatment = Treatment(list_options=list_options)
        made: list[list[str]] = []
        states: dict[str, UserState] = {}
        for start in range(0, len(queries), _BATCH):
            if not deadline.remaining():
                break
            plans = [self._plan(one, opened, treatment, states) for one in queries[start : start + _BATCH]]
            spare = [POOL_SIZE if with_pool else 0] * len(plans)
            lists, _ = self._maker.make(plans, spare, deadline)
            made += [
                [item.item_id for item in one.items[: plan.query.k + spare[0]]]
                for plan, one in zip(plans, lists, strict=True)
            ]
        return made

    def _opened(self, bundle: str | None) -> OpenBundle:
        opened = self._pool.live if bundle is None else self._pool.get(bundle)
        if opened is None:
            names = ", ".join(one.name for one in self._pool.opened())
            raise BundleError(
                f"A bundle that is open is required, {names}, but {bundle!r} came. Make a draft of an experiment with "
                "a variant of this bundle: that opens it."
            )
        return opened

    def _plan(
        self, query: PastQuery, opened: OpenBundle, treatment: Treatment, states: dict[str, UserState]
    ) -> QueryPlan:
        if query.user_id not in states:
            states[query.user_id] = self._store.users.state(
                query.user_id, self._options.history_limit, self._options.interaction_types, "all"
            )
        asked = RecommendationQuery(user_id=query.user_id, k=query.k, log_exposure=False)
        treated = with_treatment(asked, treatment, self._options.max_k)
        user = _as_of(states[query.user_id], query.at, bool(opened.bundle.manifest.data.repeats))
        return QueryPlan(treated, user, treatment, opened, (), [], "", "")


def _as_of(state: UserState, moment: datetime, repeats: bool) -> KnownUser:
    """A user as they were known at a moment; an item stands once, at its latest time, where repeats do not count."""
    known = [place for place, time in enumerate(state.timestamps) if time < moment.timestamp()]
    if not repeats:
        latest = {state.item_ids[place]: place for place in known}
        known = sorted(latest.values())
    history = StoredHistory(
        [state.item_ids[place] for place in known],
        [state.values[place] for place in known],
        [state.timestamps[place] for place in known],
    )
    return KnownUser(state.user_id, "past", state.profiling, state.properties, history)
