import threading

from recsys.retrieval.concurrency.read_write_lock import ReadWriteLock

#: Longer than anything here takes; a test that waits for it has failed.
LONG = 30


def run(target):
    thread = threading.Thread(target=target)
    thread.start()
    return thread


def test_readers_hold_it_together():
    lock, both = ReadWriteLock(), threading.Barrier(2, timeout=LONG)

    def read():
        with lock.reading():
            both.wait()  # breaks unless the other is inside as well

    threads = [run(read) for _ in range(2)]
    for thread in threads:
        thread.join(LONG)
    assert not both.broken


def test_a_writer_is_alone():
    lock, numbers, torn = ReadWriteLock(), [0, 0], []

    def write():
        for _ in range(200):
            with lock.writing():
                numbers[0] += 1
                numbers[1] += 1

    def read():
        for _ in range(400):
            with lock.reading():
                if numbers[0] != numbers[1]:
                    torn.append(tuple(numbers))

    threads = [run(write), run(write), run(read), run(read)]
    for thread in threads:
        thread.join(LONG)
    assert numbers == [400, 400]
    assert torn == []


def test_a_writer_that_waits_goes_before_later_readers():
    lock, order = ReadWriteLock(), []
    inside, leave = threading.Event(), threading.Event()

    def first():
        with lock.reading():
            inside.set()
            leave.wait(LONG)

    def write():
        with lock.writing():
            order.append("writer")

    def late():
        with lock.reading():
            order.append("reader")

    threads = [run(first)]
    inside.wait(LONG)
    threads.append(run(write))
    while not lock._waiting:
        pass
    threads.append(run(late))
    leave.set()
    for thread in threads:
        thread.join(LONG)
    assert order == ["writer", "reader"]


def test_an_error_inside_leaves_it():
    lock = ReadWriteLock()
    for hold in (lock.reading, lock.writing):
        try:
            with hold():
                raise KeyError
        except KeyError:
            pass
    with lock.writing():
        pass
