"""Chooses an index for a catalogue by what it measures: the fastest of those that find what exact search finds.

Shape suffixes: B queries, I items, D dimensions, K cut-off.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.errors import RetrievalError
from recsys.retrieval.candidates import Candidates
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.index import CandidateIndex, ExactIndex
from recsys.retrieval.index_checks import check_queries, has_vector
from recsys.retrieval.search_latency import measure_latency_ms
from recsys.retrieval.types import BoolArray, FloatArray, IntArray

#: The largest catalogue for which nothing but exact search is tried: up to it, lists with recall .99 save less than
#: 0.05 ms of a single query (``benchmarks/index_speed.py --limit``).
EXACT_LIMIT = 5_000

#: Queries that recall is measured with, at most: more of them say little more, and exact search takes its time.
MAX_QUERIES = 256

#: Scores of two ways to compute them may differ by this share and still be of equals.
TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class IndexTrial:
    """An index that was measured.

    Args:
        factory: the factory string of FAISS; "exact" for :class:`ExactIndex`.
        search_effort: ``nprobe`` or ``efSearch``; None where there is none.
        recall: the share of the best K items that was found, mean over the sample queries.
        recall_error: its standard error.
        milliseconds: for a single query that asks for K items; None where the recall was too low.
        build_seconds: to build it.
    """

    factory: str
    search_effort: int | None
    recall: float
    recall_error: float
    milliseconds: float | None
    build_seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class ChosenIndex:
    """What was chosen, and why.

    Args:
        index: the index.
        measured: what was measured of it; None where nothing was.
        exact_milliseconds: what a single query takes in exact search, beside; None where nothing was measured.
        reason: why it was chosen, in a sentence.
        tried: all that was measured, in order.
        at: K.
        num_queries: sample queries.
        real_queries: whether they were given; else they are items.
    """

    index: CandidateIndex
    measured: IndexTrial | None
    exact_milliseconds: float | None
    reason: str
    tried: tuple[IndexTrial, ...]
    at: int
    num_queries: int
    real_queries: bool


def choose_index(
    vectors: FloatArray,
    recall_target: float = 0.99,
    at: int = 100,
    sample_queries: FloatArray | None = None,
    factories: Sequence[str] | None = None,
    exact_limit: int = EXACT_LIMIT,
    seed: int = 0,
) -> ChosenIndex:
    """Choose the index of a catalogue.

    Exact search where the catalogue is small. Else indexes of FAISS are built one after the other, and the search of
    each is made broader until its recall reaches the target by more than its standard error; the first that does so,
    and is faster than exact search, is taken. If none is, search is exact.

    Args:
        vectors: of the items, shape [I, D], float; NaN for one without.
        recall_target: the share of the best K items that must be found, above 0 and at most 1.
        at: K.
        sample_queries: queries as they will come, encoded users say, shape [B, D]; rows with NaN are left out, and of
            more than 256 as many are drawn. None: vectors of items are drawn. Those lie where items are, and users
            often do not, so that the recall for users may be lower than what is measured with them.
        factories: the factory strings to try, in this order; None: lists, their number a power of 2 near
            ``3 * sqrt(I)``, with 4 bytes a number.
        exact_limit: the largest catalogue for which nothing is tried.
        seed: of all that is drawn and trained.

    Raises:
        RetrievalError: the target or K is out of range, the queries have other dimensions than the items, none of them
            is without NaN, or FAISS is missing and would be tried.
    """
    if not 0 < recall_target <= 1 or at < 1:
        raise RetrievalError(
            f"A recall above 0 and at most 1, of at least 1 item, is required, but it is {recall_target} of {at}."
        )
    exact = ExactIndex(vectors)
    if sample_queries is not None:
        check_queries(sample_queries, exact.dim)
    known = np.flatnonzero(exact.present)
    real = sample_queries is not None
    if len(known) <= exact_limit:
        reason = f"{len(known)} items are no more than the {exact_limit} up to which exact search is as fast"
        return ChosenIndex(exact, None, None, reason, (), at, 0, real)
    queries = _sampled(vectors, known, seed) if sample_queries is None else _usable(sample_queries, seed)
    truth = exact.search(queries, at)
    exact_milliseconds = measure_latency_ms(lambda batch: exact.search(batch, at), queries)
    tried: list[IndexTrial] = []
    for factory in (f"IVF{_num_lists(len(known))},Flat",) if factories is None else factories:
        started = time.perf_counter()
        index = FaissIndex.build(vectors, factory, seed=seed)
        build_seconds = time.perf_counter() - started

        def search(batch: FloatArray, index: FaissIndex = index) -> Candidates:
            return index.search(batch, at)

        def recalls(search_effort: int, index: FaissIndex = index) -> FloatArray:
            index.search_effort = search_effort
            return recall_of(index.search(queries, at).items, truth, queries, exact)

        found = _least(lambda search_effort: _reaches(recalls(search_effort), recall_target), index.max_search_effort)
        measured = recalls(index.max_search_effort if found is None else found)
        milliseconds = None if found is None else measure_latency_ms(search, queries)
        tried.append(
            IndexTrial(
                factory,
                index.search_effort if index.search_effort_name else None,
                float(measured.mean()),
                _standard_error(measured),
                milliseconds,
                build_seconds,
            )
        )
        if milliseconds is not None and milliseconds < exact_milliseconds:
            reason = (
                f"{factory} finds {measured.mean():.4f} of the best {at} items in {milliseconds:.2f} ms, exact search "
                f"takes {exact_milliseconds:.2f} ms"
            )
            return ChosenIndex(index, tried[-1], exact_milliseconds, reason, tuple(tried), at, len(queries), real)
    reason = "; ".join(["exact search, since no index is as good and faster", *map(_why_not, tried)])
    return ChosenIndex(exact, None, exact_milliseconds, reason, tuple(tried), at, len(queries), real)


def recall_of(items: IntArray, truth: Candidates, queries: FloatArray, exact: ExactIndex) -> FloatArray:
    """The share of the best K items that was found, for each query; one that ties with the last of them counts.

    Args:
        items: what was found, shape [B, K], int64; -1 for none.
        truth: the best K of exact search.
        queries: shape [B, D].
        exact: the index that the truth is of.

    Returns:
        Shape [B], float64.
    """
    last = np.min(truth.scores, axis=1, keepdims=True, initial=np.inf, where=truth.present)
    scores = exact.score(queries, items)
    slack = TOLERANCE * np.maximum(1, np.abs(last))
    good: BoolArray = np.asarray((items >= 0) & (scores >= last - slack))
    return np.minimum(1.0, good.sum(axis=1) / np.maximum(1, truth.counts))


def _num_lists(num_items: int) -> int:
    return int(2 ** round(float(np.log2(3 * np.sqrt(num_items)))))


def _sampled(vectors: FloatArray, known: IntArray, seed: int) -> FloatArray:
    """Vectors of some items."""
    drawn = np.random.default_rng(seed).choice(known, min(MAX_QUERIES, len(known)), replace=False)
    return np.asarray(vectors[np.sort(drawn)], dtype=np.float32)


def _usable(queries: FloatArray, seed: int) -> FloatArray:
    """Some of the queries that have no NaN."""
    usable = np.flatnonzero(has_vector(queries))
    if len(usable) == 0:
        raise RetrievalError(
            f"Sample queries without NaN are required, but none of {len(queries)} is. Encode users that the model "
            "knows."
        )
    drawn = np.random.default_rng(seed).choice(usable, min(MAX_QUERIES, len(usable)), replace=False)
    return np.asarray(queries[np.sort(drawn)], dtype=np.float32)


def _standard_error(values: FloatArray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def _reaches(recalls: FloatArray, target: float) -> bool:
    """By more than the standard error, so that other queries reach it as well; all of 1 is enough."""
    return bool(min(1.0, recalls.mean()) - _standard_error(recalls) >= target)


def _least(reaches: Callable[[int], bool], most: int) -> int | None:
    """The least search effort that reaches the target, to an eighth of itself; None if none does.

    Recall grows with the effort, so it is doubled until it is enough, and then halved in between.
    """
    high = 1
    while not reaches(high):
        if high == most:
            return None
        high = min(2 * high, most)
    low = high // 2
    while high - low > max(1, high // 8):
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def _why_not(tried: IndexTrial) -> str:
    if tried.milliseconds is None:
        return f"{tried.factory} finds {tried.recall:.4f} (± {tried.recall_error:.4f}) at its broadest"
    return f"{tried.factory} finds {tried.recall:.4f} in {tried.milliseconds:.2f} ms"
