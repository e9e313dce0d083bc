from __future__ import annotations

import threading
import uuid

import pytest
from recsys_serving.cache.background_writes import BackgroundWrites
from recsys_serving.cache.guarded_cache import GuardedCache
from recsys_serving.cache.memory_cache import MemoryCache
from recsys_serving.cache.redis_cache import RedisCache
from recsys_serving.resilience.health import HealthRegistry


class Held(MemoryCache):
    """A cache whose writes wait until a test lets them go, and are counted."""

    def __init__(self):
        super().__init__()
        self.released = threading.Event()
        self.began = threading.Event()
        self.batches = []

    def set_many(self, values, ttl_seconds):
        self.began.set()
        self.released.wait(60)
        self.batches.append((dict(values), ttl_seconds))
        super().set_many(values, ttl_seconds)


@pytest.fixture
def held():
    cache = Held()
    yield cache
    cache.released.set()


def guarded(cache):
    return GuardedCache(cache, HealthRegistry())


def test_what_waits_and_what_is_being_written_is_found_at_once(held):
    cache = BackgroundWrites(guarded(held))
    assert cache.set_many({"a": b"1"}, 60)
    assert cache.get_many(["a"]) == ([b"1"], False)
    held.began.wait(60)
    assert cache.set_many({"b": b"2"}, 60)
    assert cache.get_many(["b", "none", "a"]) == ([b"2", None, b"1"], False)
    held.released.set()
    cache.close()


def test_all_that_waits_is_written_before_it_closes(held):
    held.close = lambda: None
    cache = BackgroundWrites(guarded(held))
    for number in range(50):
        assert cache.set_many({str(number): b"x"}, 60)
    held.released.set()
    cache.close()
    assert held.get_many([str(number) for number in range(50)]) == [b"x"] * 50
    assert not cache.set_many({"later": b"x"}, 60)


def test_values_of_different_times_are_written_with_their_own(held):
    cache = BackgroundWrites(guarded(held))
    assert cache.set_many({"first": b"0"}, 1)
    held.began.wait(60)
    assert cache.set_many({"a": b"1"}, 60) and cache.set_many({"b": b"2"}, 70)
    held.released.set()
    cache.close()
    assert sorted(held.batches[1:], key=lambda batch: batch[1]) == [({"a": b"1"}, 60), ({"b": b"2"}, 70)]


def test_beyond_the_bound_values_are_not_kept(held):
    cache = BackgroundWrites(guarded(held), max_waiting=2)
    assert cache.set_many({"first": b"0"}, 60)
    held.began.wait(60)
    assert cache.set_many({"a": b"1", "b": b"2"}, 60)
    assert not cache.set_many({"c": b"3"}, 60)
    held.released.set()
    cache.close()


def test_a_write_that_fails_in_an_unknown_way_does_not_end_the_thread(caplog):
    class Failing(MemoryCache):
        def set_many(self, values, ttl_seconds):
            if "bad" in values:
                raise RuntimeError("unknown")
            super().set_many(values, ttl_seconds)
            written.set()

    written = threading.Event()
    cache = BackgroundWrites(guarded(Failing()))
    cache.set_many({"bad": b"1"}, 60)
    while cache.get_many(["bad"]).values != [None]:
        pass
    cache.set_many({"good": b"2"}, 60)
    assert written.wait(60) and cache.get_many(["good"]).values == [b"2"]
    assert cache.counts().hits <= 1 and "1 lists are not kept" in caplog.text
    cache.close()


def test_another_worker_finds_in_redis_what_was_written(redis_url):
    key = str(uuid.uuid4())
    first = BackgroundWrites(guarded(RedisCache(redis_url, timeout_seconds=10)))
    first.set_many({key: b"1"}, 60)
    first.close()
    second = RedisCache(redis_url, timeout_seconds=10)
    assert second.get_many([key]) == [b"1"]
    second.close()
