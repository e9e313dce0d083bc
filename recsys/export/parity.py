"""Proves that what was exported gives the numbers of the model.

Shape suffixes: B queries, I items of the catalogue, C candidates of each, K list length, M interactions of all
histories together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.prepared import PreparedDataset
from recsys.errors import ExportError
from recsys.models.interface.protocols import Explains, Query, ScoringModel
from recsys.recommendation.model_queries import query_of
from recsys.recommendation.model_stages import ModelRanker
from recsys.recommendation.request_batches import request_of_user
from recsys.recommendation.sampled_explanation import ExactExplainer
from recsys.retrieval.explanation import BatchExplainer, BatchExplanation
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.top_k import top_k
from recsys.retrieval.types import BoolArray, FloatArray, IntArray
from recsys.runtime.user_features import UserFeatures, joined_features

#: The largest difference of a score, as a share of how much the scores of a query vary, that is still rounding.
TOLERANCE = 1e-3
#: A model that scores only candidates which it finds itself may end them elsewhere among items that are equal for it:
#: so many scores, as a share, may be of one side alone, if none of them is in a list.
MAX_ONE_SIDED = 0.05
#: Scores of a query are taken to vary by this share of the largest at least.
SMALLEST_SPREAD = 0.01
#: Lists that must agree have so many items.
K = 10
#: Real users that are compared, and the size of the largest batch.
NUM_USERS = 512
#: Name of the largest batch among the queries.
MANY_USERS = f"{NUM_USERS} users"


@dataclass(frozen=True, slots=True)
class Parity:
    """What was compared, and how far it is apart.

    Args:
        num_queries: that were compared, each alone or in a batch.
        max_difference: the largest difference of a score, as a share of the standard deviation of the query's scores.
        top_k_agreement: share of the lists of K that are the same, up to items whose scores are equal within the
            tolerance.
    """

    num_queries: int
    max_difference: float
    top_k_agreement: float

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        return {**asdict(self), "k": K, "tolerance": TOLERANCE}


def parity_queries(
    prepared: PreparedDataset, min_rating: float | None, user_columns: Sequence[EncodedColumn] = (), seed: int = 0
) -> dict[str, RequestBatch]:
    """Queries by name: real users, alone and many, and the edges.

    Args:
        prepared: the data.
        min_rating: of what enters a history.
        user_columns: what is told of the users.
        seed: of the choice of users.
    """
    generator = np.random.default_rng(seed)
    counts = np.bincount(prepared.interactions.user_index, minlength=prepared.schema.num_users)
    active = np.flatnonzero(counts)
    chosen = np.sort(generator.choice(active, size=min(NUM_USERS, len(active)), replace=False))
    known_of = UserFeatures(user_columns, prepared.users)
    users = _with_features(_joined([request_of_user(int(user), prepared, min_rating) for user in chosen]), known_of)
    known = prepared.interactions.take(prepared.interactions.rows_rated_at_least(min_rating))
    lengths = np.bincount(known.user_index, minlength=prepared.schema.num_users)
    longest = _with_features(request_of_user(int(lengths.argmax()), prepared, min_rating), known_of)
    empty = RaggedItems.empty(1)
    nobody = _with_features(RequestBatch.of(np.array([-1]), empty, empty), known_of)
    strangers = RequestBatch.of(np.full(len(users), -1), users.history, users.seen)
    # A batch of exactly the largest size, whatever the number of users.
    rows = np.arange(NUM_USERS) % len(users)
    return {
        MANY_USERS: users.take(rows),
        "one user": users.take(np.array([0])),
        "the longest history": longest,
        "a stranger with a history": _with_features(strangers, known_of),
        "a stranger": nobody,
        "a known user without history": _with_features(RequestBatch.of(chosen[:1], empty, empty), known_of),
    } | ({"a stranger with features": replace(strangers, features=users.features)} if user_columns else {})


def check_scores(
    model: ScoringModel, encoded: Callable[[RequestBatch], FloatArray], queries: Mapping[str, RequestBatch]
) -> Parity:
    """Compare scores of the whole catalogue.

    Args:
        model: in PyTorch, on the CPU.
        encoded: gives the scores of what was exported, shape [B, I].
        queries: by name; unknown users are left out where the model does not fold in and leaves them unscored.

    Raises:
        ExportError: a score or a list differs.
    """
    parts = []
    for name, requests in queries.items():
        expected = _scores(model, query_of(_as_pytorch_is_asked(requests)))
        parts.append(compare_scores(name, expected, encoded(requests)))
    return joined_parity(parts)


def check_ranker(
    model: ScoringModel,
    ranked: Callable[[RequestBatch, IntArray], FloatArray],
    candidates: Callable[[RequestBatch], IntArray],
    queries: Mapping[str, RequestBatch],
) -> Parity:
    """Compare scores of candidates.

    Args:
        model: the ranker in PyTorch, on the CPU.
        ranked: gives the scores of what was exported, shape [B, C].
        candidates: of requests, shape [B, C], -1 for none.
        queries: by name.

    Raises:
        ExportError: a score or a list differs.
    """
    ranker, parts = ModelRanker(model), []
    for name, requests in queries.items():
        items = candidates(requests)
        present = items >= 0
        expected = np.where(present, ranker.score(_as_pytorch_is_asked(requests), items), np.nan)
        parts.append(compare_scores(name, expected, np.where(present, ranked(requests, items), np.nan)))
    return joined_parity(parts)


def check_explainer(
    model: Explains,
    explainer: BatchExplainer,
    items: Callable[[RequestBatch], IntArray],
    queries: Mapping[str, RequestBatch],
) -> dict[str, Any]:
    """Compare contributions.

    Args:
        model: in PyTorch, on the CPU.
        explainer: what was exported.
        items: that are explained to requests, shape [B, K], -1 for none.
        queries: by name.

    Returns:
        For the manifest: queries, and the largest difference of a contribution or a rest, as a share of the largest of
        its query and item.

    Raises:
        ExportError: a contribution or a rest differs.
    """
    exact, largest = ExactExplainer(model), 0.0
    for name, requests in queries.items():
        explained = items(requests)
        expected = exact.explain(_as_pytorch_is_asked(requests), explained)
        largest = max(largest, _explanation_difference(name, expected, explainer.explain(requests, explained)))
    num_queries = sum(len(requests) for requests in queries.values())
    return {"num_queries": num_queries, "max_difference": largest, "tolerance": TOLERANCE}


def _explanation_difference(name: str, expected: BatchExplanation, found: BatchExplanation) -> float:
    """The largest difference, as a share of the largest contribution or rest of the same request and item."""
    rows = expected.history.rows
    scale = np.nan_to_num(np.abs(expected.rest.astype(np.float64)))
    np.maximum.at(scale, rows, np.nan_to_num(np.abs(expected.contributions)))
    scale = np.where(scale > 0, scale, 1)
    largest = 0.0
    for ours, theirs, of in (
        (found.contributions, expected.contributions, scale[rows]),
        (found.rest, expected.rest, scale),
    ):
        if ours.shape != theirs.shape or (np.isnan(ours) != np.isnan(theirs)).any():
            raise ExportError(
                f"For {name} the exported explainer and the model in PyTorch split the scores of other items. The "
                "export is refused."
            )
        difference = np.abs(ours.astype(np.float64) - theirs) / of
        largest = max(largest, float(np.nan_to_num(difference).max(initial=0)))
    if largest > TOLERANCE:
        raise ExportError(
            f"For {name} the exported explainer differs from PyTorch: contributions by {largest:.2g} of the largest of "
            f"an item (allowed {TOLERANCE:g}). The export is refused."
        )
    return largest


def overlap(first: FloatArray, second: FloatArray) -> float:
    """Mean share of the K best items by the first scores (shape [B, I]) that are among those by the second."""
    best, other = (top_k(scores, K).items for scores in (first, second))
    return float(shared_items(best, other).sum() / max(1, (best >= 0).sum()))


def shared_items(items: IntArray, other: IntArray) -> BoolArray:
    """Whether the list of each query in ``other`` has each of ``items``; both of shape [B, K], -1 for none."""
    shared: BoolArray = (items[:, :, None] == other[:, None, :]).any(axis=2) & (items >= 0)
    return shared


def _with_features(requests: RequestBatch, known: UserFeatures) -> RequestBatch:
    """The requests with what is known of their users' columns."""
    return replace(requests, features=joined_features([known.of(int(user), {})[0] for user in requests.users]))


