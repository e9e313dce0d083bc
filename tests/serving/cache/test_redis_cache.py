import socket
import threading
import uuid

import pytest
import redis
from recsys_serving.cache.recommendation_cache import CacheUnavailable
from recsys_serving.cache.redis_cache import RedisCache


def test_every_key_has_a_time_to_live_and_the_prefix(redis_url):
    prefix = f"{uuid.uuid4()}:"
    cache = RedisCache(redis_url, timeout_seconds=5, prefix=prefix)
    cache.set_many({"a": b"1"}, 30)
    cache.set_many({"b": b"2", "c": b"3"}, 30)
    with redis.Redis.from_url(redis_url) as client:
        for key in "abc":
            assert 0 < client.pttl(prefix + key) <= 30_000
    cache.close()


def test_a_server_that_is_away_is_unavailable(tmp_path):
    cache = RedisCache(f"unix://{tmp_path}/none.sock")
    for ask in (cache.ping, lambda: cache.get_many(["a"]), lambda: cache.set_many({"a": b"1"}, 1)):
        with pytest.raises(CacheUnavailable, match="Redis did not answer as it should"):
            ask()
    assert not cache.warn_if_unbounded()


@pytest.fixture
def silent_server():
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepted = []
        thread = threading.Thread(target=lambda: accepted.append(server.accept()), daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        for connection, _ in accepted:
            connection.close()


def test_a_server_that_says_nothing_is_not_waited_for(silent_server):
    cache = RedisCache(silent_server, timeout_seconds=0.02)
    with pytest.raises(CacheUnavailable, match="Timeout"):
        cache.get_many(["a"])
    cache.close()


def test_an_address_of_something_else_is_refused_without_its_password():
    with pytest.raises(CacheUnavailable, match="not one of Redis") as error:
        RedisCache("http://user:hush@127.0.0.1/0")
    assert "hush" not in str(error.value)


def test_a_bound_of_the_server_is_looked_for(redis_url, caplog):
    cache = RedisCache(redis_url, timeout_seconds=5)
    assert not cache.warn_if_unbounded()
    with redis.Redis.from_url(redis_url) as client:
        bound = client.config_get("maxmemory")["maxmemory"]
        client.config_set("maxmemory", 0)
        assert cache.warn_if_unbounded() and "set it" in caplog.text
        client.config_set("maxmemory", bound)
    cache.close()
