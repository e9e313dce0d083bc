from datetime import UTC, datetime, timedelta

import pytest
from recsys_serving.resilience.health import HealthRegistry

START = datetime(2026, 1, 31, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def test_a_dependency_that_was_not_asked_is_unknown():
    health = HealthRegistry(Clock())
    health.register("store")
    assert health.of("store").state == "unknown" and health.of("store").since == START
    with pytest.raises(KeyError):
        health.of("cache")


def test_since_moves_with_the_state_and_not_with_each_call():
    clock = Clock()
    health = HealthRegistry(clock)
    health.succeeded("store")
    clock.now = START + timedelta(seconds=5)
    health.succeeded("store")
    assert (health.of("store").state, health.of("store").since) == ("up", START)
    health.failed("store", OSError("refused"))
    clock.now = START + timedelta(seconds=9)
    health.failed("store", OSError("refused"))
    assert (health.of("store").state, health.of("store").since) == ("failing", START + timedelta(seconds=5))
    health.failed("store", OSError("refused"), is_open=True)
    assert (health.of("store").state, health.of("store").since) == ("down", clock.now)


def test_the_last_error_and_the_number_of_failures_stay_when_all_is_well_again():
    health = HealthRegistry()
    health.failed("cache", OSError("refused"))
    health.failed("cache", TimeoutError("slow " * 200))
    health.succeeded("cache")
    after = health.of("cache")
    assert after.state == "up" and after.num_failures == 2
    assert (
        after.last_error is not None
        and after.last_error.startswith("TimeoutError: slow")
        and len(after.last_error) == 300
    )


def test_all_are_told_by_name():
    health = HealthRegistry()
    for name in ("store", "cache", "runtime"):
        health.register(name)
    health.register("cache")
    assert [one.name for one in health.all()] == ["cache", "runtime", "store"]
