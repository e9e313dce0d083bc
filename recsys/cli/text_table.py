"""A table whose title, headings and cells are printed as they are, whatever they hold, and fit the terminal."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from recsys.cli.data_text import data_text, visible


class TextTable(Table):
    """A table of rich that takes no text for markup; in ASCII characters, and valid Markdown.

    Text is made of each string that it gets: ``[/b]``, ``[import]`` and ``:smile:`` are titles like any other, on
    every console. Title, headings and caption keep their line breaks; title and caption may be wider than the columns.

    Args:
        headings: of columns that need nothing else.
        options: those of :class:`rich.table.Table`; the box has another default.
    """

    def __init__(self, *headings: str, **options: Any) -> None:
        super().__init__(**{"box": box.MARKDOWN, **options})
        for heading in headings:
            self.add_column(heading)

    def add_column(self, header: RenderableType = "", *arguments: Any, **options: Any) -> None:
        """Add a column, of which nothing is cut off unseen; arguments as for :meth:`rich.table.Table.add_column`."""
        overflow = "ellipsis" if options.get("no_wrap") else "fold"
        super().add_column(_lines(header), *arguments, **{"overflow": overflow, **options})

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Add a row; arguments as for :meth:`rich.table.Table.add_row`."""
        super().add_row(*(data_text(cell) if isinstance(cell, str) else cell for cell in cells), **options)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = copy.copy(self)
        columns.title = columns.caption = None  # which would be folded to the width of the columns
        if self.title:
            yield _lines(self.title, "table.title")
        yield from Table.__rich_console__(columns, console, options)
        if self.caption:
            yield _lines(self.caption, "table.caption")
            yield ""  # columns end with an empty line as well


@dataclass(frozen=True, slots=True)
class Number:
    """A number with what belongs to it, such as its interval: as many lines as the column is narrow, none broken.

    Args:
        parts: the number first.
        best: whether it is the best of those that it is compared with: bold, and in a file, where nothing is bold, as
            Markdown has it.
        below: whether the other parts stand below the number, however wide the column is, and less bright.
    """

    parts: Sequence[str]
    best: bool = False
    below: bool = False

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        parts = self._shown(console)
        return Measurement(max(map(len, parts)), max(map(len, parts)) if self.below else len(" ".join(parts)))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        number, *others = self._shown(console)
        text = Text().append(visible(number), "bold" if self.best and console.is_terminal else "")
        length = len(number)
        for part in others:
            apart = "\n" if self.below or length + 1 + len(part) > options.max_width else " "
            length = len(part) if apart == "\n" else length + 1 + len(part)
            text.append(f"{apart}{visible(part)}", "dim" if self.below else "")
        yield text

    def _shown(self, console: Console) -> list[str]:
        number, *others = self.parts
        return [number if console.is_terminal or not self.best else f"**{number}**", *others]


def _lines(text: RenderableType, style: str = "") -> RenderableType:
    """A string as text that may have several lines; anything else as it is."""
    return Text(visible(text, keep="\n"), style=style) if isinstance(text, str) else text
