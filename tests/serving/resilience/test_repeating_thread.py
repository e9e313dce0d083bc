import threading

from recsys_serving.resilience.repeating_thread import RepeatingThread


def test_something_is_done_again_and_again_whatever_goes_wrong(caplog):
    times = threading.Semaphore(0)

    def fail() -> None:
        times.release()
        raise ZeroDivisionError

    thread = RepeatingThread("test", fail, 0.001, 0.001)
    thread.start()
    assert times.acquire(timeout=60) and times.acquire(timeout=60)
    thread.close()
    assert "test failed, and goes on" in caplog.text


def test_a_thread_that_never_began_is_closed():
    RepeatingThread("test", lambda: None, 1e6, 1e6).close()


def test_closing_does_not_wait_for_the_interval():
    thread = RepeatingThread("test", lambda: None, 1e6, 1e6)
    thread.start()
    thread.close()
