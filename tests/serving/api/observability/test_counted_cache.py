from recsys_serving.api.observability.counted_cache import CountedCache
from recsys_serving.cache.memory_cache import MemoryCache


def test_hits_and_misses_are_counted():
    counted: list[bool] = []
    cache = CountedCache(MemoryCache(), counted.append)
    cache.set_many({"a": b"1"}, 60)
    assert cache.get_many(["a", "b"]) == [b"1", None]
    assert counted == [True, False]
    cache.ping()
    cache.close()
