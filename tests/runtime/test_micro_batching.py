import os
import signal
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from recsys.runtime.micro_batching import MicroBatcher


def test_those_who_come_while_a_batch_runs_are_answered_together():
    batches, started, go_on = [], threading.Event(), threading.Event()

    def answer(asked):
        batches.append(list(asked))
        if asked[0] == "first":
            started.set()
            assert go_on.wait(600)
        return [one.upper() for one in asked]

    batcher = MicroBatcher(answer, key_of=lambda asked: asked.startswith("x"), max_batch=3, num_workers=1)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(batcher, "first")
        assert started.wait(600)
        rest = [pool.submit(batcher, name) for name in ("a", "b", "c", "d", "x1", "x2")]
        while len(batcher._waiting) < 6:
            pass
        go_on.set()
        assert first.result() == "FIRST"
        assert [one.result() for one in rest] == ["A", "B", "C", "D", "X1", "X2"]
    assert batches[0] == ["first"]
    assert sorted(len(batch) for batch in batches[1:]) == [1, 2, 3]
    assert all(len({name.startswith("x") for name in batch}) == 1 for batch in batches)


def test_an_error_reaches_the_one_who_caused_it():
    def answer(asked):
        return [10 // one for one in asked]

    batcher = MicroBatcher(answer, key_of=lambda asked: 0, max_batch=8, num_workers=2)
    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(batcher, number) for number in [1, 0, 2, 0, 5] * 20]
        for number, result in zip([1, 0, 2, 0, 5] * 20, results, strict=True):
            if number == 0:
                with pytest.raises(ZeroDivisionError):
                    result.result()
            else:
                assert result.result() == 10 // number


class Odd:
    """A key that can be hashed and not compared."""

    __hash__ = object.__hash__

    def __eq__(self, other):
        raise TypeError("the truth of an odd key is ambiguous")


@pytest.mark.parametrize("odd_first", [True, False])
def test_a_key_that_cannot_be_compared_stops_nobody(odd_first):
    started, go_on = threading.Event(), threading.Event()

    def answer(asked):
        if asked == ["blocks"]:
            started.set()
            assert go_on.wait(600)
        return [f"{one}!" for one in asked]

    batcher = MicroBatcher(answer, key_of=lambda one: Odd() if one == "odd" else one, max_batch=8, num_workers=1)
    with ThreadPoolExecutor(8) as pool:
        blocks = pool.submit(batcher, "blocks")
        assert started.wait(600)
        names = ["odd", "odd", "plain", "plain"] if odd_first else ["plain", "odd", "plain", "odd"]
        rest = [pool.submit(batcher, name) for name in names]
        while len(batcher._waiting) < 4:
            pass
        go_on.set()
        assert [one.result(600) for one in (blocks, *rest)] == [f"{name}!" for name in ("blocks", *names)]
    assert batcher("later") == "later!"


def test_a_key_that_cannot_be_made_is_the_error_of_its_caller_alone():
    batcher = MicroBatcher(list, key_of=lambda one: 1 // one, max_batch=8, num_workers=1)
    with pytest.raises(ZeroDivisionError):
        batcher(0)
    assert batcher(1) == 1


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize("when", ["in the batch", "one by one"])
def test_an_interrupted_caller_leaves_the_others_to_another(interrupt, when):
    """The first of the batch is interrupted once; all others still get their answers."""
    started, go_on, interrupted = threading.Event(), threading.Event(), []

    def answer(asked):
        if asked == ["blocks"]:
            started.set()
            assert go_on.wait(600)
        elif not interrupted and (when == "in the batch" or len(asked) == 1):
            interrupted.append(list(asked))
            raise interrupt
        elif not interrupted:
            raise ValueError("answer them one by one")
        return [f"{one}!" for one in asked]

    batcher = MicroBatcher(answer, key_of=lambda one: one == "blocks", max_batch=16, num_workers=1)
    given, interruptions = [], []

    def ask(name):
        try:
            given.append(batcher(name))
        except interrupt:
            interruptions.append(name)

    names = [f"n{number}" for number in range(16)]
    threads = [threading.Thread(target=ask, args=(name,), daemon=True) for name in ("blocks", *names)]
    threads[0].start()
    assert started.wait(600)
    for thread in threads[1:]:
        thread.start()
    while len(batcher._waiting) < 16:
        pass
    go_on.set()
    for thread in threads:
        thread.join(600)
    assert not any(thread.is_alive() for thread in threads)
    assert len(interruptions) == 1 and len(interrupted) == 1
    assert sorted([*given, *(f"{name}!" for name in interruptions)]) == sorted(
        f"{name}!" for name in ("blocks", *names)
    )
    assert (batcher._waiting, batcher._working) == ([], set())
    assert batcher("later") == "later!"


def test_too_few_answers_are_an_error_and_no_hang():
    batcher = MicroBatcher(lambda asked: [], key_of=lambda one: 0, max_batch=8, num_workers=1)
    with pytest.raises(RuntimeError, match="1 requests need as many answers, but 0 came"):
        batcher("a")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_a_process_that_is_forked_while_requests_are_under_way_answers():
    started, go_on = threading.Event(), threading.Event()

    def answer(asked):
        if asked == ["blocks"]:
            started.set()
            assert go_on.wait(600)
        return [f"{one}!" for one in asked]

    batcher = MicroBatcher(answer, key_of=lambda one: 0, max_batch=8, num_workers=1)
    with ThreadPoolExecutor(2) as pool:
        blocks = pool.submit(batcher, "blocks")
        assert started.wait(600)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forking while there are threads
            child = os.fork()
        if child == 0:
            os._exit(0 if batcher("child") == "child!" else 1)
        try:
            assert waited(child) == 0
        finally:
            go_on.set()
        assert blocks.result(600) == "blocks!"


def waited(child):
    """The status of a process that ends soon; it is killed where it does not."""
    for _ in range(200):
        process, status = os.waitpid(child, os.WNOHANG)
        if process:
            return status
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]
