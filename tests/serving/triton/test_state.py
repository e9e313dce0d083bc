from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from recsys_serving.triton.launcher import stop
from recsys_serving.triton.state import STATE, ServerState, read_state, running_server, started_at


def state_of(pid: int, started: int, directory: Path) -> ServerState:
    return ServerState(pid, started, "repository", 1, 2, 3, "server.log", str(directory / "start-old"), "key")


def test_a_state_is_read_as_it_was_saved(tmp_path: Path):
    state = state_of(7, 11, tmp_path)
    state.save(tmp_path)
    assert read_state(tmp_path) == state
    assert [path.name for path in tmp_path.iterdir()] == [STATE]


def test_a_state_without_a_key_is_read(tmp_path: Path):
    content = {"pid": 7, "started": 11, "repository": "models", "http_port": 1, "grpc_port": 2, "metrics_port": 3}
    (tmp_path / STATE).write_text(json.dumps({**content, "log": "l", "private": "p"}), encoding="utf-8")
    state = read_state(tmp_path)
    assert state == ServerState(**content, log="l", private="p", admin_key=None)


def test_only_the_owner_reads_the_key(tmp_path: Path):
    for _ in range(2):  # also where one is there
        state_of(7, 11, tmp_path).save(tmp_path)
        assert stat.S_IMODE((tmp_path / STATE).stat().st_mode) == 0o600


def test_a_server_is_asked_on_this_machine(tmp_path: Path):
    state = state_of(7, 11, tmp_path)
    assert (state.http_url, state.grpc_url) == ("127.0.0.1:1", "127.0.0.1:2")


def test_grpc_may_listen_elsewhere(tmp_path: Path):
    state = replace(state_of(7, 11, tmp_path), address="10.1.2.3")
    assert (state.http_url, state.grpc_url) == ("10.1.2.3:1", "10.1.2.3:2")  # as a server of before
    assert replace(state, grpc_address="127.0.0.1").grpc_url == "127.0.0.1:2"
    assert replace(state, grpc_address="0.0.0.0").grpc_url == "127.0.0.1:2"


def test_a_process_that_is_there_runs(tmp_path: Path):
    started = started_at(os.getpid())
    assert started is not None
    state = state_of(os.getpid(), started, tmp_path)
    state.save(tmp_path)
    assert state.is_running and running_server(tmp_path) == state


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"pid": 1}'])
def test_a_damaged_state_file_is_no_server(tmp_path: Path, content: str):
    (tmp_path / STATE).write_text(content, encoding="utf-8")
    assert running_server(tmp_path) is None
    assert not stop(tmp_path)
    assert not (tmp_path / STATE).exists()


def test_another_process_with_the_number_of_one_that_ended_is_no_server(tmp_path: Path):
    started = started_at(os.getpid())
    assert started is not None
    state_of(os.getpid(), started - 1, tmp_path).save(tmp_path)
    assert running_server(tmp_path) is None
    assert not stop(tmp_path)  # and this process lives on


def test_a_process_that_has_ended_is_none_also_while_it_waits_to_be_reaped():
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert started_at(process.pid) is None
    process.wait()
    assert started_at(process.pid) is None


def test_the_name_of_a_program_may_look_like_the_fields_behind_it(tmp_path: Path):
    program = tmp_path / "a) Z 1"  # Z would be a process that has ended
    shutil.copy(str(shutil.which("sleep")), program)
    process = subprocess.Popen([program, "60"])
    try:
        started, own = started_at(process.pid), started_at(os.getpid())
        assert started is not None and own is not None
        assert started >= own
    finally:
        process.kill()
        process.wait()