def _as_pytorch_is_asked(requests: RequestBatch) -> RequestBatch:
    """Without the features of known users, which the model has itself."""
    return replace(requests, features={}) if (requests.users >= 0).all() else requests


@torch.inference_mode()
def _scores(model: ScoringModel, query: Query) -> FloatArray:
    scores: FloatArray = model.score(query).numpy()
    return scores


def compare_scores(name: str, expected: FloatArray, found: FloatArray) -> Parity:
    """Compare scores of one shape, up to a constant for each row.

    Raises:
        ExportError: a score or a list differs, or the shapes do; ``name`` says of what.
    """
    if expected.shape != found.shape:
        raise ExportError(
            f"For {name} the exported model gives scores of shape {list(found.shape)}, but PyTorch of shape "
            f"{list(expected.shape)}. The export is refused."
        )
    missing = np.isnan(expected)
    magnitude = np.max(np.where(missing, 0, np.abs(expected)), axis=1, initial=0)
    one_sided = missing != np.isnan(found)
    if one_sided.any():
        listed = np.take_along_axis(one_sided, np.maximum(top_k(expected, K).items, 0), axis=1).any()
        listed |= np.take_along_axis(one_sided, np.maximum(top_k(found, K).items, 0), axis=1).any()
        if listed or one_sided.mean() > MAX_ONE_SIDED:
            raise ExportError(
                f"For {name} the exported model and the one in PyTorch score other items ("
                f"{int(one_sided.sum()):,} of {expected.size:,}). The export is refused."
            )
        expected, found = (np.where(one_sided, np.nan, scores) for scores in (expected, found))
        missing = missing | one_sided
    expected, found = _centred(expected), _centred(found)
    known = np.where(missing, 0, expected)
    count = np.maximum(1, (~missing).sum(axis=1))
    spread = np.sqrt(np.square(known).sum(axis=1) / count)
    # Where scores are nearly the same there is nothing to tell apart, and they differ by the rounding of what they are.
    scale = np.maximum(spread, SMALLEST_SPREAD * magnitude)[:, None]
    scale = np.where(scale > 0, scale, 1)
    difference = float(np.max(np.where(missing, 0, np.abs(expected - found)) / scale, initial=0))
    best, own = top_k(expected, K), top_k(found, K)
    there = own.items >= 0
    reached = np.where(there, np.take_along_axis(known, np.maximum(own.items, 0), axis=1), 0)
    short = there & (reached < np.where(there, best.scores, 0) - 2 * TOLERANCE * scale)
    agreement = float(1 - short.any(axis=1).mean()) if len(short) > 0 else 1.0
    if difference > TOLERANCE or agreement < 1:
        raise ExportError(
            f"For {name} the exported model differs from PyTorch: the scores by {difference:.2g} of their spread "
            f"(allowed {TOLERANCE:g}), and {agreement:.1%} of the lists of {K} agree. The export is refused."
        )
    return Parity(len(expected), difference, agreement)


