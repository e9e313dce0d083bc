import numpy as np
import pytest
import torch
from torch import Tensor, nn

from recsys.errors import ExportError
from recsys.export.new_items_parity import check_new_items
from tests.retrieval.made import requests

NUM_ITEMS = 4
VECTORS = torch.tensor([[0.5], [1.5], [2.5]])
QUERIES = {"two": requests([[1], [2]]), "one": requests([[0]])}
#: The second and the fourth of each list become new, as far as there are vectors.
CANDIDATES = np.array([[0, 1, 2, -1], [3, 2, 0, 3]])


class Ranker(nn.Module):
    """Scores an item by its index, and a new one by its vector."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[list[int]]] = []

    def forward(self, query: object, candidates: Tensor, new_items: Tensor) -> Tensor:
        self.asked.append(candidates.tolist())
        new = new_items[(candidates - NUM_ITEMS).clamp(0, 2), 0]
        return torch.where(candidates >= NUM_ITEMS, new, candidates.float())


def check(found: float):
    """``found`` is added to the scores of new items where they are exported."""
    ranker, own = Ranker(), Ranker()

    def ranked(batch, items):
        return own(None, torch.from_numpy(items), VECTORS).numpy() + found * (items >= NUM_ITEMS)

    return ranker, check_new_items(ranker, ranked, lambda batch: CANDIDATES[: len(batch)], QUERIES, VECTORS, NUM_ITEMS)


def test_every_other_candidate_is_asked_for_as_a_new_item():
    ranker, parity = check(0.0)
    assert ranker.asked == [[[0, 5, 2, -1], [3, 6, 0, 3]], [[0, 5, 2, -1]]]  # item 3 has no vector
    assert parity.num_queries == 3 and parity.max_difference == 0 and parity.top_k_agreement == 1


def test_a_ranker_that_differs_on_new_items_alone_is_refused():
    with pytest.raises(ExportError, match="For two the exported model differs from PyTorch"):
        check(0.1)
