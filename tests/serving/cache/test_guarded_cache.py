import uuid

import redis
from recsys_serving.cache.guarded_cache import CacheCounts, GuardedCache
from recsys_serving.cache.memory_cache import MemoryCache
from recsys_serving.cache.redis_cache import RedisCache
from recsys_serving.local.embedded_redis import start_redis, stop_redis
from recsys_serving.resilience.health import HealthRegistry


def test_hits_and_misses_are_counted():
    cache = GuardedCache(MemoryCache(), HealthRegistry())
    assert cache.set_many({"a": b"1"}, 60)
    found = cache.get_many(["a", "b"])
    assert found.values == [b"1", None] and not found.is_degraded
    assert cache.counts() == CacheCounts(hits=1, misses=1, failures=0)


def test_a_cache_that_is_away_is_a_miss_and_is_soon_left_alone(tmp_path):
    health = HealthRegistry()
    cache = GuardedCache(RedisCache(f"unix://{tmp_path}/none.sock"), health, threshold=2, open_seconds=60)
    for _ in range(5):
        assert cache.get_many(["a"]) == ([None], True)
    assert not cache.set_many({"a": b"1"}, 60)
    assert cache.counts() == CacheCounts(hits=0, misses=0, failures=6)
    # The third call and all after it are not made.
    assert health.of("cache").state == "down" and health.of("cache").num_failures == 2
    cache.close()


def test_a_server_that_is_lost_and_comes_back_is_used_again(tmp_path):
    health, key = HealthRegistry(), str(uuid.uuid4())
    cache = GuardedCache(RedisCache(start_redis(tmp_path), timeout_seconds=5), health, threshold=1, open_seconds=0.0)
    try:
        assert cache.set_many({key: b"1"}, 60) and cache.get_many([key]).values == [b"1"]
        stop_redis(tmp_path)
        assert cache.get_many([key]).is_degraded and health.of("cache").state == "down"
        start_redis(tmp_path)
        assert cache.set_many({key: b"2"}, 60) and cache.get_many([key]) == ([b"2"], False)
        assert health.of("cache").state == "up"
    finally:
        stop_redis(tmp_path)
        cache.close()


def test_a_value_of_another_type_in_redis_is_a_miss(redis_url):
    prefix = f"{uuid.uuid4()}:"
    with redis.Redis.from_url(redis_url) as client:
        client.lpush(f"{prefix}a", "list")
    cache = GuardedCache(RedisCache(redis_url, timeout_seconds=5, prefix=prefix), HealthRegistry())
    assert cache.get_many(["a"]) == ([None], True)
    cache.close()
