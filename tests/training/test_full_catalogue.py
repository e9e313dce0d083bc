import numpy as np
import pytest
import torch

from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.mf import MF
from recsys.training.full_catalogue import DEFAULT_L2, FullCatalogueModule
from recsys.training.losses import SoftmaxLoss
from tests.training.recipes import INTERACTIONS, TRAIN, full, mf


def test_full_catalogue_loss_is_one_for_each_positive_and_l2_is_scaled_by_frequency():
    network = mf()
    constant = lambda scores, rows, items, counts: counts.sum() * 2.0  # noqa: E731  a loss of 2 for each positive
    module = full(network, l2=0.1, l2_unobserved=0.5, catalogue_loss=constant)
    module.train_dataloader()
    users, items, pairs = INTERACTIONS.num_users, INTERACTIONS.num_items, len(TRAIN)
    user_weight = torch.bincount(torch.from_numpy(TRAIN.user_index), minlength=users) + 0.5 * items
    item_weight = torch.bincount(torch.from_numpy(TRAIN.item_index), minlength=items) + 0.5 * users
    penalty = (network.user_vectors.weight.square().sum(1) * user_weight).sum()
    penalty = penalty + (network.item_vectors.weight.square().sum(1) * item_weight).sum()
    expected = 2.0 + 0.1 * penalty / pairs
    torch.testing.assert_close(module.loss((torch.arange(users),)), expected)
    # Two halves give the same on average: nothing depends on the size of the batches.
    halves = [module.loss((half,)) for half in torch.arange(users).chunk(2)]
    torch.testing.assert_close((halves[0] + halves[1]) / 2, expected)


def test_a_network_that_scores_no_whole_rows_is_refused():
    class Pairs(torch.nn.Module):
        def score(self, query):
            return query.users

    with pytest.raises(ModelError, match="needs a model with score_catalogue, but Pairs has none. Choose another"):
        full(Pairs())


def test_an_epoch_goes_once_over_the_users_with_positives():
    only = INTERACTIONS.take(np.flatnonzero(INTERACTIONS.user_index % 3 == 0))
    module = FullCatalogueModule(mf(), only, 4, torch.optim.Adam, catalogue_loss=SoftmaxLoss(), l2=0.0)
    users = torch.cat([users for (users,) in module.train_dataloader()])
    assert users.sort().values.tolist() == list(range(0, 40, 3))
    assert users.tolist() != users.sort().values.tolist()


def test_without_a_weight_the_penalty_is_the_default():
    constant = lambda scores, rows, items, counts: scores.sum() * 0  # noqa: E731  nothing but the penalty is left
    losses = []
    for l2 in (None, DEFAULT_L2, 0.0):
        module = full(mf(), l2=l2, catalogue_loss=constant)
        module.train_dataloader()
        losses.append(module.loss((torch.arange(5),)).item())
    assert losses[0] == losses[1] > losses[2] == 0.0


def test_a_positive_counts_by_its_weight():
    # Users 0 and 1 with items (1), (0, 2): weights 2, and 3 and 1; the events of (1, 0) are two.
    users, items = (np.array(column, dtype=np.int32) for column in ([0, 1, 1, 1], [1, 0, 2, 0]))
    weight = np.array([2, 1, 1, 2], dtype=np.float32)
    weighted = Interactions(users, items, None, None, None, 2, 3, weight)
    seen = []

    def loss(scores, rows, found, counts, weights):
        seen.append((rows.tolist(), found.tolist(), counts.tolist(), weights.tolist()))
        return weights.sum()

    network = MF(2, 3, embedding_dim=2)
    module = FullCatalogueModule(network, weighted, 2, torch.optim.Adam, catalogue_loss=loss, l2=0.0)
    module.train_dataloader()
    assert module.loss((torch.tensor([1, 0]),)).item() == pytest.approx(1.0)  # 6 over 6
    assert seen == [([0, 0, 1], [0, 2, 1], [4, 2], [3, 1, 2])]
