import threading

import pytest
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.resilience.dependency import Dependency, DependencyPolicy, DependencyUnavailable
from recsys_serving.resilience.health import HealthRegistry


def dependency(health: HealthRegistry | None = None, **policy: object) -> Dependency:
    return Dependency("store", DependencyPolicy(**policy), health or HealthRegistry())  # type: ignore[arg-type]


def failing(times: int) -> object:
    """A call that fails so often, then gives the number of the attempt."""
    attempts = [0]

    def call() -> int:
        attempts[0] += 1
        if attempts[0] <= times:
            raise ConnectionError("reset")
        return attempts[0]

    return call


def test_an_answer_comes_as_it_is_and_health_knows_it():
    health = HealthRegistry()
    assert dependency(health).call(lambda: 5) == 5
    assert health.of("store").state == "up"


def test_a_failure_is_told_with_its_reason():
    health = HealthRegistry()
    asked = dependency(health)
    with pytest.raises(DependencyUnavailable, match="The store did not answer as it should: reset"):
        asked.call(failing(1))
    assert health.of("store").state == "failing" and health.of("store").last_error == "ConnectionError: reset"


def test_what_fails_again_and_again_is_left_alone():
    health, calls = HealthRegistry(), []
    asked = dependency(health, threshold=2, open_seconds=60)

    def call():
        calls.append(1)
        raise OSError("refused")

    for _ in range(5):
        with pytest.raises(DependencyUnavailable):
            asked.call(call)
    assert len(calls) == 2 and asked.is_open and health.of("store").state == "down"


def test_a_second_attempt_is_made_only_where_it_is_allowed():
    assert dependency().call(failing(1), attempts=2) == 2
    with pytest.raises(DependencyUnavailable):
        dependency().call(failing(1))
    with pytest.raises(DependencyUnavailable):
        dependency(threshold=5).call(failing(2), attempts=2)


def test_no_second_attempt_without_time_for_it():
    call = failing(1)
    with pytest.raises(DependencyUnavailable):
        dependency().call(call, Deadline(0.0), attempts=2)
    assert call() == 2


def test_a_slow_call_is_given_up_and_not_repeated():
    release, calls = threading.Event(), []
    asked = dependency(timeout_seconds=0.02)

    def call():
        calls.append(1)
        release.wait(600)

    with pytest.raises(DependencyUnavailable, match="did not answer within 0.02 s"):
        asked.call(call, attempts=2)
    release.set()
    assert calls == [1]
    asked.close()


def test_a_deadline_shortens_the_wait():
    release = threading.Event()
    asked = dependency(timeout_seconds=60)
    with pytest.raises(DependencyUnavailable, match="did not answer within 0 s"):
        asked.call(release.wait, Deadline(0.0))
    release.set()
    asked.close()


def test_a_wrong_question_is_no_failure():
    health = HealthRegistry()
    asked = dependency(health, threshold=1)
    with pytest.raises(KeyError):
        asked.call(lambda: {}["nothing"])
    assert not asked.is_open
