"""What a person sees on a terminal: a command on a real pseudo-terminal, and its stream as a screen shows it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyte

LINES = 24


def screen_lines(stream: str | bytes, columns: int) -> list[str]:
    """All lines that a stream leaves on a terminal of so many columns, those that were scrolled away included."""
    screen = pyte.HistoryScreen(columns, LINES, history=10_000)
    pyte.ByteStream(screen).feed(stream.replace("\n", "\r\n").encode() if isinstance(stream, str) else stream)
    above = ["".join(line[column].data for column in range(columns)).rstrip() for line in screen.history.top]
    lines = [*above, *(line.rstrip() for line in screen.display)]
    while lines and not lines[-1]:
        del lines[-1]
    return lines


def on_terminal(
    command: Sequence[str], columns: int, directory: Path, variables: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Run a command on a pseudo-terminal of 24 lines.

    Returns:
        Its exit status, and what it has sent to the terminal.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", **(variables or {})}
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        environment.pop(name, None)
    with subprocess.Popen(
        list(command), stdin=theirs, stdout=theirs, stderr=theirs, cwd=directory, env=environment, close_fds=True
    ) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            parts.append(part)
        os.close(ours)
        status = process.wait()
    return status, b"".join(parts)
