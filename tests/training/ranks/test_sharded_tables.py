import pytest
import torch
from torch import nn

from recsys.errors import RunError
from recsys.training.ranks.sharded_tables import check_tables
from tests.distributed.parts import SHARDED, sharded


@pytest.fixture(autouse=True)
def one_thread():
    """As ranks have it: with another number of threads PyTorch adds up in another order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", sorted(SHARDED.keys() - {"mf_rows"}))
def test_divided_tables_have_the_bits_of_whole_ones(two_ranks, name, tmp_path):
    report, weights, _ = sharded(name, tmp_path)
    for of_rank, found, _ in two_ranks[f"sharded {name}"]:
        assert of_rank.best_value == report.best_value
        assert [epoch["train/loss"] for epoch in of_rank.epochs] == [epoch["train/loss"] for epoch in report.epochs]
        assert all(torch.equal(found[key], value) for key, value in weights.items())


def test_rows_that_are_caught_up_at_other_times_are_equal_up_to_rounding(two_ranks, tmp_path):
    _, weights, _ = sharded("mf_rows", tmp_path)
    for _, found, _ in two_ranks["sharded mf_rows"]:
        for key, value in weights.items():
            torch.testing.assert_close(found[key], value, rtol=1e-6, atol=1e-8)


def test_each_rank_tells_what_it_holds(two_ranks):
    (_, _, lines), _ = two_ranks["sharded mf"]
    # 70 rows of 8 vectors and a bias, in double precision, three times with Adam's averages, in halves
    held = 70 * 9 * 8 * 3 / 1e6
    assert f"tables and what the optimiser keeps of them: {held / 2:.1f}, {held / 2:.1f} MB of {held:.1f} MB" in lines


def test_a_training_with_divided_tables_goes_on_with_whole_ones(two_ranks, tmp_path):
    assert any(name.startswith("last.ckpt.rows-") for name in two_ranks["sharded begun"][0])
    _, weights, _ = sharded("mf", tmp_path)
    report, found, _ = sharded("mf", two_ranks["directory"] / "sharded_begun", resume=True)
    assert [epoch["epoch"] for epoch in report.epochs] == [1, 2, 3]
    assert all(torch.equal(found[key], value) for key, value in weights.items())


def test_a_training_with_whole_tables_goes_on_with_divided_ones(two_ranks, tmp_path):
    _, weights, _ = sharded("mf", tmp_path)
    for report, found, _ in two_ranks["sharded resumed"]:
        assert [epoch["epoch"] for epoch in report.epochs] == [1, 2, 3]
        assert all(torch.equal(found[key], value) for key, value in weights.items())


def test_a_network_without_tables_is_refused():
    with pytest.raises(RunError, match="but Linear has none. Leave it out"):
        check_tables(nn.Linear(2, 2))
