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
