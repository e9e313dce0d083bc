"""The stages of a bundle one by one, for a server that runs them apart: between them the models of the bundle run.

Look up who asks, encode the query (ONNX), find candidates, score them (ONNX, where there is a ranker), make the list.
The lists are those of :class:`recsys.runtime.recommender.BundleRecommender` without rules of columns and diversity.

Shape suffixes: B requests, L history, S items that are not recommended, D dimensions, C candidates, K list length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.errors import RecsysError
from recsys.retrieval.candidates import NO_ITEM, Candidates
from recsys.retrieval.pipeline import Pipeline
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.ranker import reordered
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.retrievers import IndexRetriever, StaticRetriever
from recsys.retrieval.types import FloatArray, IntArray
from recsys.runtime.bundle import Bundle
from recsys.runtime.hashing import check_files
from recsys.runtime.onnx_inputs import OnnxInputs, query_inputs
from recsys.runtime.popularity_fallback import CandidateResult, with_popularity_fallback
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.request_resolution import RequestResolver, requests_of

#: The shortest width of histories and candidates.
MIN_WIDTH = 16


def padded_width(length: int) -> int:
    """The width that a list is filled up to: the next power of two, :data:`MIN_WIDTH` at least.

    A server joins requests of equal shapes only, so few widths are better than many; at most half of one is padding.

    Example:
        >>> [padded_width(length) for length in (0, 16, 17, 200)]
        [16, 16, 32, 256]
    """
    return max(MIN_WIDTH, 1 << max(0, length - 1).bit_length())


def open_part(directory: Path) -> Bundle:
    """Open some files of a bundle, with its manifest: those that a stage reads.

    Raises:
        BundleError: one of them was changed or damaged, or the manifest is of another version.
    """
    bundle = Bundle.open(directory, verify=False)
    there = {name: file for name, file in bundle.manifest.files.items() if (directory / name).exists()}
    check_files(directory, there)
    return bundle


@dataclass(frozen=True, slots=True, eq=False)
class ResolvedBatch:
    """What is known of B requests.

    Args:
        onnx_inputs: the inputs of the query encoder, see :mod:`recsys.runtime.onnx_inputs`.
        excluded: items that are not recommended, shape [B, S], int64, filled up with -1.
    """

    onnx_inputs: OnnxInputs
    excluded: IntArray


class PreprocessStage:
    """Ids to indices; histories of known users.

    Args:
        bundle: whose vocabularies and histories they are.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._lookup = RequestResolver(bundle)
        self._lookup.warm_up()

    def __call__(self, asked: Sequence[RecommendationRequest]) -> ResolvedBatch:
        """Look up B requests, 1 at least.

        Raises:
            RecsysError: see :meth:`recsys.runtime.request_resolution.RequestResolver.resolve`.
        """
        known = [self._lookup.resolve(one) for one in asked]
        width = padded_width(max(len(one.history) for one in known))
        excluded = [np.concatenate([one.seen, one.exclude_items]) for one in known]
        rows = np.full((len(known), padded_width(max(map(len, excluded)))), NO_ITEM, dtype=np.int64)
        for row, items in zip(rows, excluded, strict=True):
            row[: len(items)] = items
        return ResolvedBatch(query_inputs(requests_of(known), width), rows)


class RetrieveStage:
    """Finds candidates that may be recommended.

    Args:
        bundle: whose index and popularity it is.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._num_items = bundle.manifest.data.num_items
        self._num_ranked = bundle.manifest.num_candidates if bundle.has_ranker else 1
        self._index = bundle.index()
        self._popular = Pipeline(StaticRetriever(bundle.popularity.astype(np.float32)), num_candidates=1)

    def width(self, k: int) -> int:
        """Candidates for a list of length ``k``: all there are, at most.

        Raises:
            RecsysError: ``k`` is not positive.
        """
        if k < 1:
            raise RecsysError(f"k must be a whole number of at least 1, but it is {k}.")
        return min(max(k, self._num_ranked), self._num_items)

    def filled_width(self, width: int) -> int:
        """The width that ``width`` candidates, one of :meth:`width`, are filled up to, so that there are few widths.

        Lists that are no longer than what is ranked all have one, which needs no filling: a ranker would score it too.
        """
        return width if width == self.width(1) else padded_width(width)

    def __call__(self, queries: FloatArray, excluded: IntArray, width: int) -> CandidateResult:
        """Find candidates.

        Args:
            queries: of the query encoder, shape [B, D]; a row of NaN finds what is popular.
            excluded: items that are not wanted, shape [B, S], int64; -1 for none.
            width: C.

        Raises:
            RecsysError: the queries have another number of dimensions than the index.
        """
        requests = _without_histories(excluded)
        pipeline = Pipeline(IndexRetriever(lambda asking: queries[asking.users], self._index), num_candidates=1)
        retrieved = pipeline.shortlist(requests, width).retrieved
        return with_popularity_fallback(
            retrieved, lambda rows: self._popular.shortlist(requests.take(rows), width).retrieved
        )


def ranked(found: CandidateResult, scores: FloatArray) -> Candidates:
    """The candidates in the order of a ranker's scores, shape [B, C]; those that are only popular as they were."""
    by_ranker = reordered(found.candidates, scores)
    own = found.personalized[:, None]
    return Candidates(
        np.where(own, by_ranker.items, found.candidates.items), np.where(own, by_ranker.scores, found.candidates.scores)
    )


def _without_histories(excluded: IntArray) -> RequestBatch:
    """Requests whose users are the numbers of their rows, so that a retriever finds their queries."""
    num_requests = len(excluded)
    rows, columns = np.nonzero(excluded >= 0)
    seen = RaggedItems.from_pairs(rows, excluded[rows, columns], num_requests)
    return RequestBatch.of(np.arange(num_requests, dtype=np.int64), RaggedItems.empty(num_requests), seen)
