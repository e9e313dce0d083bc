"""Cells of the fault matrix with a Triton server behind the service."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from fault_cells import PATIENCE, Cell
from fault_servers import ROOT, Api, Servers, eventually
from recsys_serving.triton.admin_key import admin_headers
from recsys_serving.triton.client import client_module
from recsys_serving.triton.guard.health import read_health
from recsys_serving.triton.guard.stubs import stubs_of
from recsys_serving.triton.interface import RECOMMEND, RECOMMENDER
from recsys_serving.triton.launcher import start, stop
from recsys_serving.triton.repository import write_repository
from recsys_serving.triton.state import ServerState

from recsys.runtime.bundle import Bundle

sys.path.insert(0, str(ROOT))

from tests.serving.faults.tcp_proxy import Fault, TcpProxy  # noqa: E402

_RECOVERY_SECONDS = 120


class Triton:
    """A Triton server with a proxy before its gRPC.

    Args:
        directory: of its files.
        state: of the server.
        proxy: before it.
    """

    def __init__(self, directory: Path, state: ServerState, proxy: TcpProxy) -> None:
        self.directory, self.state, self.proxy = directory, state, proxy

    @property
    def pid(self) -> int:
        """Of the server itself, which its supervisor starts again."""
        health = read_health(self.directory)
        assert health is not None, "the server was started"
        return health.pid

    def send(self, number: signal.Signals) -> None:
        """A signal to the server."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL; its supervisor sleeps meanwhile, so that it stays away."""
        os.kill(self.state.pid, signal.SIGSTOP)
        self.send(signal.SIGKILL)

    def kill_model(self) -> None:
        """SIGKILL to the process of the model, after which Triton refuses what it is asked; the supervisor sleeps."""
        os.kill(self.state.pid, signal.SIGSTOP)
        for pid in stubs_of(self.pid):
            os.kill(pid, signal.SIGKILL)

    def wake_supervisor(self) -> None:
        """Let the supervisor go on, and start the server again."""
        os.kill(self.state.pid, signal.SIGCONT)

    def load(self, is_there: bool) -> None:
        """Load what is asked, or let the server answer without it."""
        with client_module("grpc").InferenceServerClient(self.state.grpc_url) as client:
            change = client.load_model if is_there else client.unload_model
            change(RECOMMEND, headers=admin_headers(self.state.admin_key))
            if not is_there:
                eventually(lambda: not client.is_model_ready(RECOMMEND), _RECOVERY_SECONDS)


@contextmanager
def running_triton(directory: Path, bundle: Path) -> Iterator[Triton]:
    """A server with one version: that of a bundle."""
    repository = directory / "repository"
    write_repository(Bundle.open(bundle), repository)
    assert (repository / RECOMMENDER).is_dir()
    with ExitStack() as stack:
        state = start(directory, repository, environment=ROOT / ".triton" / "venv")
        stack.callback(stop, directory)
        proxy = stack.enter_context(TcpProxy(("127.0.0.1", state.grpc_port)))
        yield Triton(directory, state, proxy)


def triton_settings(triton: Triton) -> dict[str, object]:
    """Of a service before it."""
    return {**PATIENCE, "runtime": "triton", "triton_url": f"127.0.0.1:{triton.proxy.port}"}


def triton_cells(servers: Servers, api: Api, triton: Triton) -> Iterator[Cell]:
    """Faults of Triton: the bundle in the process answers, and says so."""

    def restart_without() -> None:
        api.stop()
        triton.proxy.make(Fault.REFUSE)
        api.start()

    def let_through() -> None:
        triton.proxy.make(Fault.PASS)

    faults: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "lost under load": (lambda: triton.proxy.make(Fault.REFUSE), let_through),
        "closes connections": (lambda: triton.proxy.make(Fault.DROP), let_through),
        "errors: answers are cut": (lambda: triton.proxy.make(Fault.CUT), let_through),
        "slow, 2 s": (lambda: triton.proxy.make(Fault.DELAY), let_through),
        "swallows everything": (lambda: triton.proxy.make(Fault.BLACK_HOLE), let_through),
        "stopped (SIGSTOP), goes on": (lambda: triton.send(signal.SIGSTOP), lambda: triton.send(signal.SIGCONT)),
        "does not have the version, gets it": (lambda: triton.load(False), lambda: triton.load(True)),
        "refuses everything: its model was killed": (triton.kill_model, triton.wake_supervisor),
        "killed under load, started again": (triton.kill, triton.wake_supervisor),
        "away at start": (restart_without, let_through),
    }
    for how, (begin, end) in faults.items():
        yield Cell(f"Triton {how}", servers, api, begin, end, {"200", "200 without runtime"}, {"201"})
