"""Lists for people who look at the service: as another bundle or a variant makes them, and with their trace.

Nothing of it is on the way of a list that a user is shown: it is answered by a copy of the parts that make lists, with
other ones in place of those that are looked at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from recsys.runtime.list_trace import ListTrace
from recsys_serving.recommending.answering import Answering, AnsweringParts
from recsys_serving.recommending.assignments import Assignments, Treatment
from recsys_serving.recommending.list_maker import ListMaker
from recsys_serving.recommending.stages import StageTimer
from recsys_serving.recommending.tracing_runtime import TracingRuntime
from recsys_serving.recommending.types import RecommendationAnswer, RecommendationQuery

#: Bundles that stay open for previews, besides those that answer users: two are compared.
MAX_OPEN = 2
#: Candidates of a trace that are told, at most; those of the list are always told.
MAX_CANDIDATES = 200
#: The stage of the service inside which the model's own stages are.
_MODEL = "model"


@dataclass(frozen=True, slots=True)
class StageTime:
    """A stage that ran.

    Args:
        stage: its name.
        milliseconds: that it took.
        within: the stage that it is a part of; None: of none.
    """

    stage: str
    milliseconds: float
    within: str | None = None


@dataclass(frozen=True, slots=True)
class CandidateStep:
    """What became of a candidate; see :class:`recsys.runtime.list_trace.TracedCandidate`."""

    item_id: str
    title: str
    score: float | None
    removed_by: str | None
    ranker_score: float | None
    ranker_rank: int | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class RecommendationTrace:
    """The way to one list.

    Args:
        stages: in the order in which they ran.
        retriever: name of the model that found the candidates; ``popularity``: they are what is popular.
        ranker: name of the model that ordered them; None: there is none.
        diversity: how the list was made diverse; None: it was not.
        num_found: candidates that were found.
        num_removed: how many of them were taken away, by what.
        num_ranked: candidates that were left to order and to choose from.
        candidates: in the order in which they were found.
        num_left_out: candidates that are not told.
    """

    stages: tuple[StageTime, ...]
    retriever: str
    ranker: str | None
    diversity: Mapping[str, Any] | None
    num_found: int
    num_removed: Mapping[str, int]
    num_ranked: int
    candidates: tuple[CandidateStep, ...]
    num_left_out: int


class FixedAssignment(Assignments):
    """Gives everybody the same.

    Args:
        treatment: what is different for everybody.
    """

    def __init__(self, treatment: Treatment) -> None:
        super().__init__()
        self._treatment = treatment

    def treatment(self, user_id: str | None, session_id: str | None) -> Treatment:
        """What is different for anybody."""
        return self._treatment


class ListInspector:
    """Answers queries of people who look at the service; threads may share it.

    Args:
        parts: that lists of users are made with.
    """

    def __init__(self, parts: AnsweringParts) -> None:
        self._parts = parts
        self._latest: deque[str] = deque(maxlen=MAX_OPEN)

    def answer(
        self, query: RecommendationQuery, treatment: Treatment | None, is_traced: bool
    ) -> tuple[RecommendationAnswer, RecommendationTrace | None]:
        """A list, and the way to it where that is wanted.

        Args:
            query: of the list.
            treatment: in place of that of the user; such a list is not noted. None: that of the user.
            is_traced: whether the way to it is told; then no cache is asked.

        Raises:
            RecsysError: the query is wrong, or the bundle cannot be opened.
        """
        parts = self._parts
        if treatment is not None:
            self._open(treatment.bundle)
            parts = replace(parts, assignments=FixedAssignment(treatment), exposures=None)
        if not is_traced:
            return Answering(parts).answer([query])[0], None
        stages: list[StageTime] = []
        runtime = TracingRuntime()
        timer = StageTimer(lambda stage, seconds: stages.append(StageTime(stage, seconds * 1_000)))
        maker = ListMaker(runtime, parts.options.merge_bundle_histories)
        (answer,) = Answering(replace(parts, cache=None, maker=maker, timer=timer)).answer([query])
        return answer, _trace(runtime, stages, answer)

    def _open(self, name: str | None) -> None:
        """Open the bundle of a preview, and let go of those of earlier ones."""
        pool = self._parts.pool
        if name is None or name == pool.live.name:
            return
        if name in self._latest:
            self._latest.remove(name)
        self._latest.append(name)
        pool.open(name)
        pool.keep([*self._parts.assignments.bundles(), *self._latest])
        self._parts.items.keep(pool.opened())


def _trace(runtime: TracingRuntime, stages: Sequence[StageTime], answer: RecommendationAnswer) -> RecommendationTrace:
    trace, opened, request = runtime.trace, runtime.opened, runtime.request
    assert trace is not None and opened is not None and request is not None, "a list was made"
    manifest = opened.bundle.manifest
    places = {item.item_id: item.rank for item in answer.items}
    told = [one for place, one in enumerate(trace.candidates) if place < MAX_CANDIDATES or one.item_id in places]
    titles = [title for title, _ in opened.overlay.details([one.item_id for one in told])]
    diversity = None
    if request.diversity is not None:
        diversity = {
            "kind": request.diversity,
            "weight": request.diversity_weight,
            "column": request.diversity_column or manifest.data.content_column,
        }
    num_removed = trace.num_removed
    return RecommendationTrace(
        stages=_with_parts(stages, trace),
        retriever=manifest.retriever.model if trace.by_model else "popularity",
        ranker=manifest.ranker.model if trace.ranks and manifest.ranker is not None else None,
        diversity=diversity,
        num_found=len(trace.candidates),
        num_removed=num_removed,
        num_ranked=len(trace.candidates) - sum(num_removed.values()),
        candidates=tuple(
            CandidateStep(
                one.item_id,
                title,
                one.score,
                one.removed_by,
                one.ranker_score,
                one.ranker_rank,
                places.get(one.item_id) if one.removed_by is None else None,
            )
            for one, title in zip(told, titles, strict=True)
        ),
        num_left_out=len(trace.candidates) - len(told),
    )


def _with_parts(stages: Sequence[StageTime], trace: ListTrace) -> tuple[StageTime, ...]:
    """The stages of the service, with those of the model after the one that they are a part of."""
    parts = [StageTime(name, seconds * 1_000, _MODEL) for name, seconds in trace.seconds.items()]
    found: list[StageTime] = []
    for one in stages:
        found.append(one)
        if one.stage == _MODEL:
            found += parts
            parts = []
    return tuple(found)
