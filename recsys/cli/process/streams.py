"""The standard streams of a command: whatever they can take, printing to them never ends in a traceback."""

from __future__ import annotations

import contextlib
import os
import sys

#: Exit status of a command whose reader has gone, as a shell reports a process that such a pipe has ended.
CLOSED_OUTPUT_STATUS = 141


def ready_streams() -> None:
    r"""Make the streams take every text: what an ASCII terminal does not have is written as ``\xe9``.

    A stream that was closed before the process began takes text and drops it.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, open until the process ends
        elif getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Let standard output drop what is still written to it, as nobody reads it any more."""
    # The file and not the object: Python flushes the object when the process ends.
    with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())


def flush_output() -> None:
    """Write out what is buffered now, where it can be told, and not when Python ends.

    Raises:
        BrokenPipeError: nobody reads it.
    """
    if sys.stdout is not None and not sys.stdout.closed:
        sys.stdout.flush()
