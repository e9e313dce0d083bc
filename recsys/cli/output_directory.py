"""Makes the directory that a command writes its results to."""

from __future__ import annotations

from pathlib import Path

from recsys.errors import RunError


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
