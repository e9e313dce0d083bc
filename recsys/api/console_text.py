"""What commands print, as text."""

from __future__ import annotations

import io
from collections.abc import Callable

from rich.console import Console

from recsys.cli.console import PlainConsole

#: Width in characters.
WIDTH = 100


def as_text_of_console(print_to: Callable[[Console], None]) -> str:
    """What a function prints to a console; lines have no blanks at their ends.

    Args:
        print_to: prints.
    """
    target = io.StringIO()
    # Also in a notebook, where a console would show what is printed in place of writing it.
    print_to(PlainConsole(file=target, width=WIDTH, force_terminal=False, force_jupyter=False))
    return "\n".join(line.rstrip() for line in target.getvalue().splitlines()).strip("\n")
