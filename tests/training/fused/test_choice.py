import pytest

pytest.importorskip("numba")

import torch
from torch import Tensor, nn

from recsys.models.layers.embedding import set_tables_are_whole
from recsys.models.mf import MF
from recsys.models.neumf import GMF
from recsys.training.fused import choice as module
from recsys.training.fused.choice import fused_loss, fused_steps, one_pass_applies
from recsys.training.fused.pairs import FusedPairs
from recsys.training.fused.steps import FusedSteps
from recsys.training.fused.tower_steps import TowerSteps
from recsys.training.fused.towers import FusedTowers
from recsys.training.losses import BPRLoss, SampledSoftmaxLoss
from recsys.training.optimizers.sgd import SGD
from tests.training.fused.test_pairs import network


@pytest.fixture(autouse=True)
def always(monkeypatch):
    monkeypatch.setattr(module, "LEAST_PAIRS", 0)


def test_there_is_none_for_other_losses_and_networks_and_small_data(monkeypatch):
    class Squared(BPRLoss):
        def forward(self, positive: Tensor, negative: Tensor, log_q: Tensor) -> Tensor:
            return (1 - positive).square().mean()

    class Doubled(MF):
        def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
            return 2 * super().score_pairs(users, items)

    class OtherNorms(MF):
        def squared_norms(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
            return users.float(), items.float()

    assert fused_loss(network(), BPRLoss(), 0.0, 10) is not None
    assert fused_loss(network(), SampledSoftmaxLoss(), 0.0, 10) is None
    assert fused_loss(network(), Squared(), 0.0, 10) is None
    assert fused_loss(Doubled(2, 2), BPRLoss(), 0.0, 10) is None
    assert fused_loss(OtherNorms(2, 2), BPRLoss(), 0.0, 10) is None
    assert fused_loss(nn.Linear(1, 1), BPRLoss(), 0.0, 10) is None
    monkeypatch.setattr(module, "LEAST_PAIRS", 11)
    assert fused_loss(network(), BPRLoss(), 0.0, 10) is None
    assert fused_loss(network(), BPRLoss(), 0.0, 11) is not None
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert fused_loss(network(), BPRLoss(), 0.0, 11) is None


def test_tables_take_pairs_and_towers_take_blocks():
    assert isinstance(fused_loss(network(), BPRLoss(), 0.0, 10), FusedPairs)
    assert isinstance(fused_loss(GMF(2, 2), BPRLoss(), 0.0, 10), FusedTowers)


def test_steps_are_those_of_pairs_and_of_towers():
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    assert isinstance(fused_steps(fused_loss(model, BPRLoss(), 0.0, 10), optimizer), FusedSteps)
    assert isinstance(fused_steps(fused_loss(GMF(2, 2), BPRLoss(), 0.0, 10), optimizer), TowerSteps)


def test_a_pass_is_for_gradients_of_whole_tables_in_full_precision():
    ids = torch.tensor([0])
    assert one_pass_applies(ids) and not one_pass_applies(ids.to("meta"))
    with torch.no_grad():
        assert not one_pass_applies(ids)
    with torch.autocast("cpu", torch.bfloat16):
        assert not one_pass_applies(ids)
    set_tables_are_whole(False)
    try:
        assert not one_pass_applies(ids)
    finally:
        set_tables_are_whole(True)
