from __future__ import annotations

import threading

import pytest

from recsys.runtime.byte_cache import ByteCache


def made_of_sizes(max_bytes):
    """A cache of texts as long as they are asked for, and what was made."""
    made = []

    def make(size, name):
        made.append(name)
        return name * size

    return ByteCache(make, len, max_bytes), made


def test_a_value_is_made_once():
    cache, made = made_of_sizes(10)
    assert cache(3, "a") == cache(3, "a") == "aaa"
    assert made == ["a"]
    assert (len(cache), cache.num_bytes) == (1, 3)


def test_what_was_used_longest_ago_is_forgotten_for_the_bytes_of_others():
    cache, made = made_of_sizes(10)
    for name in ("a", "b", "a", "c"):
        cache(4, name)
    assert (len(cache), cache.num_bytes) == (2, 8)
    cache(4, "a")  # used after b
    assert made == ["a", "b", "c"]
    cache(4, "b")
    assert made == ["a", "b", "c", "b"]


def test_no_number_of_small_values_holds_more_than_the_bound():
    cache, _ = made_of_sizes(1000)
    for number in range(500):
        cache(7, str(number % 10) + "x" * (number // 10))
        assert cache.num_bytes <= 1000 or len(cache) == 1


def test_a_value_beyond_the_bound_is_kept_alone():
    cache, made = made_of_sizes(10)
    cache(4, "a")
    assert cache(50, "b") == cache(50, "b")
    assert made == ["a", "b"]
    assert (len(cache), cache.num_bytes) == (1, 50)


def test_nothing_is_left_after_it_is_cleared():
    cache, made = made_of_sizes(10)
    cache(4, "a")
    cache.clear()
    assert (len(cache), cache.num_bytes) == (0, 0)
    cache(4, "a")
    assert made == ["a", "a"]


def test_what_fails_is_not_kept():
    asked = []

    def make(name):
        asked.append(name)
        raise ValueError(name)

    cache = ByteCache(make, len, 10)
    for _ in range(2):
        with pytest.raises(ValueError, match="a"):
            cache("a")
    assert (asked, len(cache)) == (["a", "a"], 0)


def test_threads_that_make_the_same_value_count_it_once():
    barrier = threading.Barrier(4)

    def make(name):
        barrier.wait(timeout=10)  # so that all four make it
        return name * 5

    cache = ByteCache(make, len, 100)
    threads = [threading.Thread(target=cache, args=("a",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(cache), cache.num_bytes) == (1, 5)
