import os

from recsys.cli.process import threads


def test_threads_do_not_spin(monkeypatch):
    monkeypatch.setattr(threads, "usable_cpus", lambda: len(os.sched_getaffinity(0)))
    environment: dict[str, str] = {}
    threads.choose_threads(environment)
    assert environment == threads.OPENMP_WAITING | threads.OPENBLAS_WAITING


def test_what_the_user_has_set_stays(monkeypatch):
    monkeypatch.setattr(threads, "usable_cpus", lambda: 0)
    given = {
        "OMP_WAIT_POLICY": "ACTIVE",
        "KMP_BLOCKTIME": "200",
        "OMP_NUM_THREADS": "7",
        "OPENBLAS_THREAD_TIMEOUT": "20",
    }
    environment = dict(given)
    threads.choose_threads(environment)
    assert {name: environment[name] for name in given} == given


def test_whoever_says_how_openmp_waits_says_all_of_it():
    environment = {"OMP_WAIT_POLICY": "ACTIVE", "OMP_NUM_THREADS": "2"}
    threads.choose_threads(environment)
    assert environment == {"OMP_WAIT_POLICY": "ACTIVE", "OMP_NUM_THREADS": "2", "OPENBLAS_THREAD_TIMEOUT": "4"}


def test_a_container_has_as_many_threads_as_processors(monkeypatch):
    monkeypatch.setattr(threads, "usable_cpus", lambda: len(os.sched_getaffinity(0)) - 1)
    environment: dict[str, str] = {}
    threads.choose_threads(environment)
    assert environment["OMP_NUM_THREADS"] == str(len(os.sched_getaffinity(0)) - 1)
