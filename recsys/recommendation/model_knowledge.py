"""What a PyTorch model reads of a request, found by asking it, and what it has learnt about.

Shape suffixes: B queries, I items of the catalogue.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.prepared import PreparedDataset
from recsys.models.interface.protocols import FoldsIn, PredictsRatings, Query, ScoringModel, UsesUserFeatures
from recsys.recommendation.prepared_tables import min_rating_of_history
from recsys.runtime.personalization.knowledge import ITEMS, RATINGS, Knowledge, Reads

#: Users that a model is asked about, to see what it reads.
NUM_ASKED = 8
#: Differences of scores up to this share of their spread are rounding.
ROUNDING = 1e-4


def knowledge_of(model: ScoringModel, prepared: PreparedDataset, training: Interactions | None = None) -> Knowledge:
    """What a model knows.

    Args:
        model: fitted, on the CPU, in evaluation mode.
        prepared: its data.
        training: the interactions that it was fitted on; None: all of the data that enter its histories.
    """
    if training is None:
        known = prepared.interactions
        training = known.take(known.rows_rated_at_least(min_rating_of_history(model, prepared)))
    schema = prepared.schema
    items = np.bincount(training.item_index, minlength=schema.num_items) > 0
    if (known_by_content := getattr(model, "known_by_content", None)) is not None:
        items |= known_by_content().cpu().numpy()
    users = np.bincount(training.user_index, minlength=schema.num_users) > 0
    return Knowledge(_reads(model, training), items, users)


@torch.inference_mode()
def _reads(model: ScoringModel, training: Interactions) -> Reads:
    """What changes the scores of a model: histories, ratings in them, or who asks."""
    columns = model.user_columns() if isinstance(model, UsesUserFeatures) else ()
    names = tuple(column.name for column in columns)
    users = torch.from_numpy(np.unique(training.user_index)[:NUM_ASKED].astype(np.int64))
    if len(users) == 0:
        return Reads(ITEMS if isinstance(model, FoldsIn) else None, not isinstance(model, FoldsIn), names)

    def scores(who: Tensor, histories: Histories) -> Tensor:
        missing = {column.name: torch.from_numpy(column.missing(len(who))) for column in columns}
        return model.score(Query(who, histories, missing))

    nobody = torch.full_like(users, -1)
    rows = np.flatnonzero(np.isin(training.user_index, users.numpy()))
    own = Histories.from_interactions(training.take(rows)).take(users)
    bare = replace(own, rating=None)
    empty = own.take(nobody)
    base = scores(nobody, empty)
    history = None
    if _differ(scores(nobody, bare), base):
        history = ITEMS
    elif own.rating is not None and _differ(scores(nobody, own), base):
        history = RATINGS
    user_ids = _differ(scores(users, empty), base)
    if isinstance(model, PredictsRatings):
        # It reads ratings and knows its users, also where all of these have rated alike.
        history, user_ids = history or RATINGS, True
    return Reads(history, user_ids, names)


def _differ(scores: Tensor, base: Tensor) -> bool:
    """Whether scores (shape [B, I]) say something else than others, beyond rounding."""
    if not bool((scores.isfinite() == base.isfinite()).all()):
        return True
    known = scores.isfinite()
    scores, base = scores.where(known, 0), base.where(known, 0)
    spread = torch.maximum(scores.amax(1) - scores.amin(1), base.amax(1) - base.amin(1))
    scale = torch.maximum(spread, base.abs().amax(1) * ROUNDING)
    return bool(((scores - base).abs().amax(1) > ROUNDING * scale).any())
