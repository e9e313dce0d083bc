import math

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from app.service.metrics import Latency, read_metrics


def written():
    registry = CollectorRegistry()
    stage = Histogram("recsys_stage_seconds", "", ("stage",), buckets=(0.01, 0.02, 0.04), registry=registry)
    for seconds in (0.005, 0.015, 0.015, 0.03):
        stage.labels("model").observe(seconds)
    requests = Counter("recsys_requests", "", ("route", "method", "status"), registry=registry)
    requests.labels("/v1/items", "GET", "200").inc(3)
    requests.labels("/v1/users", "GET", "200").inc(2)
    requests.labels("/v1/users", "GET", "503").inc()
    cache = Counter("recsys_cache_lookups", "", ("result",), registry=registry)
    cache.labels("hit").inc(3)
    cache.labels("miss").inc(1)
    Counter("recsys_variant_answers", "", ("variant",), registry=registry).labels("none").inc(4)
    Counter("recsys_degraded_answers", "", ("dependency",), registry=registry).labels("store").inc(2)
    Gauge("recsys_spool_commands", "", registry=registry).set(7)
    return generate_latest(registry).decode()


def test_numbers_are_read_as_they_were_counted():
    numbers = read_metrics(written())
    assert numbers.requests == {"200": 5, "503": 1}
    assert (numbers.cache, numbers.cache_hit_rate) == ({"hit": 3, "miss": 1}, 0.75)
    assert (numbers.num_lists, numbers.degraded) == (4, {"store": 2})
    assert numbers.gauges["recsys_spool_commands"] == 7
    model = numbers.stages["model"]
    assert model.count == 4 and math.isclose(model.mean_ms, 16.25)


def test_quantiles_lie_on_a_line_within_their_bucket():
    # 1 below 10 ms, 3 below 20 ms, 4 below 40 ms: the median is the second of four, half of the way from 10 to 20.
    model = read_metrics(written()).stages["model"]
    assert math.isclose(model.quantile_ms(0.5), 15)
    assert math.isclose(model.quantile_ms(0.25), 10)
    assert math.isclose(model.quantile_ms(1), 40)


def test_what_is_above_the_last_bound_is_that_bound():
    slow = Latency(2, 20.0, ((0.01, 1.0), (math.inf, 2.0)))
    assert math.isclose(slow.quantile_ms(0.99), 10)


def test_nothing_measured_is_not_a_number():
    nothing = Latency(0, 0.0, ((0.01, 0.0), (math.inf, 0.0)))
    assert math.isnan(nothing.mean_ms) and math.isnan(nothing.quantile_ms(0.5))
    empty = read_metrics("")
    assert empty.cache_hit_rate is None and empty.num_lists == 0 and empty.stages == {}
