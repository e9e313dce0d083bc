"""What every cache promises, on each of them."""

import uuid

import pytest
from recsys_serving.cache.memory_cache import MemoryCache
from recsys_serving.cache.recommendation_cache import RecommendationCache
from recsys_serving.cache.redis_cache import RedisCache


@pytest.fixture(params=["memory", "redis"])
def cache(request):
    if request.param == "memory":
        made = MemoryCache()
    else:
        made = RedisCache(request.getfixturevalue("redis_url"), timeout_seconds=5, prefix=f"{uuid.uuid4()}:")
    yield made
    made.close()


def test_it_is_a_cache(cache):
    assert isinstance(cache, RecommendationCache)
    cache.ping()


def test_values_come_back_by_their_keys_in_order(cache):
    cache.set_many({"a": b"1", "ü b": bytes(range(256)), "c": b""}, ttl_seconds=60)
    cache.set_many({"d": b"4"}, ttl_seconds=60)
    assert cache.get_many(["c", "none", "ü b", "d"]) == [b"", None, bytes(range(256)), b"4"]
    assert cache.get_many(["a"]) == [b"1"] and cache.get_many(["none"]) == [None]


def test_nothing_asked_is_nothing_got(cache):
    cache.set_many({}, ttl_seconds=60)
    assert cache.get_many([]) == []


def test_a_later_value_takes_the_place_of_the_first(cache):
    cache.set_many({"a": b"1"}, ttl_seconds=60)
    cache.set_many({"a": b"2"}, ttl_seconds=60)
    assert cache.get_many(["a"]) == [b"2"]


def test_a_value_goes_when_its_time_is_over(cache):
    cache.set_many({"a": b"1"}, ttl_seconds=0.001)
    for _ in range(100_000):
        if cache.get_many(["a"]) == [None]:
            return
    raise AssertionError("the value stays")
