"""From queries to answers: state, assignment, cache, model, exploration, exposure; see ``docs/service_answers.md``."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from recsys.errors import RecsysError
from recsys.experiments.exploration import ExplorationPolicy
from recsys_serving.cache.background_writes import BackgroundWrites
from recsys_serving.cache.guarded_cache import GuardedCache
from recsys_serving.recommending.assignments import Assignments, Treatment
from recsys_serving.recommending.catalogue.bundle_pool import BundlePool
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.recommending.catalogue.worker_sync import CatalogueItems, WorkerSync
from recsys_serving.recommending.cursor import CursorCodec
from recsys_serving.recommending.exploring import POOL_SIZE, explored_page, parse_exploration
from recsys_serving.recommending.exposure_log import ExposureCounts, ExposureLog
from recsys_serving.recommending.item_counts import ItemCounts
from recsys_serving.recommending.list_maker import ListMaker
from recsys_serving.recommending.made_list import MadeList
from recsys_serving.recommending.options import RecommendingOptions
from recsys_serving.recommending.query_plan import (
    QueryPlan,
    cache_key,
    check_query,
    is_plain,
    query_hash,
    with_treatment,
)
from recsys_serving.recommending.stages import StageTimer
from recsys_serving.recommending.types import AnsweredItem, Degraded, RecommendationAnswer, RecommendationQuery
from recsys_serving.recommending.user_states import KnownUser, UserStates
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.store.events.records import Exposure

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweringParts:
    """What answers are made with.

    Args:
        options: how.
        pool: of the bundles.
        items: of the API.
        users: what is known of users.
        assignments: of experiments.
        sync: brings news of other workers; None: there are none.
        cache: of lists; None: none are kept.
        maker: of lists.
        exposures: notes lists; None: they are not noted.
        counts: what became of items; None: nothing is counted.
        timer: of the stages.
        closers: what else ends with the answers.
    """

    options: RecommendingOptions
    pool: BundlePool
    items: CatalogueItems
    users: UserStates
    assignments: Assignments
    sync: WorkerSync | None
    cache: GuardedCache | BackgroundWrites | None
    maker: ListMaker
    exposures: ExposureLog | None
    counts: ItemCounts | None
    timer: StageTimer
    closers: Sequence[Callable[[], None]] = ()


@dataclass(slots=True)
class _Open:
    """One query on its way."""

    query: RecommendationQuery
    plan: QueryPlan
    degraded: list[Degraded]
    exploration: ExplorationPolicy | None
    made: MadeList | None = None
    ranked: Mapping[int, str] = field(default_factory=dict)

    @property
    def num_spare(self) -> int:
        return 0 if self.exploration is None else POOL_SIZE


class Answering:
    """Answers queries; threads may share it.

    Args:
        parts: what answers are made with.
    """

    def __init__(self, parts: AnsweringParts) -> None:
        self._parts = parts
        self._cursors = CursorCodec(parts.options.cursor_secret)

    def answer(self, queries: Sequence[RecommendationQuery]) -> list[RecommendationAnswer]:
        """See :meth:`recsys_serving.recommending.service.RecommendationService.recommend`."""
        deadline = Deadline(self._parts.options.deadline_seconds)
        columns = self._parts.pool.live.overlay.columns() if any(query.metadata for query in queries) else []
        for query in queries:
            check_query(query, self._parts.options.max_k, columns)
        opens = [self._open(query, deadline) for query in queries]
        self._look_up(opens)
        self._make(opens, deadline)
        return [self._finish(one) for one in opens]

    def look_for_news(self) -> bool:
        """Bring the worker to what all workers share; True where the store did not answer."""
        deadline = Deadline(self._parts.options.deadline_seconds)
        user, is_degraded = self._parts.users.of(None, deadline)
        self._sync(user, deadline)
        return is_degraded

    def forget(self, user_id: str) -> None:
        """Remember a user no more."""
        self._parts.users.forget(user_id)
        if self._parts.exposures is not None:
            self._parts.exposures.forget(user_id)

    def exposure_counts(self) -> ExposureCounts:
        """What became of the lists that were to be noted."""
        exposures = self._parts.exposures
        return ExposureCounts(0, 0, 0, 0) if exposures is None else exposures.counts()

    def close(self) -> None:
        """Write what was not written yet, and end the threads."""
        parts = self._parts
        if parts.exposures is not None:
            parts.exposures.close()
        if parts.sync is not None:
            parts.sync.close()
        if parts.cache is not None:
            parts.cache.close()
        for close in parts.closers:
            close()

    def _open(self, query: RecommendationQuery, deadline: Deadline) -> _Open:
        parts, timer = self._parts, self._parts.timer
        with timer("state"):
            user, is_degraded = parts.users.of(query.user_id, deadline)
        with timer("sync"):
            self._sync(user, deadline)
        degraded: list[Degraded] = ["store"] if is_degraded else []
        with timer("assignment"):
            treatment = parts.assignments.treatment(query.user_id, query.session_id)
            opened = self._bundle(treatment)
            if opened is None:
                # The bundle of the variant is not open yet: the answer is that of no variant, and says so.
                treatment, opened = Treatment(), parts.pool.live
                degraded.append("experiments")
        with timer("plan"):
            plan = self._plan(query, user, treatment, opened)
        exploration = parse_exploration(treatment.list_options)
        return _Open(query, plan, degraded, exploration)

    def _sync(self, user: KnownUser, deadline: Deadline) -> None:
        if self._parts.sync is not None and user.revisions is not None:
            wait = deadline.remaining(self._parts.options.sync_timeout_seconds)
            self._parts.sync.ensure(user.revisions, wait)

    def _bundle(self, treatment: Treatment) -> OpenBundle | None:
        live = self._parts.pool.live
        return live if treatment.bundle in (None, live.name) else self._parts.pool.get(str(treatment.bundle))

    def _plan(self, query: RecommendationQuery, user: KnownUser, treatment: Treatment, opened: OpenBundle) -> QueryPlan:
        own_hash = query_hash(query)
        shown = [] if query.cursor is None else self._cursors.decode(query.cursor, own_hash)
        treated = with_treatment(query, treatment, self._parts.options.max_k)
        boosts = check_query(treated, self._parts.options.max_k, query.metadata)
        options = [own_hash, shown, dict(treatment.list_options)]
        key = cache_key(opened, treated, user, treatment, self._parts.items.version, options)
        return QueryPlan(treated, user, treatment, opened, boosts, shown, own_hash, key)

    def _look_up(self, opens: Sequence[_Open]) -> None:
        if self._parts.cache is None or not opens:
            return
        with self._parts.timer("cache"):
            values, is_degraded = self._parts.cache.get_many([one.plan.cache_key for one in opens])
            for one, value in zip(opens, values, strict=True):
                one.made = None if value is None else MadeList.decoded(value)
                if is_degraded:
                    one.degraded.append("cache")

    def _make(self, opens: Sequence[_Open], deadline: Deadline) -> None:
        """Make the lists that the cache did not have, bundle by bundle."""
        missing: dict[str, list[_Open]] = {}
        for one in opens:
            if one.made is None:
                missing.setdefault(one.plan.opened.fingerprint, []).append(one)
        kept: dict[str, bytes] = {}
        for group in missing.values():
            with self._parts.timer("model"):
                lists, is_degraded = self._lists(group, deadline)
            for one, made in zip(group, lists, strict=True):
                one.made = made
                if is_degraded:
                    one.degraded.append("runtime")
                elif "experiments" not in one.degraded:
                    kept[one.plan.cache_key] = made.encoded()
        if kept and self._parts.cache is not None:
            with self._parts.timer("cache_write"):
                self._parts.cache.set_many(kept, self._parts.options.cache_ttl_seconds)

    def _lists(self, group: Sequence[_Open], deadline: Deadline) -> tuple[list[MadeList], bool]:
        """The lists of queries of one bundle; without what variants set, where that is what is wrong."""
        try:
            return self._made(group, deadline)
        except RecsysError:
            if not any(one.plan.treatment.list_options for one in group):
                raise
            return self._apart(group, deadline)

    def _apart(self, group: Sequence[_Open], deadline: Deadline) -> tuple[list[MadeList], bool]:
        """The lists of queries of one bundle, experiment by experiment: one that is wrong spoils no other one's."""
        parts: dict[str | None, list[_Open]] = {}
        for one in group:
            treatment = one.plan.treatment
            parts.setdefault(treatment.experiment_id if treatment.list_options else None, []).append(one)
        found: dict[int, MadeList] = {}
        is_degraded = False
        for experiment_id, part in parts.items():
            try:
                lists, is_plain = self._made(part, deadline)
            except RecsysError as error:
                if experiment_id is None:
                    raise
                for one in part:
                    one.plan = self._plan(one.query, one.plan.user, Treatment(), one.plan.opened)
                    one.exploration = None
                lists, is_plain = self._made(part, deadline)
                # Without the variant it is right: whoever asks is not at fault, but whoever made the experiment.
                _log.error("Variants of %s cannot be served: %s", experiment_id, error)
                for one in part:
                    one.degraded.append("experiments")
            is_degraded = is_degraded or is_plain
            found.update(zip(map(id, part), lists, strict=True))
        return [found[id(one)] for one in group], is_degraded

    def _made(self, group: Sequence[_Open], deadline: Deadline) -> tuple[list[MadeList], bool]:
        return self._parts.maker.make([one.plan for one in group], [one.num_spare for one in group], deadline)

    def _finish(self, one: _Open) -> RecommendationAnswer:
        with self._parts.timer("assembly"):
            answer = self._assembled(one)
        if one.plan.query.log_exposure and self._parts.exposures is not None:
            with self._parts.timer("exposure"):
                if not self._parts.exposures.append(_exposure(one, answer)):
                    answer = _with_degraded(answer, "exposures")
        return answer

    def _assembled(self, one: _Open) -> RecommendationAnswer:
        plan, made = one.plan, one.made
        assert made is not None, "every list was made"
        recommendation_id = uuid.uuid4()
        if one.exploration is None:
            page, propensities = list(made.items[: plan.query.k]), None
        else:
            explored = explored_page(
                made.items, plan.query.k, one.exploration, made.promoted, recommendation_id, self._parts.counts
            )
            page, propensities, one.ranked = explored.items, explored.propensities, explored.ranked
        items = tuple(
            AnsweredItem(
                item.item_id,
                item.title,
                item.score,
                plan.first_rank + place,
                item.metadata,
                item.reasons,
                item.explanation,
                1.0 if propensities is None else propensities[place],
            )
            for place, item in enumerate(page)
        )
        cursor = None
        if len(items) == plan.query.k:
            cursor = self._cursors.encode(plan.query_hash, [*plan.shown, *(item.item_id for item in items)])
        return RecommendationAnswer(
            recommendation_id=str(recommendation_id),
            user_id=plan.query.user_id,
            items=items,
            model_version=made.model_version,
            bundle=plan.opened.name,
            variant=plan.treatment.variant,
            experiment_id=plan.treatment.experiment_id,
            personalized=made.personalized,
            degraded=tuple(one.degraded),
            notes=made.notes,
            unknown_items=made.unknown_items,
            unknown_values=made.unknown_values,
            unknown_filter_values=made.unknown_filter_values,
            explanation_method=made.explanation_method,
            next_cursor=cursor,
        )


