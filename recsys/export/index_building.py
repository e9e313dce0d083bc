"""The index of a bundle, as it is asked for. Shape suffixes: B queries, I items, D dimensions."""

from __future__ import annotations

import numpy as np

from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.index import CandidateIndex, ExactIndex
from recsys.retrieval.index_checks import has_vector
from recsys.retrieval.index_selection import choose_index, recall_of
from recsys.retrieval.types import FloatArray
from recsys.runtime.manifest import BundleIndex

#: The cut-off of the recall that is measured.
RECALL_AT = 100
#: Queries that it is measured with, at most.
NUM_QUERIES = 256


def build_index(
    vectors: FloatArray, queries: FloatArray, wanted: str, recall_target: float, rescore: int | None
) -> tuple[CandidateIndex, BundleIndex, str]:
    """Build an index.

    Args:
        vectors: of the items, shape [I, D]; NaN for an item without one.
        queries: of real users, shape [B, D], by which its recall is measured; NaN for a user without one.
        wanted: ``auto``, ``exact``, or FAISS's description of an index.
        recall_target: of an automatic index.
        rescore: how many times as many candidates FAISS finds, which are then scored by their exact vectors; None: as
            the index scores them.

    Returns:
        The index, what the manifest says of it, and why it was chosen, in words.

    Raises:
        RetrievalError: FAISS is missing, does not know the description, or needs more vectors.
    """
    known = queries[has_vector(queries)]
    if wanted == "auto":
        chosen = choose_index(vectors, recall_target, RECALL_AT, known if len(known) > 0 else None)
        if isinstance(chosen.index, FaissIndex) and chosen.measured is not None:
            described = _described(chosen.index, chosen.measured.factory, chosen.measured.recall, None)
            return chosen.index, described, chosen.reason
        return chosen.index, BundleIndex("exact", dim=vectors.shape[1]), chosen.reason
    exact = ExactIndex(vectors)
    if wanted == "exact":
        return exact, BundleIndex("exact", dim=vectors.shape[1]), "exact search, as asked for"
    index = FaissIndex.build(vectors, wanted, rescore=rescore)
    sample = known[:NUM_QUERIES] if len(known) > 0 else vectors[has_vector(vectors)][:NUM_QUERIES]
    at = min(RECALL_AT, exact.num_items)
    recall = float(np.mean(recall_of(index.search(sample, at).items, exact.search(sample, at), sample, exact)))
    return index, _described(index, wanted, recall, rescore), f"{wanted}, as asked for"


def _described(index: FaissIndex, factory: str, recall: float, rescore: int | None) -> BundleIndex:
    parameters = (
        {"search_effort": min(index.search_effort, index.max_search_effort)}
        if index.search_effort_name is not None
        else {}
    )
    if rescore is not None:
        parameters["rescore"] = rescore
    return BundleIndex("faiss", dim=index.dim, factory=factory, parameters=parameters, recall=recall)
