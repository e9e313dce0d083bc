from __future__ import annotations

import math

import pytest

from recsys.errors import EvaluationError
from recsys.studies.tuning import epoch_limit
from recsys.studies.tuning.epoch_limit import EpochLimit, TimeIsUp


class Clock:
    """Shows what a test sets."""

    now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(epoch_limit, "time", clock)
    return clock


def test_it_ends_before_an_epoch_that_would_end_too_late(clock):
    limit = EpochLimit("valid/ndcg@10", 10)
    for epoch, (now, value) in enumerate([(103, 0.2), (106, 0.3)], start=1):
        clock.now = now
        limit(epoch, {"valid/ndcg@10": value})
    clock.now = 109  # another of 3 s would end at 112, and 110 is the limit
    with pytest.raises(TimeIsUp):
        limit(3, {"valid/ndcg@10": 0.25})
    assert limit.best() == (0.3, 2)


def test_of_equal_epochs_the_first_is_best():
    limit = EpochLimit("a", math.inf)
    for epoch, value in enumerate([0.1, 0.4, 0.4], start=1):
        limit(epoch, {"a": value})
    assert limit.best() == (0.4, 2)


def test_an_epoch_without_the_metric_does_not_count(clock):
    limit = EpochLimit("a", 1)
    clock.now = 150
    limit(1, {"b": 0.5})
    with pytest.raises(EvaluationError, match="must be one that is measured after each epoch, but it is a"):
        limit.best()
