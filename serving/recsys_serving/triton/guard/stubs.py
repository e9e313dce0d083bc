"""The processes in which a server runs its models in Python, and which of them have ended without being told to.

Triton goes on saying that a model is ready whose process was killed, and refuses what it is asked.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

_PROGRAM = "triton_python_backend_stub"


def stubs_of(pid: int) -> dict[int, Path]:
    """The processes that run models in Python, and the directory of the version of the model that each of them runs.

    Args:
        pid: of the server.
    """
    commands = {child: _command(child) for child in _children(pid)}
    return {child: Path(command[1]).parent for child, command in commands.items() if command and _is_stub(command[0])}


class StubWatch:
    """Compares the processes of a server with those that there should be.

    Args:
        pid: of the server.
        instances: how many processes a version of a model should have, by both their names; 0 where the server does not
            take it for loaded. Asked only where there are fewer than before: while a model is loaded anew there may be
            more than it should have.
        patience: looks for which one may be missing.
    """

    def __init__(self, pid: int, instances: Callable[[str, str], int], patience: int = 3) -> None:
        self._pid = pid
        self._instances = instances
        self._patience = patience
        self._most: Counter[Path] = Counter()
        self._missed: Counter[Path] = Counter()

    def lost(self) -> str | None:
        """Look once; which model has a process too few for longer."""
        now = Counter(stubs_of(self._pid).values())
        self._most |= now
        for directory, number in list(self._most.items()):
            model, version = directory.parts[-2:]
            if now[directory] >= number or now[directory] >= self._instances(model, version):
                self._most[directory] = now[directory]
                self._missed[directory] = 0
                continue
            self._missed[directory] += 1
            if self._missed[directory] >= self._patience:
                return f"{model}, version {version}"
        return None


class WorkWatch:
    """Tells a server whose models work from one that hangs: by the processor time of their processes.

    Args:
        pid: of the server.
        share: of the time that passes which a process has to work, at least; little, as others may need the processors.
        monotonic: clock, in seconds.
    """

    def __init__(self, pid: int, share: float = 0.05, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._pid, self._share, self._monotonic = pid, share, monotonic
        self._looked, self._seconds = monotonic(), _processor_seconds(stubs_of(pid))

    def went_on(self) -> bool:
        """Whether any of them has worked since the last look."""
        now, seconds = self._monotonic(), _processor_seconds(stubs_of(self._pid))
        enough = (now - self._looked) * self._share
        worked = any(number - self._seconds.get(pid, 0.0) > enough for pid, number in seconds.items())
        self._looked, self._seconds = now, seconds
        return worked


def _processor_seconds(pids: Iterable[int]) -> dict[int, float]:
    """Of each process that is still there."""
    found = {}
    for pid in pids:
        try:
            # The name of the program stands in brackets and may hold anything.
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        fields = stat.rpartition(")")[2].split()
        found[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def _is_stub(program: str) -> bool:
    return Path(program).name == _PROGRAM


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, path.read_text(encoding="ascii").split())
        except OSError:  # a thread that has ended
            continue
    return found


def _command(pid: int) -> list[str]:
    """A program with its arguments; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")[:-1]
    except OSError:
        return []
