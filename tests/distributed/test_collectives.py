import torch

from recsys.distributed.collectives import counts_of_ranks, object_from_main, rows_of_ranks, sum_over_ranks, traffic
from tests.distributed.parts import collect


def test_alone_each_gives_what_it_was_given():
    values, before = torch.ones(2), traffic.bytes
    sum_over_ranks(values)
    assert values.tolist() == [1, 1]
    assert object_from_main("x") == "x"
    assert counts_of_ranks([3, 4]) == [[3, 4]]
    assert rows_of_ranks(values) is values
    assert traffic.bytes == before
    assert collect()["bytes"] == 0


def test_sums_are_those_of_all_ranks(two_ranks):
    for rank in two_ranks["collect"]:
        assert rank["sum"].tolist() == [3, 3, 3]


def test_the_others_get_what_rank_0_has(two_ranks):
    for rank in two_ranks["collect"]:
        assert rank["from_main"].tolist() == [0, 0]
        assert rank["object"] == {"rank": 0}


def test_rows_of_all_ranks_stand_in_their_order(two_ranks):
    for rank in two_ranks["collect"]:
        assert rank["counts"] == [[0, 7], [1, 7]]
        assert rank["even"].tolist() == [[0, 0], [0, 0], [1, 1], [1, 1]]
        assert rank["uneven"].tolist() == [0, 10, 11, 12]


def test_what_a_rank_does_alone_stays_with_it(two_ranks):
    assert [rank["alone"].item() for rank in two_ranks["collect"]] == [1, 1]


def test_bytes_that_are_given_are_counted(two_ranks):
    # 3 floats of the sum, 2 of the broadcast (rank 0 alone), 2 counts, 4 numbers of 8 bytes, a count and 3 numbers
    assert [rank["bytes"] for rank in two_ranks["collect"]] == [12 + 8 + 16 + 40 + 32, 12 + 16 + 40 + 32]


def test_ranks_know_whether_they_have_the_same(two_ranks):
    assert two_ranks["same"] == [True, True]
    assert two_ranks["not the same"] == [False, False]
