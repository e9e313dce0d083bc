import os
import subprocess
import sys

from recsys_serving.triton.guard import limited

TAKES = "import resource; print(open('/proc/self/oom_score_adj').read(), end=''); len(bytearray(2**28))"


def run(parent: int, memory_bytes: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", limited.__file__, str(parent), str(memory_bytes)]
    return subprocess.run([*command, sys.executable, "-c", TAKES], capture_output=True, text=True)


def test_more_memory_than_the_bound_is_refused_to_the_program():
    refused = run(os.getpid(), 2**27)
    assert refused.returncode == 1 and "MemoryError" in refused.stderr


def test_without_a_bound_the_program_is_only_ended_before_others():
    finished = run(os.getpid(), 0)
    assert finished.returncode == 0 and finished.stdout == "500\n"


def test_it_does_not_outlive_a_parent_that_has_ended_already():
    finished = run(1, 0)
    assert finished.returncode == 1 and finished.stdout == finished.stderr == ""
