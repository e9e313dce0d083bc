import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from recsys_serving.triton.guard.stubs import StubWatch, stubs_of

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
