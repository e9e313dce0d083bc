"""Makes the directories that commands write their results to."""

from __future__ import annotations

import glob
import os
import shutil
from datetime import datetime
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


def make_place_for_file(file: Path, content: str, option: str) -> None:
    """Make the directory of a file that is written later, so that hours of work do not end in a name that cannot be.

    Args:
        file: the file; one that is there already will be replaced.
        content: what goes into it, for the message.
        option: by which another one is chosen, for the message.

    Raises:
        RunError: its directory cannot be made or written to, or the file is a directory.
    """
    make_output_directory(file.parent, content, option)
    if file.is_dir():
        found = "is a directory"
    elif not os.access(file if file.exists() else file.parent, os.W_OK):
        found = "cannot be written"
    else:
        return
    raise RunError(f"A file is required for the {content}, but {file} {found}. Choose another {option}.")


def require_place_for(parent: Path, content: str, option: str) -> None:
    """Require that directories can be made below ``parent``, before there is something to be written there.

    Args:
        parent: may not be there yet.
        content: what goes into them, for the message.
        option: by which another parent is chosen, for the message.

    Raises:
        RunError: they cannot.
    """
    there = next((path for path in (parent, *parent.absolute().parents) if path.exists()), parent)
    if not there.is_dir():
        found = f"{there} is no directory"
    elif not os.access(there, os.W_OK | os.X_OK):
        found = f"no permission to write in {there}"
    else:
        return
    raise RunError(
        f"A directory is required for the {content}, but none can be made in {parent} ({found}). Choose another "
        f"{option}."
    )


def new_directory(parent: Path, name: str, content: str, option: str) -> Path:
    """Make a directory below ``parent`` that was not there, named by the time and ``name``.

    Args:
        parent: made where it is not there yet.
        name: the last part of the directory's name; a number follows where two begin in the same second.
        content: what goes into it, for the message.
        option: by which another parent is chosen, for the message.

    Raises:
        RunError: it cannot be made.
    """
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    for suffix in ("", *(f"_{count}" for count in range(2, 1000))):
        path = parent / f"{stamp}_{name}{suffix}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise RunError(
                f"A directory is required for the {content}, but {path} cannot be made ({error.strerror}). "
                f"Choose another {option}."
            ) from error
        return path
    raise RunError(f"No free name for the {content} is left below {parent}: remove old ones.")
