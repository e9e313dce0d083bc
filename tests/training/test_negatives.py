import math

import pytest
import torch

from recsys.data.user_items import UserItems
from recsys.errors import RecsysError
from recsys.training.negatives import PopularityNegatives, UniformNegatives


def known() -> UserItems:
    # user 0 has items 0 and 1, user 1 has item 0, user 2 has everything, user 3 has nothing; item 4 is user 2's alone
    pairs = [(0, 0), (0, 1), (1, 0), *((2, item) for item in range(5))]
    users, items = zip(*pairs, strict=True)
    return UserItems(torch.tensor(users), torch.tensor(items), num_users=4, num_items=5)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("sampler", [UniformNegatives(7), PopularityNegatives(7)], ids=lambda x: type(x).__name__)
class TestEverySampler:
    def test_draws_the_asked_number_for_each_positive(self, sampler):
        sampler.prepare(known())
        drawn = sampler.draw(torch.tensor([0, 1, 3]), generator())
        assert drawn.shape == (3, 7)
        assert drawn.dtype == torch.int64

    def test_never_draws_a_known_positive(self, sampler):
        sampler.prepare(known())
        users = torch.tensor([0, 1, 3]).repeat(500)
        drawn = sampler.draw(users, generator())
        assert not known().contains(users[:, None], drawn).any()

    def test_a_user_who_knows_everything_still_gets_items_of_the_catalogue(self, sampler):
        sampler.prepare(known())
        drawn = sampler.draw(torch.tensor([2]), generator())
        assert ((drawn >= 0) & (drawn < 5)).all()

    def test_same_generator_state_gives_the_same_draws(self, sampler):
        sampler.prepare(known())
        users = torch.tensor([0, 3])
        assert torch.equal(sampler.draw(users, generator()), sampler.draw(users, generator()))

    def test_expected_counts_sum_to_the_number_of_draws(self, sampler):
        sampler.prepare(known())
        expected = sampler.log_q(torch.arange(5)).exp().expand(5)
        assert expected.sum().item() == pytest.approx(7, rel=1e-5)


def test_uniform_without_rejection_draws_every_item():
    sampler = UniformNegatives(2000, reject_known=False)
    sampler.prepare(known())
    drawn = sampler.draw(torch.tensor([0]), generator())
    # each of 5 items is expected 400 times; 5 standard deviations are 90
    assert torch.bincount(drawn[0], minlength=5).sub(400).abs().max() < 90


def test_popularity_draws_by_the_power_of_the_count():
    sampler = PopularityNegatives(20_000, exponent=0.5, reject_known=False)
    sampler.prepare(known())
    drawn = sampler.draw(torch.tensor([3]), generator())
    # counts of the items: 3, 2, 1, 1, 1
    weights = torch.tensor([math.sqrt(3), math.sqrt(2), 1, 1, 1])
    share = torch.bincount(drawn[0], minlength=5) / 20_000
    torch.testing.assert_close(share, weights / weights.sum(), atol=0.02, rtol=0)


def test_popularity_never_draws_an_item_without_interactions():
    pairs = UserItems(torch.tensor([0, 0, 1]), torch.tensor([1, 2, 1]), num_users=2, num_items=4)
    sampler = PopularityNegatives(500, reject_known=False)
    sampler.prepare(pairs)
    drawn = sampler.draw(torch.tensor([0, 1]), generator())
    assert set(drawn.unique().tolist()) == {1, 2}


def test_popularity_falls_back_to_absent_items_where_all_popular_ones_are_known():
    pairs = UserItems(torch.tensor([0, 0]), torch.tensor([0, 1]), num_users=1, num_items=4)
    sampler = PopularityNegatives(50)
    sampler.prepare(pairs)
    # user 0 knows every item that anybody has interacted with; items 2 and 3 are left
    assert set(sampler.draw(torch.tensor([0]), generator()).unique().tolist()) == {2, 3}


@pytest.mark.parametrize("kind", [UniformNegatives, PopularityNegatives])
def test_no_negatives_are_refused(kind):
    with pytest.raises(RecsysError, match="At least one negative .* num_negatives=0"):
        kind(num_negatives=0)
