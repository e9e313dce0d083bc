import numpy as np
import pytest
import torch

from recsys.data.user_items import UserItems
from recsys.evaluation.target_segments import TargetSegments

# User 0 has items 1 and 2 again, user 1 nothing; three users, five items.
REPEATED = UserItems(torch.tensor([0, 0]), torch.tensor([1, 2]), 3, 5)


def test_new_and_repeated_targets_are_measured_apart() -> None:
    segments = TargetSegments(REPEATED, k=2)
    users = torch.tensor([0, 1])
    # User 0 is to find 1, 2 (again) and 3, and gets 3 and 1; user 1 is to find 4 and gets 0 and 4.
    items, hits = torch.tensor([[3, 1], [0, 4]]), torch.tensor([[True, True], [False, True]])
    measured = segments.measure(users, items, hits, torch.tensor([3, 1]))
    assert list(measured) == segments.columns
    assert measured["target=new/recall@2"].tolist() == [1.0, 1.0]
    assert measured["target=repeated/recall@2"].tolist() == pytest.approx([0.5, np.nan], nan_ok=True)
    # The repeated item of user 0 is second: 1 / log2(3) of 1 + 1 / log2(3).
    assert measured["target=repeated/ndcg@2"][0].item() == pytest.approx(0.6309 / 1.6309, abs=1e-4)
    assert measured["target=new/ndcg@2"].tolist() == pytest.approx([1.0, 0.6309], abs=1e-4)


def test_means_are_over_the_users_who_have_such_targets() -> None:
    segments = TargetSegments(REPEATED, k=2)
    columns = {
        name: np.array([0.5, np.nan]) if "repeated" in name else np.array([1.0, 0.0]) for name in segments.columns
    }
    new, repeated = segments.means(columns)
    assert (new.group, new.name, new.num_users, new.means["recall@2"]) == ("target", "new", 2, 0.5)
    assert (repeated.name, repeated.num_users, repeated.means["hit_rate@2"]) == ("repeated", 1, 0.5)