def _exposure(one: _Open, answer: RecommendationAnswer) -> Exposure:
    """What is noted of a list. Of a user without profiling it does not say who saw it."""
    plan = one.plan
    context: dict[str, object] = {"k": plan.query.k, "first_rank": plan.first_rank}
    if plan.query.scenario is not None:
        context["scenario"] = plan.query.scenario
    if plan.query.session_id is not None:
        context["session_id"] = plan.query.session_id
    if answer.degraded:
        context["degraded"] = list(answer.degraded)
    if plan.treatment.variants:
        context["variants"] = dict(plan.treatment.variants)
    explores = one.exploration is not None
    if one.exploration is not None and one.ranked:
        # What a list would have been without chance, for whoever judges another policy by it.
        context["ranked"] = {str(place): item_id for place, item_id in one.ranked.items()}
        context["epsilon"] = one.exploration.epsilon
        context["is_plain"] = is_plain(one.query)
    return Exposure(
        recommendation_id=uuid.UUID(answer.recommendation_id),
        user_id=plan.user.user_id if plan.user.profiling else None,
        shown_at=datetime.now(UTC),
        item_ids=tuple(item.item_id for item in answer.items),
        propensities=tuple(item.propensity for item in answer.items) if explores else None,
        bundle=answer.bundle,
        model_version=answer.model_version,
        variant=answer.variant,
        experiment_id=answer.experiment_id,
        context=context,
    )


def _with_degraded(answer: RecommendationAnswer, name: Degraded) -> RecommendationAnswer:
    values = {field_name: getattr(answer, field_name) for field_name in answer.__dataclass_fields__}
    return RecommendationAnswer(**{**values, "degraded": (*answer.degraded, name)})
