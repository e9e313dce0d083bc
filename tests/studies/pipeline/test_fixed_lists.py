import math

import torch

from recsys.data.histories import Histories
from recsys.models.interface.protocols import Query
from recsys.studies.pipeline.fixed_lists import FixedLists


def test_items_are_scored_by_their_places():
    lists = FixedLists(torch.tensor([3, 8]), torch.tensor([[2, 0], [1, -1]]), num_items=3)
    empty = Histories(torch.zeros(3, dtype=torch.int64), torch.empty(0, dtype=torch.int64), None, None)
    scores = lists.score(Query(torch.tensor([8, 3]), empty))
    assert scores.shape == (2, 3)
    assert scores[1].tolist()[::2] == [1, 2]
    assert scores[0, 1] == 2
    assert [math.isnan(value) for value in scores.flatten().tolist()] == [True, False, True, False, True, False]
