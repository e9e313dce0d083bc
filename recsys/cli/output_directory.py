"""Makes the directory that a command writes its results to."""

from __future__ import annotations

import glob
import os
import shutil
from pathlib import Path

from recsys.errors import RunError


def partial_directory(output: Path) -> Path:
    """The directory beside ``output`` that this process writes to until it is complete.

    What processes that have been killed left of the same output is removed.
    """
    for left in output.parent.glob(f".{glob.escape(output.name)}.partial-*"):
        number = left.name.rpartition("-")[2]
        if number.isdecimal() and not _is_running(int(number)):
            shutil.rmtree(left, ignore_errors=True)
    return output.with_name(f".{output.name}.partial-{os.getpid()}")


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # somebody else's process, say
        return True
    return process != os.getpid()


def make_output_directory(directory: Path, content: str, option: str) -> None:
    """Make ``directory`` and those above it, where they are not there yet.

    Args:
        directory: what to make.
        content: what goes into it, for the message.
        option: by which another one is chosen, for the message.

    Raises:
        RunError: it cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"A directory is required for the {content}, but {directory} cannot be made ({error.strerror}). "
            f"Choose another {option}."
        ) from error
