import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.distributed.ranks import Ranks, alone, ranks, ranks_of, set_ranks
from recsys.errors import RunError


def test_a_process_that_a_user_started_is_the_only_one():
    assert ranks_of({}) is None
    assert ranks_of({"RANK": "1", "WORLD_SIZE": "2"}) is None
    assert ranks() == Ranks() and ranks().is_main


def test_the_place_is_what_torchrun_says():
    said = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
    place = ranks_of(said)
    assert place == Ranks(3, 4, 1, 2)
    assert place.num_nodes == 2 and not place.is_main


@pytest.mark.parametrize("wrong", [{"RANK": "x"}, {"RANK": "2"}, {"LOCAL_RANK": "2"}, {"LOCAL_WORLD_SIZE": "3"}])
def test_a_place_that_cannot_be_is_told(wrong):
    said = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", **wrong}
    (name, value) = next(iter(wrong.items()))
    with pytest.raises(RunError, match=f"RANK below WORLD_SIZE, but it says .*{name}={value}.* Start with torchrun"):
        ranks_of(said)


@given(st.integers(0, 100), st.integers(1, 7))
def test_parts_cover_the_rows_once_and_differ_by_one(num_rows, size):
    parts = Ranks(0, size).parts(num_rows)
    assert [row for part in parts for row in range(num_rows)[part]] == list(range(num_rows))
    lengths = [part.stop - part.start for part in parts]
    assert max(lengths) - min(lengths) <= 1
    assert [Ranks(rank, size).part(num_rows) for rank in range(size)] == parts


def test_alone_there_is_one_rank_for_a_while():
    set_ranks(Ranks(1, 2, 1, 2))
    try:
        with alone():
            assert ranks() == Ranks()
        assert ranks().rank == 1
    finally:
        set_ranks(Ranks())
