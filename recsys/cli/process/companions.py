"""Further processes of the command that runs, which share its work: ``workers=4`` of a search."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, TextIO

from recsys.cli.commands import script_path
from recsys.cli.process.cpus import usable_cpus
from recsys.cli.process.threads import COUNT

#: How long an interrupted process may take to end before it is asked to, and then before it is made to.
_PATIENCE_SECONDS = 5.0

#: Says which of several processes of a command this one is, from 1.
PLACE_VARIABLE = "RECSYS_COMPANION"


def companion_place() -> int | None:
    """Which of several processes of a command this one is, from 1; None where a user started it."""
    place = os.environ.get(PLACE_VARIABLE)
    return int(place) if place else None


@dataclass(frozen=True, slots=True)
class _Process:
    process: subprocess.Popen[str]
    errors: TextIO | None  # of all but the first, whose errors are seen as they come


def run_companions(name: str, arguments: Sequence[str], count: int, print_line: Callable[[str], None]) -> int:
    """Run a command in several processes at once, and wait for all of them.

    They share the processors of this machine. What they print is passed on line by line. All would say the same of a
    wrong setting, so errors are those of the first, unless others alone have failed. Those that a signal has ended, as
    when memory runs out, are told on standard error.

    Args:
        name: of the command, such as ``tune``.
        arguments: of its command line.
        count: how many processes.
        print_line: receives their lines.

    Returns:
        0 where one of them came to its end, else the exit status of the first, as a shell reports it.
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(_started(name, arguments, place, count)) for place in range(1, count + 1)]
        readers = [
            threading.Thread(target=_pass_on, args=(started.process.stdout, print_line), daemon=True)
            for started in processes
        ]
        for reader in readers:
            reader.start()
        statuses = [started.process.wait() for started in processes]
        for reader in readers:
            reader.join()
        if statuses[0] == 0:
            for started, status in zip(processes, statuses, strict=True):
                if status and started.errors is not None:
                    started.errors.seek(0)
                    sys.stderr.write(started.errors.read())
    finished = 0 in statuses
    for place, status in enumerate(statuses, start=1):
        if status < 0:
            what = f"process {place} of {count} was ended by signal {-status} ({signal.strsignal(-status)})"
            sys.stderr.write(f"{what}; {'the others went on' if finished else 'run the same command again'}\n")
    return 0 if finished else _as_shell(statuses[0])


def _as_shell(status: int) -> int:
    return 128 - status if status < 0 else status


@contextmanager
def _started(name: str, arguments: Sequence[str], place: int, count: int) -> Iterator[_Process]:
    environment = {**os.environ, PLACE_VARIABLE: str(place)}
    environment.setdefault(COUNT, str(max(1, usable_cpus() // count)))
    with ExitStack() as stack:
        errors: TextIO | None = None
        if place > 1:
            errors = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))
        process = subprocess.Popen(
            [sys.executable, str(script_path(name)), *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        try:
            yield _Process(process, errors)
        finally:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Make sure that a process ends: Ctrl-C reaches it from a terminal, but not where a program interrupts this one."""
    for patience, then in ((_PATIENCE_SECONDS, signal.SIGINT), (_PATIENCE_SECONDS, signal.SIGKILL)):
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            process.send_signal(then)
    process.wait()


def _pass_on(lines: IO[str] | None, print_line: Callable[[str], None]) -> None:
    assert lines is not None, "the output is piped"
    with lines:
        for line in lines:
            print_line(line.rstrip("\n"))
