import numpy as np
import pytest

from recsys.retrieval import search_latency
from recsys.retrieval.search_latency import measure_latency_ms


@pytest.fixture
def clock(monkeypatch):
    """A clock that only what is searched moves on."""

    class Clock:
        now = 0.0

        def perf_counter(self):
            return self.now

    made = Clock()
    monkeypatch.setattr(search_latency, "time", made)
    return made


def test_it_is_the_median_of_the_fewest(clock):
    queries = np.array([[1.0], [2.0], [9.0]])
    calls = []

    def search(block):
        calls.append(len(block))
        # every other repeat something else takes the machine
        clock.now += float(block[0, 0]) + (0 if len(calls) % 2 else 100)

    assert measure_latency_ms(search, queries, seconds=1e-9) == 2000
    assert len(calls) == 1 + 5 * 3


def test_batches_are_divided(clock):
    def search(block):
        clock.now += 0.5 * len(block)

    assert measure_latency_ms(search, np.ones((8, 2)), batch=4) == 500


def test_there_are_as_many_batches_as_there_is_time_for(clock):
    calls = []

    def search(block):
        calls.append(1)
        clock.now += 0.01

    measure_latency_ms(search, np.ones((1000, 1)), seconds=0.5)
    assert len(calls) == 1 + 5 * 10
    measure_latency_ms(search, np.ones((4, 1)), seconds=0.5)
    assert len(calls) == 1 + 5 * 10 + 1 + 5 * 4
