import pytest
import redis
from recsys_serving.local import embedded_redis
from recsys_serving.local.embedded_redis import redis_status, start_redis, stop_redis

from recsys.errors import ServingError


def test_a_server_starts_once_is_bounded_and_stops(tmp_path):
    url = start_redis(tmp_path / "redis", max_memory_bytes=5_000_000)
    try:
        first = redis_status(tmp_path / "redis")
        assert first.running and first.url == url and first.pid is not None
        assert start_redis(tmp_path / "redis") == url and redis_status(tmp_path / "redis").pid == first.pid
        with redis.Redis.from_url(url, decode_responses=True) as client:
            said = {**client.config_get("maxmemory*"), **client.config_get("save"), **client.config_get("port")}
            assert said["maxmemory"] == "5000000" and said["maxmemory-policy"] == "allkeys-lru"
            assert said["save"] == "" and said["port"] == "0"
    finally:
        assert stop_redis(tmp_path / "redis")
    assert not redis_status(tmp_path / "redis").running and not stop_redis(tmp_path / "redis")


def test_what_no_longer_fits_pushes_out_what_is_old(tmp_path):
    url = start_redis(tmp_path / "redis", max_memory_bytes=3_000_000)
    try:
        with redis.Redis.from_url(url) as client:
            for number in range(300):
                client.set(f"key-{number}", b"x" * 20_000)
            # Which ones go is chosen among a few at random, by how lately they were used.
            assert client.exists("key-299") and 20 < client.dbsize() < 150
    finally:
        stop_redis(tmp_path / "redis")


def test_a_long_path_has_its_socket_elsewhere(tmp_path):
    directory = tmp_path / ("long" * 30)
    url = start_redis(directory)
    try:
        assert len(url) < 110 and str(directory) not in url
    finally:
        stop_redis(directory)


def test_a_server_that_does_not_start_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded_redis, "_configuration", lambda *_: "no-such-setting 1\n")
    with pytest.raises(ServingError, match="did not start: .*no-such-setting"):
        start_redis(tmp_path)


def test_a_missing_program_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded_redis, "find_spec", lambda _: None)
    monkeypatch.setattr(embedded_redis.shutil, "which", lambda _: None)
    with pytest.raises(ServingError, match=r"recsys-framework\[service\]"):
        start_redis(tmp_path)
