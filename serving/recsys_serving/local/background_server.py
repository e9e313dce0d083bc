"""A server of ours that runs in the background: how it is started, known again by its file, and what it said last."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from recsys.cli.whole_files import whole_file
from recsys_serving.triton.state import started_at

_SHOWN_LINES = 12


@dataclass(frozen=True, slots=True)
class BackgroundServer:
    """A server that was started.

    Args:
        pid: its process, or the one that keeps its workers.
        started: when that started, in ticks since the machine did: tells it from a later one with its number.
        host: where it listens.
        port: where it listens.
        log: what it writes.
    """

    pid: int
    started: int
    host: str
    port: int
    log: str

    @property
    def is_running(self) -> bool:
        """Whether the process is still there."""
        return started_at(self.pid) == self.started

    @property
    def url(self) -> str:
        """Where this machine reaches it."""
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def write(self, path: Path) -> None:
        """Write the state file, whole or not at all."""
        with whole_file(path) as partial:
            partial.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The server of a state file, which may have ended; None where there is none to read."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, json.JSONDecodeError, TypeError):
            return None


def start_in_background(command: Sequence[str], log: Path, environment: Mapping[str, str], directory: Path) -> int:
    """Start a program that outlives this process; its number.

    Args:
        command: the program and its arguments.
        log: file that gets what it writes.
        environment: of it.
        directory: where it runs.
    """
    # A shell starts it and ends, so that it is nobody's child and outlives this process.
    # What is written goes to the end of the log, which may be emptied meanwhile; that of before is gone.
    in_background = 'log=$1; shift; : >"$log"; "$@" >>"$log" 2>&1 </dev/null & echo $!'
    shell = subprocess.run(
        ["/bin/sh", "-c", in_background, "sh", str(log), *command],
        env=environment,
        cwd=directory,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        check=True,
    )
    return int(shell.stdout)


def last_lines(log: Path) -> str:
    """The last lines of a log, each cut where it is very long; ``(none)`` where there are none."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "(none)"
    return "\n".join(line[:500] for line in lines[-_SHOWN_LINES:]) or "(none)"
