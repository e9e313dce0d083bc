import os
import subprocess
import sys
from dataclasses import replace

import pytest
from recsys_serving.local.service_state import START_VARIABLE, ServiceState, read_service_state
from recsys_serving.triton.state import started_at

STATE = ServiceState(os.getpid(), started_at(os.getpid()) or 0, "127.0.0.1", 8000, "log", "token", "bundles/demo")


def test_a_state_is_read_as_it_was_saved(tmp_path):
    STATE.save(tmp_path)
    assert read_service_state(tmp_path) == STATE
    assert [path.name for path in tmp_path.iterdir()] == ["service.json"]


@pytest.mark.parametrize("text", [None, "", "{}", "[1]"], ids=["none", "empty", "object", "list"])
def test_there_is_no_state_to_read(tmp_path, text):
    if text is not None:
        (tmp_path / "service.json").write_text(text)
    assert read_service_state(tmp_path) is None


def test_a_later_process_with_the_same_number_is_another_one():
    assert STATE.is_running
    assert not replace(STATE, started=STATE.started - 1).is_running


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:8000"), ("0.0.0.0", "http://127.0.0.1:8000"), ("::1", "http://[::1]:8000")],
)
def test_where_this_machine_reaches_it(host, url):
    assert replace(STATE, host=host).url == url


def test_processes_of_a_start_are_known_by_its_token():
    state = replace(STATE, token=os.urandom(8).hex())
    assert state.processes() == []
    environment = os.environ | {START_VARIABLE: state.token}
    code = "print(flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        process.stdout.readline()
        assert state.processes() == [process.pid]
        process.communicate(b"\n")
    assert state.processes() == []
