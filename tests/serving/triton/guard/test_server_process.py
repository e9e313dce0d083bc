import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from recsys_serving.triton.guard.plan import Plan
from recsys_serving.triton.guard.server_process import ServerProcess
from recsys_serving.triton.state import started_at


def plan(private: Path, *command: str) -> Plan:
    variables = {"VIRTUAL_ENV": sys.prefix, "PATH": os.environ["PATH"]}
    return Plan(list(command), variables, "models", str(private), ".", "127.0.0.1", 0, "127.0.0.1:1", None, 1.0)


@pytest.fixture
def private(tmp_path: Path) -> Path:
    path = tmp_path / f"start-{os.getpid()}"
    path.mkdir()
    return path


def test_how_it_ended(private: Path):
    server = ServerProcess(plan(private, "/bin/sh", "-c", "exit 3"))
    asyncio.run(server.end(5))
    assert server.ended() in ("ended with status 3", "ended by SIGTERM")  # whichever was first
    server = ServerProcess(plan(private, "/bin/sleep", "60"))
    assert server.ended() is None and started_at(server.pid) == server.started
    os.kill(server.pid, signal.SIGKILL)
    asyncio.run(server.end(5))
    assert server.ended() == "ended by SIGKILL"


def test_what_does_not_end_is_killed_with_its_children(private: Path):
    region = Path("/dev/shm") / f"{private.name}-region"
    region.touch()
    script = "trap '' TERM; sleep 60 & echo $! >child; wait; sleep 60"
    server = ServerProcess(plan(private, "/bin/sh", "-c", script))
    while not (private / "child").exists() or not (private / "child").read_text().strip():
        time.sleep(0.01)
    child = int((private / "child").read_text())
    asyncio.run(server.end(0.1))
    assert server.ended() == "ended by SIGKILL"
    while started_at(child) is not None:  # whoever adopted it has not looked yet
        time.sleep(0.01)
    assert not region.exists()
