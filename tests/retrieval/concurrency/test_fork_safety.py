import os
import threading

import pytest

from recsys.retrieval.concurrency.fork_safety import call_after_fork


class Counter:
    def __init__(self):
        self.lock, self.num_begun = threading.Lock(), 0
        call_after_fork(self.begin_anew)

    def begin_anew(self):
        self.lock, self.num_begun = threading.Lock(), self.num_begun + 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_a_forked_process_has_new_locks_and_its_parent_the_old_ones():
    counter = Counter()
    counter.lock.acquire()
    child = os.fork()
    if child == 0:
        os._exit(0 if counter.num_begun == 1 and counter.lock.acquire(blocking=False) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert counter.num_begun == 0 and counter.lock.locked()
