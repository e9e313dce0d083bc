"""What became of each candidate on the way to a list: for people who want to see why a list is as it is.

Shape suffixes: I items, N candidates before filters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from recsys.retrieval.candidates import Candidates
from recsys.retrieval.pipeline_trace import KEPT, REPEATED, PipelineTrace
from recsys.retrieval.types import BoolArray, IntArray

#: What takes candidates away. ``seen``: the user knows them; ``excluded``: the request names them; ``unavailable``:
#: they are switched off, or the bundle's own filters do not allow them; ``filters``: those of the request do not;
#: ``repeated``: they came before; ``cut``: there were enough better ones.
REASONS = ("seen", "excluded", "unavailable", "filters", "repeated", "cut")
_SEEN, _EXCLUDED = 0, 1


@dataclass(frozen=True, slots=True)
class TracedCandidate:
    """A candidate.

    Args:
        item_id: of the item.
        score: by what found it; None: it is no number.
        removed_by: one of :data:`REASONS`; None: it was kept.
        ranker_score: None without a ranker, or where it does not score the item.
        ranker_rank: place among the candidates after the ranker, from 1; None: it was taken away before.
        rank: in the list, from 1; None: it is not in it.
    """

    item_id: str
    score: float | None
    removed_by: str | None
    ranker_score: float | None
    ranker_rank: int | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class ListTrace:
    """The way to one list.

    Args:
        by_model: whether the model found the candidates; else they are what is popular.
        ranks: whether a ranker ordered them.
        candidates: in the order in which they were found.
        seconds: of each stage, by the names in :data:`recsys.retrieval.pipeline.STAGES`.
    """

    by_model: bool
    ranks: bool
    candidates: tuple[TracedCandidate, ...]
    seconds: Mapping[str, float]

    @property
    def num_removed(self) -> dict[str, int]:
        """How many candidates were taken away, by what; in the order of :data:`REASONS`."""
        counts = Counter(one.removed_by for one in self.candidates if one.removed_by is not None)
        return {reason: counts[reason] for reason in REASONS if counts[reason]}


def trace_of(
    steps: PipelineTrace,
    chosen: Candidates,
    allowed: BoolArray,
    ids_of: Callable[[IntArray], list[str]],
    seconds: Mapping[str, float],
    *,
    by_model: bool,
    ranks: bool,
) -> ListTrace:
    """The trace of one request.

    Args:
        steps: of the pipeline, for this request alone.
        chosen: its list.
        allowed: items that are there and that lists without filters may have, shape [I].
        ids_of: ids of items.
        seconds: of each stage.
        by_model: whether the model found the candidates.
        ranks: whether a ranker ordered them.
    """
    found, scores = steps.found.items[0], steps.found.scores[0]
    there = found >= 0
    found, scores, removed = found[there], scores[there], steps.removed_by[0][there]
    kept = {int(item) for item in steps.retrieved.items[0] if item >= 0}
    ranker = {
        int(item): (place, float(score))
        for place, (item, score) in enumerate(zip(steps.ranked.items[0], steps.ranked.scores[0], strict=True), start=1)
        if item >= 0
    }
    places = {int(item): place for place, item in enumerate(chosen.items[0], start=1) if item >= 0}
    candidates = []
    for item_id, item, score, number in zip(
        ids_of(found), found.tolist(), scores.tolist(), removed.tolist(), strict=True
    ):
        reason = _reason(number, item, allowed, item in kept)
        place, ranker_score = ranker.get(item, (None, None)) if reason is None else (None, None)
        candidates.append(
            TracedCandidate(
                item_id,
                _number(score),
                reason,
                _number(ranker_score) if ranks else None,
                place,
                places.get(item) if reason is None else None,
            )
        )
    return ListTrace(by_model, ranks, tuple(candidates), seconds)


def _reason(number: int, item: int, allowed: BoolArray, is_kept: bool) -> str | None:
    if number == KEPT:
        return None if is_kept else "cut"
    if number == REPEATED:
        return "repeated"
    if number in (_SEEN, _EXCLUDED):
        return "seen" if number == _SEEN else "excluded"
    return "filters" if item < len(allowed) and allowed[item] else "unavailable"


def _number(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else value
