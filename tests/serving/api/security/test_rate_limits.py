from recsys_serving.api.security import rate_limits as module
from recsys_serving.api.security.rate_limits import RateLimiter


def test_so_many_requests_are_allowed_and_no_more():
    limiter = RateLimiter("memory", 0.1)
    assert [limiter.hit("3/hour", "a").allowed for _ in range(5)] == [True, True, True, False, False]
    assert limiter.hit("3/hour", "b").allowed


def test_who_has_to_wait_is_told_how_long():
    limiter = RateLimiter(None, 0.1)
    limiter.hit("1/minute", "a")
    decision = limiter.hit("1/minute", "a")
    assert decision.headers["RateLimit-Limit"] == "1"
    assert 1 <= int(decision.headers["Retry-After"]) <= 121


def test_a_test_counts_nothing():
    limiter = RateLimiter("memory", 0.1)
    assert all(limiter.test("1/hour", "a").allowed for _ in range(3))
    assert limiter.hit("1/hour", "a").allowed
    assert not limiter.test("1/hour", "a").allowed


def test_workers_count_together_in_redis(redis_url):
    first, second = RateLimiter(redis_url, 1.0), RateLimiter(redis_url, 1.0)
    assert first.is_shared
    assert first.hit("2/hour", "together").allowed
    assert second.hit("2/hour", "together").allowed
    assert not first.hit("2/hour", "together").allowed


def test_a_worker_counts_for_itself_while_redis_is_away():
    limiter = RateLimiter("redis://127.0.0.1:1", 0.05)
    assert [limiter.hit("2/hour", "a").allowed for _ in range(3)] == [True, True, False]


def test_of_a_large_rate_requests_are_taken_from_redis_a_part_at_once(redis_url):
    first, second = RateLimiter(redis_url, 10.0), RateLimiter(redis_url, 10.0)
    assert first.hit_taken("5000/hour", "taken") is None
    assert first.hit("5000/hour", "taken").allowed
    assert [first.hit_taken("5000/hour", "taken") is not None for _ in range(5)] == [True] * 4 + [False]
    allowed = sum(second.hit("5000/hour", "taken").allowed for _ in range(1_005))
    # The first worker has taken five; what the second takes in parts of five comes to the rest, and not to one more.
    assert allowed == 999
    assert not second.test("5000/hour", "taken").allowed


def test_the_last_requests_of_a_rate_are_counted_one_by_one(redis_url):
    limiter = RateLimiter(redis_url, 10.0)
    allowed = [limiter.hit("4001/hour", "last").allowed for _ in range(1_003)]  # four at once, and then one
    assert allowed == [True] * 1_001 + [False] * 2


def test_so_many_keys_are_remembered_and_no_more(redis_url, monkeypatch):
    monkeypatch.setattr(module, "_MAX_TAKEN", 1)
    limiter = RateLimiter(redis_url, 10.0)
    for who in ("a", "b"):
        limiter.hit("2000/hour", f"bounded {who}")
    assert limiter.hit_taken("2000/hour", "bounded a") is None
    assert limiter.hit_taken("2000/hour", "bounded b") is not None
