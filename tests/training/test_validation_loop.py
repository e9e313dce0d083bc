import torch

from recsys.evaluation.states import RankingMetrics
from recsys.training.sampled_negatives import SampledNegativesModule
from recsys.training.validation_loop import ValidationLoop
from tests.training.recipes import INTERACTIONS, mf, sampled


def begun(module, print_line=print):
    metrics = RankingMetrics(ks=module.validation_ks, num_items=module.interactions.num_items)
    loop = ValidationLoop(module, metrics)
    return loop, loop.begin(torch.device("cpu"), print_line)


def test_it_measures_the_same_lists_whatever_the_batches_and_begins_anew():
    module = sampled(mf(), validation_batch_size=25)
    loop, batches = begun(module)
    for batch in batches:
        loop.rank(batch)
    found = loop.end()
    assert set(module.validation_metrics) <= set(found)
    for _ in range(2):
        loop.rank(slice(0, 25))
        loop.rank(slice(25, 40))
        assert loop.end() == found


def test_validation_goes_over_the_users_with_held_out_items():
    places = list(begun(sampled(mf(), validation_batch_size=25))[1])
    assert places == [slice(0, 25), slice(25, 40)]


def validated(module, said):
    return begun(module, said.append)[0].task.users


def test_validation_of_a_sample_is_said_and_is_the_same_for_a_seed():
    said = []
    first, again, other = (validated(sampled(mf(), validation_users=10, seed=seed), said) for seed in (1, 1, 2))
    assert first.equal(again) and not first.equal(other)
    assert len(first) == 10
    assert said[0] == (
        "validation ranks for a sample of 10 of 40 users, the same in each epoch (training.validation_users=10)"
    )


def test_validation_that_takes_more_than_an_epoch_is_of_a_sample(monkeypatch):
    said = []
    assert len(validated(sampled(mf()), said)) == 40 and said == []
    monkeypatch.setattr("recsys.training.validation_sample.MIN_USERS", 5)
    monkeypatch.setattr(SampledNegativesModule, "epoch_cost", lambda self: 12.0 * INTERACTIONS.num_items)
    assert len(validated(sampled(mf()), said)) == 12
    assert "for all it would take 3.3 times an epoch. training.validation_users=40 takes all." in said[0]


def test_there_is_nothing_to_validate_without_a_task():
    assert list(begun(sampled(mf(), validation=None))[1]) == []
