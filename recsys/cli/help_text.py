"""Breaks the help of a command between words where a terminal shows it."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout

from recsys.cli.line_wrapping import for_stream

#: Arguments that ask for help.
HELP = frozenset({"-h", "--help"})


@contextmanager
def fitted_help(arguments: Sequence[str]) -> Iterator[None]:
    """Print what is printed inside in lines of the terminal's width, where ``arguments`` ask for help.

    Args:
        arguments: of the command line.
    """
    stream = sys.stdout
    if HELP.isdisjoint(arguments) or not stream.isatty():
        yield
        return
    text = io.StringIO()
    try:
        with redirect_stdout(text):
            yield
    finally:
        stream.write(for_stream(text.getvalue(), stream))
