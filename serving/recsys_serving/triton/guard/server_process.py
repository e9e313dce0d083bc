"""One run of the server, with bounds, and what it leaves behind removed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from pathlib import Path

from recsys_serving.triton.guard.plan import Plan
from recsys_serving.triton.state import started_at

_LIMITED = Path(__file__).with_name("limited.py")
_SHARED_MEMORY = Path("/dev/shm")


class ServerProcess:
    """A server that was just started, in a process group of its own; its output is that of this process.

    Args:
        plan: what to start.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        plan.http_socket.unlink(missing_ok=True)
        # The interpreter of the server's environment, as that environment's libraries are in the variables.
        python = Path(plan.variables["VIRTUAL_ENV"]) / "bin" / "python"
        self._process = subprocess.Popen(
            [python, "-I", "-S", _LIMITED, str(os.getpid()), str(plan.memory_bytes or 0), *plan.command],
            env=plan.variables,
            cwd=plan.private,
            stdin=subprocess.DEVNULL,
            process_group=0,
        )
        self.started = started_at(self._process.pid) or 0

    @property
    def pid(self) -> int:
        """Of the process, and of its group."""
        return self._process.pid

    def ended(self) -> str | None:
        """How it ended; None while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        return f"ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"

    async def end(self, patience_seconds: float) -> None:
        """Ask it to end, kill it and its children where they do not, and remove what it leaves."""
        if self.ended() is None:
            self._process.terminate()
        end = asyncio.get_running_loop().time() + patience_seconds
        while self.ended() is None and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):  # nobody of the group is left
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        remove_shared_memory(self._plan.private)


def remove_shared_memory(private: str) -> None:
    """Remove the shared memory that a server has left behind.

    Args:
        private: its private directory, whose name begins the names of its regions.
    """
    for region in _SHARED_MEMORY.glob(f"{Path(private).name}*"):
        region.unlink(missing_ok=True)
