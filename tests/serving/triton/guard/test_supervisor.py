"""A supervisor before a server that ends by itself; before a real one, see the tests of the launcher."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest
from recsys_serving.triton.guard import supervisor as supervising
from recsys_serving.triton.guard.health import Health, read_health
from recsys_serving.triton.guard.plan import Plan
from recsys_serving.triton.guard.question import Reply
from recsys_serving.triton.guard.supervisor import Patience, Supervisor


def plan(directory: Path, http_port: int, *command: str) -> Plan:
    (directory / "private").mkdir()
    variables = {"VIRTUAL_ENV": sys.prefix, "PATH": os.environ["PATH"]}
    private = str(directory / "private")
    return Plan(
        list(command), variables, "models", private, str(directory), "127.0.0.1", http_port, "127.0.0.1:1", None, 30.0
    )


def test_pauses_double_up_to_a_minute():
    assert [Patience().pause(ends) for ends in range(9)] == [0, 1, 2, 4, 8, 16, 32, 60, 60]


def test_a_server_that_never_was_ready_is_not_started_again(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    supervisor = Supervisor(plan(tmp_path, 0, "/bin/sh", "-c", "exit 3"))
    assert asyncio.run(supervisor.run()) == 1
    assert "The server ended with status 3 before it was ready." in caplog.text
    health = read_health(tmp_path)
    assert health is not None and health == Health(health.pid, health.started)


def test_it_stops_while_the_server_is_not_ready_yet(tmp_path: Path):
    async def stopped(supervisor: Supervisor) -> int:
        asyncio.get_running_loop().call_later(0.1, supervisor.stop)
        return await supervisor.run()

    assert asyncio.run(stopped(Supervisor(plan(tmp_path, 0, "/bin/sleep", "60")))) == 0


def test_a_port_that_is_taken_starts_nothing(tmp_path: Path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        supervisor = Supervisor(plan(tmp_path, other.getsockname()[1], "/bin/sleep", "60"))
        with pytest.raises(OSError, match="address already in use"):
            asyncio.run(supervisor.run())
    assert read_health(tmp_path) is None


class Late:
    """Stands for the one who asks a server that answers nothing in time."""

    def ask(self) -> tuple[Reply, str]:
        return Reply.LATE, "too late"


class Work:
    """Stands for a look at the processes of a server."""

    works = True

    def __init__(self, pid: int) -> None:
        pass

    def went_on(self) -> bool:
        return self.works


class Nothing:
    """Stands for a server that runs, with all its processes."""

    pid = 0

    def ended(self) -> None:
        return None

    def lost(self) -> None:
        return None


@pytest.mark.parametrize(("works", "busy", "is_broken"), [(True, 1e6, False), (True, 0.05, True), (False, 1e6, True)])
def test_a_busy_model_is_no_dead_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, works: bool, busy: float, is_broken: bool
):
    monkeypatch.setattr(supervising, "WorkWatch", type("Fixed", (Work,), {"works": works}))
    patience = Patience(look=0.001, question=0.001, late=0.01, busy=busy)
    supervisor = Supervisor(plan(tmp_path, 0, "none"), patience)
    nothing, late = Nothing(), Late()

    async def watched() -> str:
        if not is_broken:
            asyncio.get_running_loop().call_later(1.0, supervisor.stop)
        return await supervisor._until_broken(nothing, late, nothing)  # type: ignore[arg-type]

    assert asyncio.run(watched()) == ("does not answer: too late" if is_broken else "was stopped")
