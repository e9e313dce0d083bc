import socket

import pytest
import torch

from recsys.distributed.process_group import is_about_ranks, joined, lost_ranks, main_first
from recsys.distributed.ranks import Ranks, ranks
from recsys.errors import LostRankError, RunError


def test_a_process_that_a_user_started_joins_nobody():
    with joined(None, "cpu"), main_first():
        assert ranks() == Ranks()
    assert not torch.distributed.is_initialized()


def test_the_first_rank_goes_first(two_ranks):
    assert two_ranks["main first"] == [True, True]


def test_where_the_ranks_meet_has_to_be_said(monkeypatch):
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.delenv("MASTER_PORT", raising=False)
    with pytest.raises(RunError, match="one of 2 processes, but the environment lacks MASTER_PORT, where they meet"):
        with joined(Ranks(0, 2, 0, 2), "cpu"):
            raise AssertionError("nothing is joined")


@pytest.mark.parametrize("port", ["abc", "0", "99999", "-1"])
def test_a_port_that_is_none_is_told(monkeypatch, port):
    for name, value in {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": "0", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RunError, match=f"MASTER_PORT must be a port, from 1 to 65535, .* but it is {port}"):
        with joined(Ranks(0, 2, 0, 2), "cpu"):
            raise AssertionError("nothing is joined")


def test_a_port_that_another_program_listens_at_is_told(monkeypatch):
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        port = str(other.getsockname()[1])
        for name, value in {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": "0", "WORLD_SIZE": "2"}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(RunError, match=f"meet at MASTER_PORT={port}, but another program listens there"):
            with joined(Ranks(0, 2, 0, 2), "cpu"):
                raise AssertionError("nothing is joined")


@pytest.mark.parametrize("said", ["[../third_party/gloo] Connection closed by peer [127.0.0.1]:1", "NCCL error"])
def test_a_lost_connection_is_one_message(said):
    with pytest.raises(LostRankError, match="another one cannot be reached.*resume=DIR"), lost_ranks():
        raise RuntimeError(f"{said}\nand a lot of\nlines")


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="shapes differ"), lost_ranks():
        raise RuntimeError("shapes differ")
    assert is_about_ranks(torch.distributed.DistBackendError("anything"))
    assert not is_about_ranks(ValueError("Connection closed by peer"))
