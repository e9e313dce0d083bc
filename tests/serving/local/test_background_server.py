import os
import sys
import time
from pathlib import Path

from recsys_serving.local.background_server import BackgroundServer, last_lines, start_in_background
from recsys_serving.triton.state import started_at


def test_a_server_is_read_as_it_was_written(tmp_path: Path):
    server = BackgroundServer(os.getpid(), started_at(os.getpid()) or 0, "127.0.0.1", 4711, "server.log")
    server.write(tmp_path / "server.json")
    assert BackgroundServer.read(tmp_path / "server.json") == server and server.is_running
    assert BackgroundServer.read(tmp_path / "none.json") is None


def test_a_program_is_in_the_background_and_its_log_begins_anew(tmp_path: Path):
    log = tmp_path / "log"
    log.write_text("of before\n")
    code = "import os; print(os.environ['WORD'], os.getcwd())"
    pid = start_in_background([sys.executable, "-c", code], log, {**os.environ, "WORD": "said"}, tmp_path)
    while started_at(pid) is not None:
        time.sleep(0.01)
    assert last_lines(log) == f"said {tmp_path}"


def test_only_the_last_lines_are_shown_and_none_is_very_long(tmp_path: Path):
    log = tmp_path / "log"
    assert last_lines(log) == "(none)"
    log.write_text("\n".join([*(str(number) for number in range(20)), "x" * 900]))
    assert last_lines(log).splitlines() == [*(str(number) for number in range(9, 20)), "x" * 500]
