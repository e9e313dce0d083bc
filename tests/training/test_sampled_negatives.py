from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from recsys.data.interactions import Interactions
from recsys.data.user_items import UserItems
from recsys.errors import ModelError
from recsys.training.losses import BPRLoss
from recsys.training.negatives import UniformNegatives
from recsys.training.sampled_negatives import DEFAULT_L2, SampledNegativesModule
from tests.training.recipes import INTERACTIONS, TRAIN, mf, sampled

USERS, ITEMS = torch.tensor([0, 3]), torch.tensor([[4, 1, 7], [5, 2, 0]])


class TenUsers(nn.Module):
    """Scores a pair as ten times the user plus the item; a vector's squared norm is its index."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def score(self, query):
        raise NotImplementedError

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        return 10.0 * users + items + self.weight

    def squared_norms(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        return users.float(), items.float()


def given(positive: Tensor, negative: Tensor, log_q: Tensor) -> Tensor:
    """A loss that shows what it is given."""
    assert positive.tolist() == [4.0, 35.0]
    assert negative.tolist() == [[1.0, 7.0], [32.0, 30.0]]
    # two draws from 30 items
    torch.testing.assert_close(log_q, torch.tensor(2 / 30).log())
    return torch.tensor(100.0)


def prepared(**options: object) -> SampledNegativesModule:
    module = sampled(TenUsers(), negative_sampler=UniformNegatives(2), validation=None, **options)
    module.train_dataloader()
    return module


def test_the_first_item_of_a_row_is_the_positive():
    assert float(prepared(loss=given).loss((USERS, ITEMS))) == 100.0


def test_the_penalty_is_the_mean_over_the_pairs():
    # users 0 and 3 beside three items each: (0 * 3 + 3 * 3) / 6; items (4 + 1 + 7 + 5 + 2 + 0) / 6
    expected = 100 + 0.5 * (9 / 6 + 19 / 6)
    assert float(prepared(loss=given, l2=0.5).loss((USERS, ITEMS))) == pytest.approx(expected)


def test_without_a_weight_the_penalty_is_the_default():
    expected = 100 + DEFAULT_L2 * 28 / 6
    assert float(prepared(loss=given, l2=None).loss((USERS, ITEMS))) == pytest.approx(expected)


def test_a_network_that_scores_no_pairs_is_refused():
    class Rows(nn.Module):
        def score(self, query):
            raise NotImplementedError

    with pytest.raises(ModelError, match="Training on sampled negatives needs a model that is ScoresPairs, but Rows"):
        sampled(Rows())


def test_negatives_stand_behind_their_positive_and_are_unknown_to_the_user():
    module = sampled(mf(), negative_sampler=UniformNegatives(5), validation=None)
    module.train_dataloader()
    module.begin_epoch()
    known = UserItems.from_interactions(TRAIN)
    places = torch.tensor([0, len(known) // 2, len(known) - 1], dtype=torch.int32)
    users, items = module.prepare_rows((places,))
    assert items.shape == (3, 6)
    assert users.equal(known.users[places]) and items[:, 0].equal(known.items[places].long())
    assert not known.contains(users.repeat_interleave(5), items[:, 1:].flatten()).any()


def test_an_epoch_goes_once_over_the_positives():
    few = INTERACTIONS.take(torch.arange(7).numpy())
    module = SampledNegativesModule(mf(), few, 2, torch.optim.Adam, UniformNegatives(1), BPRLoss(), l2=0.0)
    assert sorted(drawn_pairs(module)) == pairs(few)


def drawn_pairs(module: SampledNegativesModule) -> list[tuple[int, int]]:
    """The positives of the first rows of an epoch."""
    (rows,) = module.train_dataloader()
    module.begin_epoch()
    users, items = module.prepare_rows(rows)
    return list(zip(users.tolist(), items[:, 0].tolist(), strict=True))


def pairs(interactions: Interactions) -> list[tuple[int, int]]:
    return sorted(zip(interactions.user_index.tolist(), interactions.item_index.tolist(), strict=True))


def test_an_epoch_draws_positives_by_their_weights():
    few = replace(INTERACTIONS.take(torch.arange(8).numpy()), weight=np.array([1] * 7 + [9], dtype=np.float32))
    module = SampledNegativesModule(mf(), few, 2, torch.optim.Adam, UniformNegatives(1), BPRLoss(), l2=0.0)
    drawn = drawn_pairs(module)
    assert len(drawn) == 8
    assert drawn.count((few.user_index[7], few.item_index[7])) in (4, 5)  # 9 of 16 of 8 draws: 4.5