def _centred(scores: FloatArray) -> FloatArray:
    """Scores less the mean of each row, float64."""
    wide = scores.astype(np.float64)
    count = np.maximum(1, (~np.isnan(wide)).sum(axis=1, keepdims=True))
    centred: FloatArray = wide - np.nansum(wide, axis=1, keepdims=True) / count
    return centred


def joined_parity(parts: Sequence[Parity]) -> Parity:
    """What was compared in several parts, at least one, as one."""
    return Parity(
        sum(part.num_queries for part in parts),
        max(part.max_difference for part in parts),
        min(part.top_k_agreement for part in parts),
    )


def _joined(requests: list[RequestBatch]) -> RequestBatch:
    """Requests of one user each as one batch."""

    def column(name: str) -> Any:
        parts = [getattr(one.history, name) for one in requests]
        return None if parts[0] is None else np.concatenate(parts)

    def offsets(lists: list[RaggedItems]) -> IntArray:
        return np.concatenate([[0], np.cumsum([len(one.items) for one in lists])]).astype(np.int64)

    history = RaggedItems(
        offsets([one.history for one in requests]), column("items"), column("rating"), column("timestamp")
    )
    seen = RaggedItems(offsets([one.seen for one in requests]), np.concatenate([one.seen.items for one in requests]))
    return RequestBatch.of(np.concatenate([one.users for one in requests]), history, seen)
