import subprocess
import sys

import pytest

from recsys.errors import RunError
from recsys.runs.run_lock import locked_run

HOLDER = """
import sys, time
from pathlib import Path
from recsys.runs.run_lock import locked_run
with locked_run(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_nothing_is_left_when_it_ends(tmp_path):
    for _ in range(2):
        with locked_run(tmp_path):
            assert (tmp_path / ".lock").is_file()
        assert list(tmp_path.iterdir()) == []


def test_another_process_is_refused_until_the_first_is_dead(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with pytest.raises(RunError, match="another one does"), locked_run(tmp_path):
            pass
        holder.kill()
    with locked_run(tmp_path):
        pass


def test_an_error_inside_lets_go(tmp_path):
    with pytest.raises(ZeroDivisionError), locked_run(tmp_path):
        raise ZeroDivisionError
    with locked_run(tmp_path):
        pass
