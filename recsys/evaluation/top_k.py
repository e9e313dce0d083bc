"""Exact top-k of each row of scores, with a fixed order of ties.

Shape suffixes: B rows, R rows with ties, I items, K list length.
"""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.errors import EvaluationError

#: Pads a list that has no further item.
NO_ITEM = -1


def top_k(scores: Tensor, k: int, has_nan: bool = True, settle_all: bool = False) -> tuple[Tensor, Tensor]:
    """The top ``k`` items of each row, best first.

    The result does not depend on the device, on the batch or on the sorting algorithm:

    - the higher score comes first; of equal scores, the lower item index;
    - NaN (unscored) and minus infinity (masked) are never recommended;
    - a row with fewer than ``k`` candidates is padded with item -1 and score minus infinity.

    The cost is that of ``torch.topk`` with ``k + 1``, and as much again for rows where rank ``k`` is tied with rank
    ``k + 1``, or that contain NaN. Which rows these are is a shape, so that the host waits for the device once for the
    ties, and once for NaN; without NaN and with ``settle_all`` it does not wait.

    Args:
        scores: shape [B, I], any float type; not changed.
        k: list length, at least 1; may exceed I.
        has_nan: False where no score is NaN, which saves a look at them.
        settle_all: treat all rows as if their last place was tied.

    Returns:
        Items, shape [B, K], int64, and their scores, shape [B, K], in the type of ``scores``.

    Raises:
        EvaluationError: ``k`` is below 1.
    """
    if k < 1:
        raise EvaluationError(f"a list of recommendations has at least 1 item; k is {k}: ask for 1 or more")
    num_rows, num_items = scores.shape
    if num_items == 0:
        empty = scores.new_full((num_rows, k), float("-inf"))
        return torch.full((num_rows, k), NO_ITEM, device=scores.device), empty

    # One rank more than requested shows whether the last place is tied.
    width = min(k + 1, num_items)
    best, items = scores.topk(width, dim=1)
    if has_nan:
        # torch ranks NaN highest, so a row that has one has it in front.
        rows = best[:, 0].isnan().nonzero()[:, 0]
        if len(rows) > 0:
            best[rows], items[rows] = without_nan(scores[rows]).topk(width, dim=1)

    if width > k:
        tied = (best[:, k - 1] == best[:, k]) & (best[:, k] > float("-inf"))
        best, items = best[:, :k], items[:, :k]
        if settle_all:
            items = _settle_last_place(scores, best, items)
        elif len(rows := tied.nonzero()[:, 0]) > 0:
            items[rows] = _settle_last_place(scores[rows], best[rows], items[rows])

    best, items = _order_ties(best, items)
    items = torch.where(best > float("-inf"), items, NO_ITEM)
    if width < k:
        items = torch.nn.functional.pad(items, (0, k - width), value=NO_ITEM)
        best = torch.nn.functional.pad(best, (0, k - width), value=float("-inf"))
    return items, best


def without_nan(scores: Tensor) -> Tensor:
    """A copy of ``scores`` with minus infinity in place of NaN."""
    return torch.nan_to_num(scores, nan=float("-inf"), posinf=float("inf"), neginf=float("-inf"))


def _settle_last_place(scores_RI: Tensor, best_RK: Tensor, items_RK: Tensor) -> Tensor:
    """Give the places of the lowest score to the first items that have it; the other places stay."""
    num_items, k = scores_RI.shape[1], best_RK.shape[1]
    last_R1 = best_RK[:, -1:]
    # Only the k first items of the tie can be needed: those with the k largest countdown numbers.
    countdown = torch.arange(num_items, 0, -1, device=scores_RI.device, dtype=torch.int32)
    tied_RK = num_items - torch.where(scores_RI == last_R1, countdown, 0).topk(k, dim=1).values.long()
    num_above_R1 = (best_RK > last_R1).sum(dim=1, keepdim=True)
    place_RK = torch.arange(k, device=scores_RI.device) - num_above_R1
    return torch.where(place_RK >= 0, tied_RK.gather(1, place_RK.clamp(min=0)), items_RK)


def _order_ties(best_RK: Tensor, items_RK: Tensor) -> tuple[Tensor, Tensor]:
    """Put equal scores in the order of their item indices."""
    items_RK, order = items_RK.sort(dim=1)
    # Adding zero turns -0.0 into 0.0, which a radix sort would tell apart.
    best_RK, order = (best_RK.gather(1, order) + 0.0).sort(dim=1, descending=True, stable=True)
    return best_RK, items_RK.gather(1, order)
