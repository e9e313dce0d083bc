import threading

import pytest
from recsys_serving.resilience.bounded_calls import BoundedCalls, CallTimeout

from recsys.errors import ServingError


@pytest.fixture
def calls():
    calls = BoundedCalls("store", max_threads=2)
    yield calls
    calls.close()


def test_a_result_and_an_error_come_as_they_are(calls):
    assert calls.run(lambda: 7, 5) == 7
    with pytest.raises(ZeroDivisionError):
        calls.run(lambda: 1 / 0, 5)


def test_a_caller_goes_on_when_its_time_is_over(calls):
    release = threading.Event()
    with pytest.raises(CallTimeout, match="The store did not answer within 0.01 s"):
        calls.run(release.wait, 0.01)
    release.set()
    assert calls.run(lambda: "again", 5) == "again"


def test_where_all_threads_hang_a_call_is_given_up_and_never_made(calls):
    release, made = threading.Event(), []
    for _ in range(2):
        with pytest.raises(CallTimeout):
            calls.run(release.wait, 0.01)
    with pytest.raises(CallTimeout):
        calls.run(lambda: made.append("too late"), 0.01)
    release.set()
    assert calls.run(lambda: 1, 5) == 1 and made == []


def test_no_more_threads_than_were_asked_for():
    calls = BoundedCalls("counted", max_threads=3)
    callers = [threading.Thread(target=lambda: [calls.run(lambda: None, 5) for _ in range(50)]) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(600)
    assert sum(thread.name.startswith("counted-") for thread in threading.enumerate()) <= 3
    calls.close()
    with pytest.raises(ServingError, match="was closed"):
        calls.run(lambda: 1, 1)
