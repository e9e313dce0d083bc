import pytest
import pytorch_lightning as pl
import torch

from recsys.training.ranks.strategy import rank_strategy
from tests.distributed.parts import TRAININGS, resumed, training


def test_a_process_alone_has_no_strategy():
    assert rank_strategy(pl.Trainer) == {}


@pytest.mark.parametrize("name", TRAININGS)
def test_two_ranks_train_as_one_process_does(two_ranks, name, tmp_path):
    report, weights = training(name, tmp_path)
    for of_rank, found in two_ranks[name]:
        assert len(of_rank.epochs) == len(report.epochs)
        for epoch, expected in zip(of_rank.epochs, report.epochs, strict=True):
            for key in expected.keys() - {"train/seconds"}:
                # Float32 is what Lightning keeps of a metric.
                assert epoch[key] == pytest.approx(expected[key], rel=1e-5 if key == "train/loss" else 0), key
        assert of_rank.best_epoch == report.best_epoch
        for key, value in weights.items():
            torch.testing.assert_close(found[key], value, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("name", TRAININGS)
def test_all_ranks_keep_the_same_bits(two_ranks, name):
    (_, one), (_, other) = two_ranks[name]
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_training_of_one_process_goes_on_in_two(two_ranks, tmp_path):
    report, weights = resumed(tmp_path)
    for of_rank, found in two_ranks["resumed"]:
        assert [epoch["epoch"] for epoch in of_rank.epochs] == [1, 2, 3]
        for key, value in weights.items():
            torch.testing.assert_close(found[key], value, rtol=1e-9, atol=1e-8)


def test_a_training_of_two_processes_goes_on_in_one(two_ranks, tmp_path):
    _, weights = resumed(tmp_path)
    report, found = resumed(two_ranks["directory"] / "from_two")
    assert [epoch["epoch"] for epoch in report.epochs] == [1, 2, 3]
    for key, value in weights.items():
        torch.testing.assert_close(found[key], value, rtol=1e-9, atol=1e-8)
