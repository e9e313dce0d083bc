import threading
import time
from collections.abc import Callable

import pytest
from recsys_serving.resilience.breaker import Breaker, BreakerOpen


class Clock:
    """Seconds that pass when the test says so."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


def use(breaker: Breaker, error: Exception | None = None) -> None:
    with breaker:
        if error is not None:
            raise error


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        with pytest.raises(OSError):
            use(breaker, OSError("refused"))


def test_it_opens_after_failures_in_a_row_and_refuses_at_once():
    breaker = Breaker("store", threshold=3)
    fail(breaker, 2)
    use(breaker)
    fail(breaker, 2)
    assert not breaker.is_open
    fail(breaker, 1)
    assert breaker.is_open
    with pytest.raises(BreakerOpen, match="The store failed too often"):
        use(breaker)


def test_an_error_that_says_nothing_about_the_dependency_is_no_failure():
    breaker = Breaker("store", threshold=1, failures=(OSError,))
    with pytest.raises(ValueError):
        use(breaker, ValueError("a wrong question"))
    assert not breaker.is_open


def test_after_a_while_one_call_tries_and_closes_it(clock):
    breaker = Breaker("store", threshold=1, open_seconds=2.0, monotonic=clock)
    fail(breaker, 1)
    clock.seconds += 2.1
    use(breaker)
    assert not breaker.is_open


def test_a_call_that_tries_and_fails_opens_it_again(clock):
    breaker = Breaker("store", threshold=1, open_seconds=2.0, monotonic=clock)
    fail(breaker, 1)
    clock.seconds += 2.1
    fail(breaker, 1)
    with pytest.raises(BreakerOpen):
        use(breaker)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_makes_nothing_shorter_or_longer(clock, monkeypatch, hours):
    breaker = Breaker("store", threshold=1, open_seconds=2.0, monotonic=clock)
    fail(breaker, 1)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600 * hours)
    clock.seconds += 1.9
    with pytest.raises(BreakerOpen):
        use(breaker)
    clock.seconds += 0.2
    use(breaker)
    assert not breaker.is_open


def in_thread(act: Callable[[], object]) -> list[BaseException | None]:
    raised: list[BaseException | None] = []

    def run() -> None:
        try:
            act()
            raised.append(None)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(600)
    return raised


def test_while_one_call_tries_all_others_are_refused(clock):
    breaker = Breaker("store", threshold=1, open_seconds=2.0, monotonic=clock)
    fail(breaker, 1)
    clock.seconds += 2.1
    with breaker:
        assert isinstance(in_thread(lambda: use(breaker))[0], BreakerOpen)
    assert in_thread(lambda: use(breaker)) == [None]


def test_threads_that_fail_together_leave_it_in_order():
    breaker = Breaker("store", threshold=3)
    barrier = threading.Barrier(8)

    def fail_together() -> None:
        with breaker:
            barrier.wait(600)
            raise OSError("refused")

    threads = [threading.Thread(target=lambda: pytest.raises(OSError, fail_together)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
    with pytest.raises(BreakerOpen):
        use(breaker)


def test_the_error_of_an_open_one_does_not_grow():
    breaker = Breaker("store", threshold=1)
    fail(breaker, 1)
    for _ in range(5):
        with pytest.raises(BreakerOpen) as caught:
            use(breaker)
        assert caught.value.__context__ is not None and caught.value.__context__.__traceback__ is None
