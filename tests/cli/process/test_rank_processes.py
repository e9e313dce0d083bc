import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.cli.process import rank_processes
from recsys.cli.process.rank_processes import end_with_watcher, is_watched, note_run, run_ranks
from recsys.errors import RunError

#: A command whose ranks do what is said of them, and otherwise wait to be ended.
SCRIPT = """
import os, signal, sys, time
from pathlib import Path
rank = os.environ["RANK"]
Path(sys.argv[1], rank).write_text(" ".join([
    os.environ["LOCAL_RANK"], os.environ["WORLD_SIZE"], os.environ["LOCAL_WORLD_SIZE"], os.environ["MASTER_ADDR"]]))
if rank == "0" and "note" in sys.argv:
    Path(os.environ["RECSYS_RANKS_NOTE"]).write_text("runs/this one")
for argument in sys.argv[2:]:
    who, _, what = argument.partition("=")
    if who == rank:
        if what == "kill":
            while not all(Path(sys.argv[1], other).is_file() for other in "01"):
                time.sleep(0.01)
            time.sleep(0.2)  # for the note
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "told":
            sys.exit(print("error: rows are missing", file=sys.stderr) or 2)
        if what == "bug":
            raise ValueError("out of range")
        sys.exit(int(what))
time.sleep(60)
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    monkeypatch.setattr(rank_processes, "script_path", lambda name: script)
    monkeypatch.setattr(rank_processes, "_PATIENCE_SECONDS", 1.0)
    return lambda *arguments, count=2, num_nodes=1: run_ranks("train", [str(tmp_path), *arguments], count, num_nodes)


def test_each_rank_is_told_its_place(run, tmp_path):
    assert run("0=0", "1=0") == 0
    assert [(tmp_path / rank).read_text() for rank in "01"] == ["0 2 2 127.0.0.1", "1 2 2 127.0.0.1"]


def test_an_error_that_rank_0_has_told_ends_all_with_its_status(run, capfd):
    assert run("0=2") == 2
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_rank_that_is_killed_ends_all_with_one_message(run, rank, capfd):
    with pytest.raises(RunError, match=f"rank {rank} was ended by SIGKILL; the others.*resume=runs/this one"):
        run("note", f"{rank}=kill")
    assert capfd.readouterr().err == ""


def test_those_that_have_lost_another_are_not_the_first(run, tmp_path):
    with pytest.raises(RunError, match="rank 1 was ended by SIGKILL"):
        run("0=75", "1=kill")


def test_what_another_rank_says_of_its_end_is_told(run):
    with pytest.raises(RunError, match="rank 1 ended with status 1:\n(.|\n)*ValueError: out of range"):
        run("1=bug")


def test_an_error_of_the_user_is_told_as_it_is_and_once(run, capfd):
    with pytest.raises(RunError, match=r"\Arows are missing\Z"):
        run("1=told")
    assert run("0=told", "1=told") == 2
    assert capfd.readouterr().err == "error: rows are missing\n"


def test_without_a_run_directory_the_command_is_to_be_run_again(run):
    with pytest.raises(RunError, match="the others were ended. Run the same command again."):
        run("1=kill")


def test_several_machines_have_to_know_each_other(run, monkeypatch):
    for name in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RunError, match="trainer.num_nodes=2 needs MASTER_ADDR, MASTER_PORT, NODE_RANK"):
        run(num_nodes=2)


@pytest.mark.parametrize("node", ["abc", "-1", "2"])
def test_the_number_of_a_machine_is_one_of_them(run, monkeypatch, node):
    monkeypatch.setenv("MASTER_ADDR", "10.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "29500")
    monkeypatch.setenv("NODE_RANK", node)
    with pytest.raises(RunError, match=f"NODE_RANK must be .*num_nodes=2, from 0 to 1, but it is {node}. Correct it"):
        run(num_nodes=2)


@pytest.mark.parametrize("node", ["abc", "3"])
def test_on_one_machine_its_number_in_the_environment_does_not_count(run, monkeypatch, tmp_path, node):
    monkeypatch.setenv("NODE_RANK", node)
    assert run("0=0", "1=0") == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.isdecimal()) == ["0", "1"]


def test_ranks_of_the_second_machine_go_on_counting(run, monkeypatch, tmp_path):
    monkeypatch.setenv("MASTER_ADDR", "10.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "29500")
    monkeypatch.setenv("NODE_RANK", "1")
    assert run("2=0", "3=0", num_nodes=2) == 0
    assert (tmp_path / "3").read_text() == "1 4 2 10.0.0.1"


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not end the children of a process that has ended")
def test_ranks_end_with_whoever_watches_them(tmp_path):
    rank = f"import time; from {end_with_watcher.__module__} import *; end_with_watcher(); print(1, flush=True)"
    watcher = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {f'{rank}; time.sleep(60)'!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", watcher], stdout=subprocess.PIPE, env={**os.environ, "RECSYS_RANKS_NOTE": str(tmp_path)}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"
        process.kill()
        assert process.stdout.read() == b""  # which ends with the last process that could write


#: Starts two ranks as a command does, of which each says that it is there, and waits to be ended.
WATCHER = """
import sys
from pathlib import Path
from recsys.cli.process import rank_processes
rank_processes.script_path = lambda name: Path(sys.argv[1])
rank_processes.run_ranks("train", [], 2)
"""
WATCHED = """
import os, time
from recsys.cli.process.rank_processes import end_with_watcher
end_with_watcher()
output = 2 if os.environ["RANK"] == "0" else os.open(os.environ["SEEN"], os.O_WRONLY)
os.write(output, b"here")
time.sleep(30)
os.write(output, b"outlived it")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not end the children of a process that has ended")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_rank_outlives_the_process_that_was_started(tmp_path, number):
    script, seen = tmp_path / "rank.py", tmp_path / "seen"
    script.write_text(WATCHED)
    os.mkfifo(seen)
    with subprocess.Popen(
        [sys.executable, "-c", WATCHER, str(script)], stderr=subprocess.PIPE, env={**os.environ, "SEEN": str(seen)}
    ) as process:
        assert process.stderr is not None
        with seen.open("rb", buffering=0) as second:
            assert (process.stderr.read(4), second.read(4)) == (b"here", b"here")
            process.send_signal(number)
            assert process.wait() == (128 + number if number == signal.SIGTERM else -number)
            # Both end with the last process that could write.
            told = b"The training was asked to end by SIGTERM. Run the same command again.\n"
            assert (process.stderr.read(), second.read()) == (told if number == signal.SIGTERM else b"", b"")


def test_a_run_is_noted_where_somebody_watches(tmp_path):
    note = tmp_path / "note"
    note_run(Path("runs/x"), {})
    assert not is_watched({})
    note_run(Path("runs/x"), {"RECSYS_RANKS_NOTE": str(note)})
    assert note.read_text() == "runs/x"
