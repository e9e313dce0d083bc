"""The script around the stack; that all of it runs is tested with ``recsys_serving.local.stack``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from recsys_serving.local.app_server import STATE
from recsys_serving.local.background_server import BackgroundServer
from recsys_serving.triton.state import started_at

from tests.scripts.running import Scripts

pytestmark = pytest.mark.usefixtures("no_settings")


def test_where_nothing_runs_it_is_said(scripts: Scripts):
    status = scripts("stack", "status")
    assert (status.status, status.out) == (1, "The service does not run.\nThe app does not run.\n")
    stopped = scripts("stack", "action=stop")
    assert (stopped.status, stopped.out) == (0, "Nothing runs.\n")


def test_a_bundle_that_is_not_there_is_one_message(scripts: Scripts):
    finished = scripts("stack", "start", "nowhere")
    assert finished.status == 2 and "nowhere" in finished.err and "Traceback" not in finished.err


@pytest.fixture
def quickstart_app(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that stands for the app of a stack that quickstart has started."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        var = tmp_path / "quickstart" / "one" / "var"
        var.mkdir(parents=True)
        BackgroundServer(process.pid, started_at(process.pid) or 0, "127.0.0.1", 1, "app.log").write(var / STATE)
        yield process
        process.kill()


def test_a_stack_of_quickstart_is_found_and_stopped(scripts: Scripts, quickstart_app: subprocess.Popen[bytes]):
    status = scripts("stack", "status")
    assert status.status == 1 and "app: http://127.0.0.1:1\n" in status.out
    assert "stop: " in status.out and " action=stop var=quickstart/one/var\n" in status.out
    other = scripts("stack", "stop", "var=elsewhere")
    assert (other.out, quickstart_app.poll()) == ("Nothing runs.\n", None)
    stopped = scripts("stack", "stop")
    assert (stopped.status, stopped.out) == (0, "Stopped in quickstart/one/var: app.\n")
    quickstart_app.wait(60)
