import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from recsys.runtime.micro_batching import MicroBatcher


def test_those_who_come_while_a_batch_runs_are_answered_together():
    batches, started, go_on = [], threading.Event(), threading.Event()

    def answer(asked):
        batches.append(list(asked))
        if asked[0] == "first":
            started.set()
            assert go_on.wait(10)
        return [one.upper() for one in asked]

    batcher = MicroBatcher(answer, key_of=lambda asked: asked.startswith("x"), max_batch=3, num_workers=1)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(batcher, "first")
        assert started.wait(10)
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
