"""The console that every command prints to: text of the data as it is, on any terminal, file or pipe."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from recsys.cli.commands import shell_lines
from recsys.cli.data_text import visible
from recsys.cli.line_wrapping import wrapped
from recsys.cli.process.interruption import interrupts_wait
from recsys.cli.process.streams import CLOSED_OUTPUT_STATUS, drop_output

#: Width of what is not printed to a terminal, in characters: wide enough for the tables.
FILE_WIDTH = 120


class PlainConsole(Console):
    """A console of rich that finds no markup, emoji codes or numbers to colour in a string, nor control characters.

    Style is given by objects of rich, such as :class:`rich.text.Text`.

    Args:
        options: those of :class:`rich.console.Console`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; options as for :meth:`rich.console.Console.print`.

        Lines of text are broken between words on a terminal, and nowhere else, so that a path or a command stays whole
        in a file. ``soft_wrap=True`` leaves them whole on a terminal too.
        """
        texts = [text for text in objects if isinstance(text, str)]
        if len(texts) == len(objects):
            if self.is_terminal and not options.get("soft_wrap"):
                objects = tuple(wrapped(visible(text, keep="\n\t"), self.width) for text in texts)
            options["soft_wrap"] = True
        with interrupts_wait():
            super().print(*objects, **options)

    def print_command(self, command: str, indent: str = "") -> None:
        """Print a command that can be copied: on a narrow terminal on several lines, whole in a file.

        Args:
            command: for a shell, on one line.
            indent: stands before each line.
        """
        width = self.width - len(indent) if self.is_terminal else len(command)
        lines = shell_lines(command, width).splitlines()
        self.print("\n".join(f"{indent}{line}" for line in lines), soft_wrap=True)

    def render_str(self, text: str, **options: Any) -> Text:
        """``text`` without a meaning; options as for :meth:`rich.console.Console.render_str`."""
        return super().render_str(visible(text, keep="\n\t"), **options)

    def on_broken_pipe(self) -> None:
        """End the command, as nobody reads what it prints; what it still has to say goes to standard error.

        Raises:
            SystemExit: always.
        """
        del self._buffer[:]
        drop_output()
        self.file = sys.stderr
        raise SystemExit(CLOSED_OUTPUT_STATUS)


def _width() -> int | None:
    """That of the terminal; :data:`FILE_WIDTH` where there is none."""
    return None if sys.stdout is not None and sys.stdout.isatty() else FILE_WIDTH


console = PlainConsole(width=_width())
