from __future__ import annotations

import multiprocessing
import os

import pytest

from recsys.errors import RunError
from recsys.studies.leaderboard import worker as module
from recsys.studies.leaderboard.worker import Worker
from tests.studies.leaderboard import jobs_for_tests as jobs


@pytest.fixture(autouse=True)
def quickly_started(monkeypatch):
    """Forked from this process, which has imported what the jobs need."""
    monkeypatch.setattr(module, "_context", lambda: multiprocessing.get_context("fork"))


@pytest.fixture
def worker():
    with Worker() as worker:
        yield worker


def test_it_returns_what_the_job_returns_from_another_process(worker):
    assert worker.call(jobs.add, 2, 3) == 5
    assert worker.call(jobs.process) != os.getpid()


def test_jobs_share_a_process_until_it_is_stopped(worker):
    assert [worker.call(jobs.count) for _ in range(3)] == [1, 2, 3]
    worker.stop()
    assert not worker.is_running
    assert worker.call(jobs.count) == 1


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (jobs.refuse, "no such thing"),
        (jobs.refuse_within_another, "no such thing"),
        (jobs.fail, "ZeroDivisionError: by zero$"),
    ],
)
def test_an_error_there_is_one_here_and_the_process_goes_on(worker, job, message):
    first = worker.call(jobs.process)
    with pytest.raises(RunError, match=message):
        worker.call(job)
    assert worker.call(jobs.process) == first


def test_a_job_whose_time_is_up_is_stopped(worker):
    ticks = []
    worker._tick = lambda: ticks.append(1)
    with pytest.raises(RunError, match="It was stopped after 0 s, its share of the time"):
        worker.call(jobs.sleep, limit_seconds=0.3)
    assert ticks and not worker.is_running
    assert worker.call(jobs.add, 1, 1) == 2


def test_a_process_that_is_killed_is_told_and_replaced(worker):
    with pytest.raises(RunError, match=r"ended from outside .* when memory runs out"):
        worker.call(jobs.die)
    assert worker.call(jobs.add, 1, 1) == 2


def test_nothing_is_left_behind():
    with Worker() as worker:
        worker.call(jobs.add, 1, 1)
        process = worker._process
    assert process is not None and not worker.is_running
    assert worker._process is None
