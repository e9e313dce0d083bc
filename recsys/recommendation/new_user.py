"""The k best unseen items, straight from a model: for users of the vocabulary, and for one who was not in training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.prepared import PreparedDataset
from recsys.data.user_items import UserItems
from recsys.errors import ModelError, RecsysError
from recsys.evaluation.top_k import top_k, without_nan
from recsys.models.interface.protocols import FoldsIn, PredictsRatings, Query, Recommender


@torch.inference_mode()
def recommend(
    model: Recommender, known: Interactions, seen: Interactions, users: Tensor, k: int
) -> tuple[Tensor, Tensor]:
    """Rank the items that each user has not seen.

    Args:
        model: any model, on the CPU.
        known: the histories that the model may score from.
        seen: what is not recommended again: all interactions, those below the positive threshold too.
        users: internal indices, shape [B], int64, each in the vocabulary.
        k: length of the lists; those of users with fewer unseen items are padded with item -1 and score -inf.

    Returns:
        Item indices, shape [B, k], int64, best first, and their scores, shape [B, k].

    Raises:
        RecsysError: ``k`` is not a positive whole number.
    """
    _check(k)
    # A copy as well, since a model may return a view of what it keeps.
    scores = without_nan(model.score(Query(users, Histories.from_interactions(known).take(users))))
    rows, items = UserItems.from_interactions(seen).pairs_of(users)
    scores[rows, items] = float("-inf")
    return top_k(scores, k)


@dataclass(frozen=True, slots=True)
class NewUser:
    """What a user who was not in training tells of themselves.

    Args:
        history: one row: the items that a model may score from, oldest first.
        seen: items that are not recommended again, shape [M], int64: those that were not liked too.
        unknown_ids: given ids that are not in the data.
    """

    history: Histories
    seen: Tensor
    unknown_ids: tuple[str, ...]

    @classmethod
    def from_ids(
        cls,
        item_ids: Sequence[str],
        ratings: Sequence[float] | None,
        prepared: PreparedDataset,
        min_rating: float | None,
    ) -> NewUser:
        """Look up the items.

        Args:
            item_ids: external ids, oldest first; of one that is repeated the last counts.
            ratings: one for each id, on the scale of the data; None where there are none, and then all were liked.
            prepared: the data.
            min_rating: what is rated lower does not enter the history; None: everything enters.

        Raises:
            RecsysError: ratings are of another number or scale, or the data have none.
        """
        values = None if ratings is None else _ratings(ratings, len(item_ids), prepared)
        indices = prepared.item_vocabulary.index_of(list(item_ids)).tolist()
        last = {index: position for position, index in enumerate(indices) if index >= 0}
        seen = torch.tensor(sorted(last, key=last.__getitem__), dtype=torch.int64)
        items, rating = seen, None
        if values is not None:
            rating = torch.tensor(values)[[last[index] for index in seen.tolist()]]
            liked = torch.full_like(seen, True, dtype=torch.bool) if min_rating is None else rating >= min_rating
            items, rating = seen[liked], rating[liked]
        return cls(
            history=Histories(torch.tensor([0, len(items)]), items, rating, None),
            seen=seen,
            unknown_ids=tuple(dict.fromkeys(name for name, index in zip(item_ids, indices, strict=True) if index < 0)),
        )


def _ratings(ratings: Sequence[object], num_items: int, prepared: PreparedDataset) -> list[float]:
    """Checked ratings."""
    scale = prepared.schema.rating
    if scale is None:
        raise RecsysError(f"Ratings were given, but {prepared.schema.name} has none. Leave ratings out.")
    num_ratings = len(ratings) if isinstance(ratings, Sequence) and not isinstance(ratings, str) else 1
    if num_ratings != num_items:
        raise RecsysError(
            f"One rating for each item of the history is required, but {num_ratings} came for {num_items} items. "
            "Give as many, or none."
        )
    values = [float(value) if isinstance(value, int | float) else math.nan for value in ratings]
    wrong = [given for given, value in zip(ratings, values, strict=True) if not scale.min <= value <= scale.max]
    if wrong:
        raise RecsysError(
            f"Ratings of {prepared.schema.name} are numbers from {scale.min:g} to {scale.max:g}, but "
            f"{', '.join(map(str, wrong))} came. Correct them."
        )
    return values


def min_rating_of_history(model: nn.Module, prepared: PreparedDataset) -> float | None:
    """The lowest rating that ``model`` has in its histories; None where it has all ratings there."""
    return None if isinstance(model, PredictsRatings) else prepared.schema.positive_threshold


def folding_in(model: nn.Module) -> FoldsIn:
    """``model`` as one that scores users who were not in training.

    Raises:
        ModelError: it scores only users that it was trained with.
    """
    if not isinstance(model, FoldsIn):
        raise ModelError(
            f"A model that folds in unseen users is required to recommend from a history, but {type(model).__name__} "
            "scores only the users that it was trained with. Train again with the history in the data and give user=ID,"
            " or train a model that folds in (docs/models.md says which do)."
        )
    return model


def _check(k: object) -> None:
    if not isinstance(k, int) or k < 1:
        raise RecsysError(f"k must be a whole number of at least 1, but it is {k}.")
