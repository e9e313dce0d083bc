"""The Gram matrix of items, changed by the users whose interactions changed.

Shape suffixes: I items.
"""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.data.interactions import Interactions
from recsys.models.interface.earlier_fit import EarlierFit
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.row_products import gram_matrix

#: Under which an update keeps the matrix for the next one.
GRAM = "gram"


def updated_gram(interactions: Interactions, earlier: EarlierFit, device: torch.device) -> Tensor:
    """``X^T X`` of the interactions, X with a row for each user; shape [I, I], float32.

    It is a sum over users: what those who changed added before is taken off, and what they add now is added. Of whole
    numbers this is exact up to 2**24. Where no earlier matrix was kept it is computed from all interactions.

    Args:
        interactions: all training rows of now.
        earlier: with the matrix of the earlier rows in its statistics, or none.
        device: where it is computed.
    """
    kept = earlier.statistics.get(GRAM)
    if kept is None:
        return gram_matrix(InteractionMatrix.from_interactions(interactions, device).transpose())
    num_items = interactions.num_items
    gram = torch.zeros(num_items, num_items, device=device)
    gram[: len(kept), : len(kept)] = kept
    for rows, sign in ((earlier.change.before, -1), (earlier.change.now, 1)):
        matrix = InteractionMatrix.from_interactions(rows, device).transpose()
        gram.add_(gram_matrix(matrix), alpha=sign)
    return gram
