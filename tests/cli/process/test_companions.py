from __future__ import annotations

import pytest

from recsys.cli.process import companions
from recsys.cli.process.companions import companion_place, run_companions

BODY = """
import os, sys
place = int(os.environ["RECSYS_COMPANION"])
print(f"worker {place} with {sys.argv[1:]}, {os.environ['OMP_NUM_THREADS']} threads")
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Writes the script that is run."""
    monkeypatch.setattr(companions, "script_path", lambda name: tmp_path / f"{name}.py")
    monkeypatch.setattr(companions, "usable_cpus", lambda: 6)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    return (tmp_path / "toy.py").write_text


def test_each_has_its_place_and_a_share_of_the_processors(script):
    script(BODY)
    lines = []
    assert run_companions("toy", ["a=1", "b c"], 3, lines.append) == 0
    assert sorted(lines) == [f"worker {place} with ['a=1', 'b c'], 2 threads" for place in (1, 2, 3)]


def test_the_number_of_threads_that_a_user_chose_is_kept(script, monkeypatch):
    script(BODY)
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    lines = []
    run_companions("toy", [], 1, lines.append)
    assert lines == ["worker 1 with [], 5 threads"]


def test_an_error_that_all_have_is_told_once(script, capfd):
    script(BODY + "sys.stderr.write('error: no\\n'); sys.exit(2)")
    assert run_companions("toy", [], 3, lambda line: None) == 2
    assert capfd.readouterr().err == "error: no\n"


def test_where_others_alone_have_failed_their_errors_are_told(script, capfd):
    script(BODY + "if place > 1: sys.exit(f'error: {place}')")
    assert run_companions("toy", [], 3, lambda line: None) == 0
    assert capfd.readouterr().err == "error: 2\nerror: 3\n"


def test_one_that_comes_to_its_end_is_enough(script, capfd):
    script(BODY + "if place == 1: os.kill(os.getpid(), 9)")
    assert run_companions("toy", [], 2, lambda line: None) == 0
    assert capfd.readouterr().err == "process 1 of 2 was ended by signal 9 (Killed); the others went on\n"


def test_where_all_were_killed_it_is_told_with_what_to_do(script, capfd):
    script(BODY + "os.kill(os.getpid(), 9)")
    assert run_companions("toy", [], 2, lambda line: None) == 128 + 9
    told = [f"process {n} of 2 was ended by signal 9 (Killed); run the same command again" for n in (1, 2)]
    assert capfd.readouterr().err.splitlines() == told


def test_an_interrupt_of_this_process_reaches_all(script, monkeypatch):
    script(BODY + "import time; sys.stdout.flush(); time.sleep(600)")
    monkeypatch.setattr(companions, "_PATIENCE_SECONDS", 0.2)
    ended = []
    wait = companions.subprocess.Popen.wait

    def interrupted(process, timeout=None):
        if timeout is None and process.poll() is None:
            raise KeyboardInterrupt
        ended.append(process)
        return wait(process, timeout)

    monkeypatch.setattr(companions.subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_companions("toy", [], 2, lambda line: None)
    assert {process.poll() for process in ended} <= {-2, -9, 1, 130}
    assert len(set(map(id, ended))) == 2


def test_a_command_that_a_user_started_has_no_place(monkeypatch):
    monkeypatch.delenv("RECSYS_COMPANION", raising=False)
    assert companion_place() is None
    monkeypatch.setenv("RECSYS_COMPANION", "2")
    assert companion_place() == 2
