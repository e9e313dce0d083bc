import pytest
from hypothesis import given
from hypothesis import strategies as st
from recsys_serving.cache.memory_cache import ENTRY_BYTES, MemoryCache

from recsys.errors import SettingsError


def test_what_was_used_least_lately_goes_first():
    cache = MemoryCache(max_entries=2)
    cache.set_many({"a": b"1", "b": b"2"}, 60)
    cache.get_many(["a"])
    cache.set_many({"c": b"3"}, 60)
    assert cache.get_many(["a", "b", "c"]) == [b"1", None, b"3"]


def test_bytes_are_bounded_and_a_value_beyond_them_is_not_kept():
    cache = MemoryCache(max_bytes=2 * (ENTRY_BYTES + 11))
    for key in "abc":
        cache.set_many({key: b"0123456789"}, 60)
    assert len(cache) == 2 and cache.num_bytes == 2 * (ENTRY_BYTES + 11)
    cache.set_many({"c": b"x" * 1000}, 60)
    assert cache.get_many(["b", "c"]) == [b"0123456789", None]


def test_time_over_frees_the_bytes():
    seconds = [0.0]
    cache = MemoryCache(clock=lambda: seconds[0])
    cache.set_many({"a": b"1"}, 5)
    seconds[0] = 4.9
    assert cache.get_many(["a"]) == [b"1"]
    seconds[0] = 5.0
    assert cache.get_many(["a"]) == [None] and cache.num_bytes == 0 and len(cache) == 0


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.binary(max_size=400)), max_size=40))
def test_the_bytes_it_counts_are_those_it_holds(values):
    cache = MemoryCache(max_entries=3, max_bytes=1200)
    for key, value in values:
        cache.set_many({key: value}, 60)
        held = [found for found in cache.get_many(list("abcdef")) if found is not None]
        assert cache.num_bytes == sum(ENTRY_BYTES + 1 + len(one) for one in held) <= 1200
        assert len(cache) == len(held) <= 3


def test_closing_forgets_everything():
    cache = MemoryCache()
    cache.set_many({"a": b"1"}, 60)
    cache.close()
    assert cache.get_many(["a"]) == [None] and cache.num_bytes == 0


@pytest.mark.parametrize("bounds", [{"max_entries": 0}, {"max_bytes": 0}])
def test_bounds_must_be_positive(bounds):
    with pytest.raises(SettingsError, match="must be positive"):
        MemoryCache(**bounds)
