import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from recsys_serving.triton.guard.stubs import StubWatch, WorkWatch, stubs_of

#: A process with as many children as told, which look like those of a server, and which one by one end as told.
PARENT = """
import subprocess, sys
children = [subprocess.Popen(["b/triton_python_backend_stub", sys.argv[1]], executable=sys.executable) for _ in "ab"]
print(flush=True)
for _ in sys.stdin:
    children[0].kill()
    children.pop(0).wait()
    print(flush=True)
for child in children:
    child.kill()
"""


class Server:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    @property
    def pid(self) -> int:
        return self.process.pid

    def lose_one(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.process.stdout.readline()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "double" / "7" / "model.py"
    path.parent.mkdir(parents=True)
    path.write_text("import time; time.sleep(60)", encoding="utf-8")
    return path


@pytest.fixture
def server(model: Path) -> Iterator[Server]:
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", PARENT, str(model)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        stack.callback(process.stdin.close)
        while len(stubs_of(process.pid)) < 2:  # their programs have not begun yet
            time.sleep(0.01)
        yield Server(process)


def test_a_process_that_was_killed_is_missed(server: Server, model: Path):
    assert list(stubs_of(server.pid).values()) == [model.parent] * 2
    watch = StubWatch(server.pid, lambda name, version: 2 if (name, version) == ("double", "7") else 0, patience=2)
    assert watch.lost() is None and watch.lost() is None
    server.lose_one()
    assert watch.lost() is None
    assert watch.lost() == "double, version 7"


@pytest.mark.parametrize("instances", [0, 1])
def test_what_was_unloaded_or_loaded_anew_misses_none(server: Server, instances: int):
    # While a model is loaded anew there are processes of before and after.
    watch = StubWatch(server.pid, lambda name, version: instances, patience=1)
    watch.lost()
    server.lose_one()
    assert watch.lost() is None and watch.lost() is None


def test_a_process_that_has_ended_has_none():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert stubs_of(process.pid) == {}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_model_that_waits_does_not_work(server: Server):
    clock = Clock()
    watch = WorkWatch(server.pid, monotonic=clock)
    clock.now += 1e6
    assert not watch.went_on()


@pytest.mark.parametrize("program", ["while True: pass"])
def test_a_model_that_computes_works_however_long_it_takes(model: Path, program: str):
    model.write_text(program, encoding="utf-8")
    command = [sys.executable, "-c", PARENT, str(model)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        while len(stubs_of(process.pid)) < 2:
            time.sleep(0.01)
        clock = Clock()
        watch = WorkWatch(process.pid, monotonic=clock)
        clock.now += 1.0
        end = time.monotonic() + 100
        while not watch.went_on() and time.monotonic() < end:
            time.sleep(0.05)
        assert time.monotonic() < end
        for pid in stubs_of(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.stdin.close()
    assert not watch.went_on()  # nor do those that have gone
