"""Makes lists that no cache has: asks the runtime, then boosts, promotes, and says titles and reasons."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from recsys.errors import RequestError
from recsys.retrieval.seen_policy import SeenPolicy
from recsys.runtime.recommendation import ItemExplanation, Recommendation
from recsys.runtime.request import RecommendationRequest
from recsys_serving.recommending import history
from recsys_serving.recommending.boosts import MAX_CANDIDATES, candidates_needed, competing_ranks, is_settled
from recsys_serving.recommending.made_list import MadeItem, MadeList
from recsys_serving.recommending.promotions import with_promotions
from recsys_serving.recommending.query_plan import QueryPlan
from recsys_serving.recommending.reasons import POPULAR, PROMOTED, explanation_of, reasons_of
from recsys_serving.recommending.runtime import Runtime
from recsys_serving.recommending.tracing_runtime import TracingRuntime
from recsys_serving.resilience.deadline import Deadline

#: Candidates that are looked at for boosts where each comes with reasons, which take longer than scores.
MAX_EXPLAINED = 300

NO_PROFILING = "Profiling is off for this user: here is what is popular."
FEATURES_LEFT_OUT = "What is stored about this user's attributes does not fit the model, and was left out."


class _ListDraft(NamedTuple):
    """A plan with what was asked for it, and the answer."""

    plan: QueryPlan
    request: RecommendationRequest
    answer: Recommendation
    notes: tuple[str, ...] = ()


class ListMaker:
    """Makes lists; threads may share it.

    Args:
        runtime: scores.
        merges: whether a stored history goes on from that of the bundle.
    """

    def __init__(self, runtime: Runtime | TracingRuntime, merges: bool) -> None:
        self._runtime, self._merges = runtime, merges

    def make(
        self, plans: Sequence[QueryPlan], num_spare: Sequence[int], deadline: Deadline
    ) -> tuple[list[MadeList], bool]:
        """A list for each plan, and whether the runtime had to do without something.

        Args:
            plans: of one bundle.
            num_spare: items beyond the page that each list should have, for exploration.
            deadline: of the answer.

        Raises:
            RecsysError: a query names what does not exist, or a value is out of range.
        """
        drafts, is_degraded = self._ask(plans, num_spare, deadline)
        made = [self._made(one, spare, deadline) for one, spare in zip(drafts, num_spare, strict=True)]
        return made, is_degraded

    def _ask(
        self, plans: Sequence[QueryPlan], num_spare: Sequence[int], deadline: Deadline
    ) -> tuple[list[_ListDraft], bool]:
        requests = [self._request(plan, _num_asked(plan, spare)) for plan, spare in zip(plans, num_spare, strict=True)]
        opened = plans[0].opened
        try:
            answers, is_degraded = self._runtime.recommend(opened, requests, deadline)
        except RequestError:
            # What is stored of a user must not be an error of whoever asks; what they say themselves is.
            if not any(_stored_features(plan) for plan in plans):
                raise
            requests = [
                self._request(plan, _num_asked(plan, spare), with_stored=False)
                for plan, spare in zip(plans, num_spare, strict=True)
            ]
            answers, is_degraded = self._runtime.recommend(opened, requests, deadline)
            notes = [(FEATURES_LEFT_OUT,) if _stored_features(plan) else () for plan in plans]
            return [_ListDraft(*one) for one in zip(plans, requests, answers, notes, strict=True)], is_degraded
        return [_ListDraft(*one) for one in zip(plans, requests, answers, strict=True)], is_degraded

    def _request(self, plan: QueryPlan, k: int, with_stored: bool = True) -> RecommendationRequest:
        query, user, recommender = plan.query, plan.user, plan.opened.recommender
        common: dict[str, Any] = {
            "k": k,
            "exclude_items": [*query.exclude_items, *plan.shown],
            "filters": query.filters,
            "exclude_seen": query.exclude_seen,
        }
        if query.diversity is not None:
            common["diversity"] = query.diversity.kind
            common["diversity_weight"] = query.diversity.weight
            common["diversity_column"] = query.diversity.column
        if not user.profiling:
            return RecommendationRequest(history=(), **common)
        if user.older and query.session is None:
            common["exclude_items"] = [*common["exclude_items"], *_seen_before(plan)]
        if query.session is not None:
            told: history.History | None = history.of_session(query.session, recommender)
        elif user.user_id is None:
            told = None
        else:
            merges = (self._merges or user.is_of_bundle) and not user.is_erased
            told = history.of_store(user.history, user.user_id, recommender, merges)
        stored = _stored_features(plan) if with_stored else {}
        return RecommendationRequest(
            user_id=None if user.is_erased else user.user_id,
            history=None if told is None else told.item_ids,
            ratings=None if told is None else told.ratings,
            timestamps=None if told is None else told.timestamps,
            user_features={**stored, **query.user_features},
            explain=query.explain,
            **common,
        )

    def _made(self, draft: _ListDraft, num_spare: int, deadline: Deadline) -> MadeList:
        plan, query, opened = draft.plan, draft.plan.query, draft.plan.opened
        draft = self._boosted(draft, num_spare, deadline)
        answer = draft.answer
        ranked = answer.item_ids
        length = query.k + num_spare
        promoted: tuple[str, ...] = ()
        notes = [*draft.notes, *answer.notes]
        if query.promotions:
            ids = [promotion.item_id for promotion in query.promotions]
            allowed = self._allowed_promotions(draft, ids)
            ranked = with_promotions(ranked, query.promotions, allowed, plan.first_rank, length)
            promoted = tuple(item_id for item_id in ranked if item_id in allowed)
            notes += [f"{name} is promoted, but may not be shown." for name in ids if name not in allowed]
        ranked = ranked[:length]
        if not plan.user.profiling:
            notes = [NO_PROFILING, *(note for note in notes if "what is popular" not in note)]
        return MadeList(
            items=self._items(draft, ranked, promoted),
            model_version=answer.model_version,
            personalized=answer.personalized and plan.user.profiling,
            notes=tuple(dict.fromkeys(notes)),
            unknown_items=tuple(name for name in answer.unknown_items if name not in opened.overlay.unplaced),
            unknown_values=answer.unknown_values,
            unknown_filter_values=answer.unknown_filter_values,
            explanation_method=answer.explanation_method,
            promoted=promoted,
        )

    def _boosted(self, draft: _ListDraft, num_spare: int, deadline: Deadline) -> _ListDraft:
        """The same with the list in the order of its boosts; more candidates are asked for until it is settled."""
        plan, request, answer = draft.plan, draft.request, draft.answer
        if not plan.boosts:
            return draft
        length = plan.query.k + num_spare + len(plan.query.promotions)
        recommender = plan.opened.recommender
        while True:
            rows = recommender.items_of(answer.item_ids)
            competing = competing_ranks(rows, plan.boosts, plan.opened.mask)
            is_all = len(answer.item_ids) < request.k or request.k >= _most_candidates(plan)
            if is_all or is_settled(competing, length, plan.boosts):
                break
            request = self._request(plan, min(_most_candidates(plan), request.k * 4))
            answers, _ = self._runtime.recommend(plan.opened, [request], deadline)
            answer = answers[0]
        order = np.argsort(competing, kind="stable").tolist()
        ordered = replace(
            answer,
            item_ids=[answer.item_ids[place] for place in order],
            scores=[answer.scores[place] for place in order],
            explanations=None if answer.explanations is None else tuple(answer.explanations[place] for place in order),
        )
        return _ListDraft(plan, request, ordered, draft.notes)

    def _allowed_promotions(self, draft: _ListDraft, ids: Sequence[str]) -> set[str]:
        """Promoted items that may be shown; unplaced ones where the query has no filters that they might not pass."""
        opened, request = draft.plan.opened, draft.request
        allowed = opened.recommender.allows(request, ids)
        found = {name for name, is_allowed in zip(ids, allowed, strict=True) if is_allowed}
        if request.filters is None:
            seen = {*(request.history or ()), *request.exclude_items}
            unplaced = opened.overlay.unplaced
            found |= {name for name in ids if name in unplaced and unplaced[name].available and name not in seen}
        return found

    def _items(self, draft: _ListDraft, ranked: Sequence[str], promoted: Sequence[str]) -> list[MadeItem]:
        answer, query, overlay = draft.answer, draft.plan.query, draft.plan.opened.overlay
        scores = dict(zip(answer.item_ids, answer.scores, strict=True))
        details = overlay.details(ranked, query.metadata)
        reasons: dict[str, tuple[str, ...]] = {}
        explained: dict[str, ItemExplanation] = {}
        if query.explain:
            explained = dict(zip(answer.item_ids, answer.explanations or (), strict=answer.explanations is not None))
            reasons = self._reasons(draft, ranked, promoted, explained)
        return [
            MadeItem(
                name,
                title,
                scores.get(name),
                metadata,
                reasons.get(name, ()),
                explanation_of(explained[name], overlay.titles_of) if name in explained else None,
            )
            for name, (title, metadata) in zip(ranked, details, strict=True)
        ]

    def _reasons(
        self,
        draft: _ListDraft,
        ranked: Sequence[str],
        promoted: Sequence[str],
        explained: Mapping[str, ItemExplanation],
    ) -> dict[str, tuple[str, ...]]:
        answer, titles_of = draft.answer, draft.plan.opened.overlay.titles_of
        reasons: dict[str, tuple[str, ...]] = {}
        if answer.explanations is None:
            reasons = dict.fromkeys(ranked, (POPULAR,)) if not answer.personalized else {}
        else:
            reasons = {name: reasons_of(explained[name], titles_of) for name in ranked if name in explained}
        return {**reasons, **dict.fromkeys(promoted, (PROMOTED,))}


def _seen_before(plan: QueryPlan) -> list[str]:
    """Items that are seen, though too old for the history, as far as the bundle has them."""
    recommender = plan.opened.recommender
    asked = plan.query.exclude_seen
    policy = SeenPolicy.parse(recommender.bundle.manifest.exclude_seen if asked is None else asked)
    if not policy.excludes:
        return []
    latest_return = policy.latest_return(int(time.time()))
    ids = [item_id for item_id, at in plan.user.older.items() if at > latest_return]
    return [item_id for item_id, row in zip(ids, recommender.items_of(ids).tolist(), strict=True) if row >= 0]


def _num_asked(plan: QueryPlan, num_spare: int) -> int:
    length = plan.query.k + num_spare + len(plan.query.promotions)
    return max(length, min(_most_candidates(plan), candidates_needed(length, plan.boosts)))


def _most_candidates(plan: QueryPlan) -> int:
    """How many items are looked at for boosts, at most."""
    return MAX_EXPLAINED if plan.query.explain else MAX_CANDIDATES


def _stored_features(plan: QueryPlan) -> dict[str, Any]:
    """Attributes of the user that the models of the bundle read."""
    if not plan.user.properties:
        return {}
    read = {column.name for column in plan.opened.bundle.user_columns}
    return {name: value for name, value in plan.user.properties.items() if name in read}
