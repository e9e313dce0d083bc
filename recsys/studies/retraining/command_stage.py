"""Runs a command of this project in a process of its own, and keeps what it says in a file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from recsys.cli.commands import script_path
from recsys.errors import RunError

#: Runs a command by its name, its settings, a file for what it says, and variables of its environment.
StageRunner = Callable[[str, Sequence[str], Path, Mapping[str, str] | None], Path]

_SHOWN_LINES = 8


def run_command_stage(
    name: str, arguments: Sequence[str], log: Path, variables: Mapping[str, str] | None = None
) -> Path:
    """Run a command whose last line names what it has made, such as ``run: DIR``.

    Args:
        name: of the command, such as ``train``.
        arguments: its settings.
        log: a file for all that it says.
        variables: of its environment, beside those of this process.

    Returns:
        What it has made.

    Raises:
        RunError: it failed; with its last lines.
    """
    paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)  # packages of a checkout
    with log.open("w", encoding="utf-8") as output:
        status = subprocess.run(
            [sys.executable, str(script_path(name)), *arguments],
            env={**os.environ, "PYTHONPATH": paths, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ).returncode
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    if status != 0 or not lines or ": " not in lines[-1]:
        shown = "\n".join(lines[-_SHOWN_LINES:]) or "(none)"
        raise RunError(f"{name} ended with status {status}. Its last lines, from {log}:\n{shown}")
    return Path(lines[-1].partition(": ")[2])
