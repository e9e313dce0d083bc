"""A process that writes or drains a spool is killed, or its disk is full: nothing that was told to be safe is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from recsys_serving.spool.commands import SpoolCommand
from recsys_serving.spool.spool import Spool

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "var" / "spool.sqlite"


def run(code: str, path: Path) -> subprocess.Popen:
    """Python in a process of its own, with the path of the spool as its argument."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'serving'}"}
    arguments = [sys.executable, "-c", code, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(arguments, text=True, env=environment, cwd=ROOT, **pipes)


WRITER = """
import sys
from pathlib import Path
from recsys_serving.spool.commands import SpoolCommand
from recsys_serving.spool.spool import Spool

spool = Spool(Path(sys.argv[1]))
for number in range(10**6):
    spool.append([SpoolCommand(str(number), "user_put", {"number": number}, "ada")])
    print(number, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 40])
def test_what_a_killed_writer_was_told_is_safe_is_there(path, lines):
    with run(WRITER, path) as writer:
        told = [int(writer.stdout.readline()) for _ in range(lines)]
        writer.send_signal(signal.SIGKILL)
        told += [int(line) for line in writer.stdout.read().split("\n")[:-1]]
    spool = Spool(path)
    kept = [one.payload["number"] for one in spool.pending_for("ada")]
    assert kept == list(range(len(kept)))
    assert told == list(range(len(told)))
    assert len(told) <= len(kept) <= len(told) + 1  # one may have been safe and not yet told
    spool.close()


DRAINER = """
import sys
from pathlib import Path
from recsys_serving.spool.spool import Spool

def apply(command):
    print(command.payload["number"], flush=True)
    if command.payload["number"] == 22:
        sys.stdin.read()

Spool(Path(sys.argv[1])).drain(apply, batch=5)
"""


def test_a_killed_drain_loses_nothing_and_repeats_a_batch_at_most(path):
    spool = Spool(path)
    spool.append([SpoolCommand(str(n), "user_put", {"number": n}, "ada") for n in range(2000)])
    with run(DRAINER, path) as drainer:
        taken = [int(drainer.stdout.readline()) for _ in range(23)]
        drainer.send_signal(signal.SIGKILL)
    rest = []
    spool.drain(lambda command: rest.append(command.payload["number"]))
    assert taken == list(range(23))
    assert rest == list(range(20, 2000))  # batches of five: the last three of those taken come again
    spool.close()


LITTLE_DISK = """
import resource, signal, sys
from pathlib import Path
from recsys_serving.spool.commands import SpoolCommand
from recsys_serving.spool.errors import SpoolError
from recsys_serving.spool.spool import Spool

spool = Spool(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
number = 0
try:
    while True:
        spool.append([SpoolCommand(str(number), "user_put", {"text": "x" * 1000}, "ada")])
        number += 1
except SpoolError as error:
    print(number, error)
"""


def test_a_disk_that_is_full_is_told_and_nothing_of_before_is_lost(path):
    with run(LITTLE_DISK, path) as process:
        output = process.stdout.read()
    number, _, message = output.partition(" ")
    assert "cannot be used" in message or "has reached" in message
    spool = Spool(path)
    assert [one.command_id for one in spool.pending_for("ada")] == [str(n) for n in range(int(number))]
    spool.close()
