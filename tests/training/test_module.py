from functools import partial

import pytest
import torch

from recsys.errors import ModelError, SettingsError
from recsys.evaluation.states import RankingMetrics
from recsys.models.interface.protocols import FoldsIn, ScoringModel
from recsys.training.losses import (
    LogisticLoss,
)
from recsys.training.module import require
from recsys.training.negatives import UniformNegatives
from recsys.training.sampled_negatives import SampledNegativesModule
from tests.training.recipes import INTERACTIONS, SPLIT, mf, run, sampled


class FirstAbsent(UniformNegatives):
    """Negatives without chance: the next item, which on the checkerboard is of the other colour."""

    def draw(self, users, generator):
        return ((users + 1) % 2)[:, None].expand(-1, self.num_negatives)


def test_several_steps_in_a_call_train_as_one_step_in_each(tmp_path, monkeypatch):
    many = sampled(mf(), validation=None, negative_sampler=FirstAbsent())
    run(many, tmp_path / "many", max_epochs=2, monitor=None)
    monkeypatch.setattr("recsys.training.sampled_negatives.STEPS_PER_CALL", 1)
    single = sampled(mf(), validation=None, negative_sampler=FirstAbsent())
    run(single, tmp_path / "single", max_epochs=2, monitor=None)
    torch.testing.assert_close(many.network.state_dict(), single.network.state_dict())


def test_empty_training_data_are_refused():
    with pytest.raises(SettingsError, match="needs at least one interaction"):
        SampledNegativesModule(
            mf(), INTERACTIONS.take(SPLIT.train[:0]), 1, torch.optim.Adam, UniformNegatives(), LogisticLoss()
        )


def test_empty_batches_are_refused():
    with pytest.raises(SettingsError, match="batch_size=0"):
        sampled(mf(), batch_size=0)


def test_what_a_model_cannot_do_is_said_with_a_remedy():
    with pytest.raises(ModelError, match="Folding in needs a model that is FoldsIn, but MF is not. Choose another"):
        require(mf(), FoldsIn, "Folding in")
    network = mf()
    assert require(network, ScoringModel, "Validation") is network


def test_a_network_that_does_not_score_is_refused():
    with pytest.raises(ModelError, match="Validation needs a model that is ScoringModel, but Linear is not"):
        sampled(torch.nn.Linear(1, 1))


def test_an_optimiser_that_refuses_its_settings_is_told_by_its_key():
    module = sampled(mf(), optimizer=partial(torch.optim.Adam, lr=-1.0))
    with pytest.raises(SettingsError, match=r"Invalid learning rate: -1.0\). Correct training.optimizer"):
        module.configure_optimizers()


@pytest.mark.parametrize("state", [{"state": {}, "param_groups": []}, {"state": {}}])
def test_an_optimiser_that_cannot_go_on_from_a_state_is_told(state):
    module = sampled(mf())
    module.optimizer_state = state
    with pytest.raises(ModelError, match="must go on from a state of its own, .* optimizer=reset"):
        module.configure_optimizers()


def test_a_schedule_is_made_of_the_optimiser():
    schedule = partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.5)
    made = sampled(mf(), scheduler=schedule).configure_optimizers()
    assert made["lr_scheduler"].optimizer is made["optimizer"]
    assert isinstance(sampled(mf()).configure_optimizers(), torch.optim.Adam)


def test_validation_names_what_it_measures():
    assert "valid/ndcg@3" in sampled(mf(), validation_ks=(3, 5)).validation_metrics
    assert all("@10" not in name for name in sampled(mf(), validation_ks=(3, 5)).validation_metrics)


def test_what_is_named_is_what_validation_computes():
    module = sampled(mf(), validation_ks=(3, 5))
    measured = RankingMetrics(ks=module.validation_ks, num_items=module.interactions.num_items)
    assert sorted(module.validation_metrics) == sorted(f"valid/{name}" for name in measured.names)


def test_the_randomness_of_an_epoch_depends_on_the_seed_alone():
    def drawn(seed: int) -> list[int]:
        module = sampled(mf(), seed=seed)
        module.begin_epoch()
        return torch.randint(10**6, (3,), generator=module.generator).tolist() + torch.randint(10**6, (3,)).tolist()

    assert drawn(1) == drawn(1)
    assert drawn(1)[:3] != drawn(2)[:3] and drawn(1)[3:] != drawn(2)[3:]


@pytest.mark.parametrize(("device", "size"), [("cpu", 2048), ("cuda", 65_536)])
def test_an_automatic_batch_goes_by_the_device_and_tells_that_the_learning_rate_does_not(device, size):
    trained = sampled(mf(), batch_size="auto", negative_sampler=UniformNegatives(1))
    trained.device = torch.device(device)
    assert trained.batch_size == size
    told = trained.batch_message()
    assert f"{size:,} positives, {size * 2:,} samples with their negatives" in told
    assert ("32 times those of a processor, at the same learning rate" in told) == (device == "cuda")


def test_a_given_batch_is_the_same_on_every_device():
    trained = sampled(mf(), batch_size=7, negative_sampler=UniformNegatives(1))
    trained.device = torch.device("cuda")
    assert trained.batch_size == 7
    assert trained.batch_message() == "a step takes 7 positives, 14 samples with their negatives"
