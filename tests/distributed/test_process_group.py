import pytest
import torch

from recsys.distributed.process_group import is_about_ranks, joined, lost_ranks, main_first
from recsys.distributed.ranks import Ranks, ranks
from recsys.errors import LostRankError


def test_a_process_that_a_user_started_joins_nobody():
    with joined(None, "cpu"), main_first():
        assert ranks() == Ranks()
    assert not torch.distributed.is_initialized()


def test_the_first_rank_goes_first(two_ranks):
    assert two_ranks["main first"] == [True, True]


@pytest.mark.parametrize("said", ["[../third_party/gloo] Connection closed by peer [127.0.0.1]:1", "NCCL error"])
def test_a_lost_connection_is_one_message(said):
    with pytest.raises(LostRankError, match="another one cannot be reached.*resume=DIR"), lost_ranks():
        raise RuntimeError(f"{said}\nand a lot of\nlines")


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="shapes differ"), lost_ranks():
        raise RuntimeError("shapes differ")
    assert is_about_ranks(torch.distributed.DistBackendError("anything"))
    assert not is_about_ranks(ValueError("Connection closed by peer"))
