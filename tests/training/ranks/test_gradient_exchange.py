import pytest
import torch

from tests.distributed.parts import exchange


@pytest.mark.parametrize("num_rows", [1, 4, 5])
def test_every_rank_has_the_gradients_of_the_joint_batch(two_ranks, num_rows):
    expected = exchange(num_rows)
    for rank in two_ranks[f"exchange {num_rows}"]:
        for name in ("by_rows.weight", "whole.weight", "layer.weight", "layer.bias"):
            torch.testing.assert_close(rank[name].to_dense(), expected[name].to_dense(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("num_rows", [1, 4, 5])
def test_all_ranks_have_the_same_bits(two_ranks, num_rows):
    one, other = two_ranks[f"exchange {num_rows}"]
    for name in ("by_rows.weight", "whole.weight", "layer.weight", "layer.bias"):
        assert torch.equal(one[name].to_dense(), other[name].to_dense())


def test_a_gradient_of_rows_stays_one(two_ranks):
    for rank in two_ranks["exchange 5"]:
        assert rank["by_rows.weight"].is_sparse
        assert rank["by_rows.weight"]._indices()[0].tolist() == [3, 7, 3, 11, 7]
        assert not rank["whole.weight"].is_sparse


def test_what_nobody_has_a_gradient_of_has_none(two_ranks):
    assert all("unused" not in rank for rank in two_ranks["exchange 5"])


def test_rows_that_others_have_touched_are_brought_up_to_date(two_ranks):
    for rank in two_ranks["exchange 5"]:
        assert set(rank["asked"].tolist()) == {3, 7, 11}


def test_shares_are_those_of_the_batch(two_ranks):
    assert [rank["share"].item() for rank in two_ranks["exchange 5"]] == pytest.approx([3 / 5, 2 / 5])
    assert [rank["share"].item() for rank in two_ranks["exchange 1"]] == [1, 0]
