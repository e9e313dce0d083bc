"""The processes of a training on several devices of this machine: started together, and ended together.

They get the variables that torchrun sets as well. This process trains nothing: it watches, so that the end of any of
them, of rank 0 too, ends all with one message, where the others would wait or tell of broken connections.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TextIO

from recsys.cli.commands import script_path, typed_command
from recsys.cli.process.cpus import usable_cpus
from recsys.cli.process.interruption import INTERRUPTED_STATUS
from recsys.cli.process.threads import COUNT
from recsys.cli.process.user_errors import USER_ERROR_STATUS
from recsys.errors import RunError

#: Names the file in which rank 0 notes its run directory, for whoever watches.
NOTE_VARIABLE = "RECSYS_RANKS_NOTE"

#: Exit status of a process that has lost another one, where somebody watches who says which.
LOST_STATUS = 75

#: How long the others may take to end by themselves after one has, before they are asked to, and then made to.
_PATIENCE_SECONDS = 5.0

_LOOK_SECONDS = 0.1

#: PR_SET_PDEATHSIG of Linux' prctl.
_SET_PARENT_DEATH_SIGNAL = 1


def is_watched(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody watches the processes, and says which of them has ended first."""
    return bool(environment.get(NOTE_VARIABLE))


def note_run(run: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Tell whoever watches where the run directory is; nothing where nobody does."""
    if is_watched(environment):
        Path(environment[NOTE_VARIABLE]).write_text(str(run), encoding="utf-8")


def end_with_watcher() -> None:
    """Have the system end this process when its parent, which watches, has ended; where it can, as Linux does."""
    parent = os.getppid()
    if is_watched() and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != parent:  # in between
            raise SystemExit(LOST_STATUS)


@dataclass(frozen=True, slots=True)
class _Rank:
    number: int
    process: subprocess.Popen[bytes]
    errors: TextIO | None  # of all but the first here, whose errors are seen as they come


def run_ranks(name: str, arguments: Sequence[str], count: int, num_nodes: int = 1) -> int:
    """Run a command as the ranks of this machine, and wait for all of them.

    Args:
        name: of the command, such as ``train``.
        arguments: of its command line.
        count: processes on this machine.
        num_nodes: machines; of several, each runs the command, with MASTER_ADDR, MASTER_PORT and NODE_RANK set.

    Returns:
        0 where all came to their end, else the exit status of the one that ended first.

    Raises:
        RunError: a process was ended by a signal or by a bug; or the variables are not set, or wrong.
    """
    shared = _meeting_point(num_nodes)
    node = int(shared["NODE_RANK"])
    with ExitStack() as stack:
        note = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "run"
        ranks: list[_Rank] = []
        stack.callback(_end_all, ranks)
        for local in range(count):
            place = {
                "RANK": str(node * count + local),
                "LOCAL_RANK": str(local),
                "LOCAL_WORLD_SIZE": str(count),
                "WORLD_SIZE": str(count * num_nodes),
                "NODE_RANK": str(node),
                NOTE_VARIABLE: str(note),
            }
            environment = {**os.environ, **shared, **place}
            environment.setdefault(COUNT, str(max(1, usable_cpus() // count)))
            errors = None
            if local > 0:
                errors = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))
            process = subprocess.Popen(
                [sys.executable, str(script_path(name)), *arguments],
                stdout=subprocess.DEVNULL if local > 0 else None,
                stderr=errors,
                env=environment,
            )
            ranks.append(_Rank(node * count + local, process, errors))
        with _ended_like_them(ranks, note):
            first = _first_to_fail(ranks)
        if first is None:
            return 0
        _end_all(ranks)
        main, status = ranks[0].process.returncode, first.process.returncode
        if USER_ERROR_STATUS in (main, status) and first is not ranks[0]:
            if main == USER_ERROR_STATUS:
                return main  # the same error in all, and this one's message is seen
            raise RunError(_said(first).removeprefix("error: "))
        if first.errors is None and status > 0:
            return status  # it has told why
        raise RunError(_told(first, note))


@contextmanager
def _ended_like_them(ranks: Sequence[_Rank], note: Path) -> Iterator[None]:
    """End the ranks when this process is interrupted or asked to end, and this process as they did."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        _end_all(ranks, signal.SIGINT)  # a terminal has interrupted them as well, and rank 0 has told of it
        raise SystemExit(INTERRUPTED_STATUS) from None
    except SystemExit:
        for rank in ranks:
            rank.process.send_signal(signal.SIGTERM)
        sys.stderr.write(f"The training was asked to end by SIGTERM.{_go_on(note)}\n")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _meeting_point(num_nodes: int) -> dict[str, str]:
    """Where the ranks find each other."""
    if num_nodes == 1:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "NODE_RANK": "0"}
    missing = [name for name in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK") if not os.environ.get(name)]
    if missing:
        raise RunError(
            f"trainer.num_nodes={num_nodes} needs {', '.join(missing)} in the environment of each machine: the address "
            "and a free port of the first, and the number of this one, from 0. Set them, or start with torchrun."
        )
    node = os.environ["NODE_RANK"]
    if not node.isdecimal() or int(node) >= num_nodes:
        raise RunError(
            f"NODE_RANK must be the number of this machine among trainer.num_nodes={num_nodes}, from 0 to "
            f"{num_nodes - 1}, but it is {node}. Correct it."
        )
    return {"NODE_RANK": node}


def _first_to_fail(ranks: Sequence[_Rank]) -> _Rank | None:
    """Wait until one has failed, which is given, or all have come to their end.

    Those that have lost a connection may end before the one that they have lost, which has more to tell: it is waited
    for.
    """
    while not any(statuses := [rank.process.poll() for rank in ranks]):
        if all(status == 0 for status in statuses):
            return None
        time.sleep(_LOOK_SECONDS)
    until = time.monotonic() + _PATIENCE_SECONDS
    while not (failed := [rank for rank in ranks if rank.process.poll() not in (None, 0, LOST_STATUS)]):
        if time.monotonic() > until or all(rank.process.poll() is not None for rank in ranks):
            return next(rank for rank in ranks if rank.process.poll())
        time.sleep(_LOOK_SECONDS)
    return failed[0]


def _end_all(ranks: Sequence[_Rank], ask: signal.Signals = signal.SIGTERM) -> None:
    """Make sure that all end, those that do not by themselves after a while by ``ask``, and then by force."""
    for then in (ask, signal.SIGKILL, None):
        until = time.monotonic() + _PATIENCE_SECONDS
        while any(rank.process.poll() is None for rank in ranks) and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
        for rank in ranks:
            if then is not None and rank.process.poll() is None:
                rank.process.send_signal(then)


def _told(first: _Rank, note: Path) -> str:
    status, number = first.process.returncode, first.number
    how = f"was ended by {_signal(-status)}" if status < 0 else f"ended with status {status}"
    said = _said(first)
    if said and status != LOST_STATUS:
        how = f"{how}:\n{said}\n"
    what = f"Every process of a training is required to its end, but rank {number} {how}; the others were ended."
    return f"{what}{_go_on(note)}"


def _go_on(note: Path) -> str:
    """How to go on with what rank 0 has noted."""
    run = note.read_text(encoding="utf-8") if note.is_file() else ""
    return f" To go on: {typed_command('train')} resume={run}" if run else " Run the same command again."


def _said(rank: _Rank) -> str:
    """What a rank has written about errors; nothing of one whose errors are seen as they come."""
    if rank.errors is None:
        return ""
    rank.errors.seek(0)
    return rank.errors.read().strip()


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
