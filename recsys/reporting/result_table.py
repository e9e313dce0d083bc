"""A table of results that can be printed to a terminal and written as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult

from recsys.cli.text_table import Number, TextTable


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Args:
        text: main text.
        detail: additional text, such as an interval: below the text on a terminal, beside it in Markdown.
        bold: whether ``text`` is bold.
    """

    text: str
    detail: str = ""
    bold: bool = False


def estimate_text(value: float, interval: tuple[float, float] | None) -> str:
    """A value with its interval; the value alone where there is none, or where its ends are not numbers.

    Example:
        >>> estimate_text(0.11924, (0.1043, 0.1342))
        '0.1192 [0.1043, 0.1342]'
    """
    if interval is None or not all(map(math.isfinite, interval)):
        return f"{value:.4f}"
    low, high = interval
    return f"{value:.4f} [{low:.4f}, {high:.4f}]"


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table with a title and a note.

    Args:
        title: heading.
        columns: headings of the columns, which may have line breaks to be narrow; the first ones hold names, the others
            numbers.
        rows: rows of as many cells as there are columns.
        note: explanation below the table.
        num_names: columns that say what a row is about.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    num_names: int = 1

    def for_terminal(self) -> FittedTable:
        """A table in ASCII characters, with details on lines of their own, as wide as there is room."""
        return FittedTable(self)

    def markdown(self) -> str:
        """The table in Markdown, below a second-level heading."""
        lines = [f"## {self.title}", "", _line(self.columns), _line(["---", *["---:"] * (len(self.columns) - 1)])]
        for row in self.rows:
            lines.append(_line([" ".join(part for part in (_emphasised(cell), cell.detail) if part) for cell in row]))
        return "\n".join([*lines, *(["", self.note] if self.note else []), ""])


#: A name is folded where it is longer, so that numbers have room.
MAX_NAME_WIDTH = 24


@dataclass(frozen=True, slots=True)
class FittedTable:
    """A table that is printed in several parts, each with the names, where all its numbers would not fit.

    Args:
        content: of the table.
    """

    content: ResultTable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        parts = list(self._parts(options.max_width))
        for part in parts:
            table = self._table(part)
            table.title = self.content.title if part is parts[0] else None
            table.caption = self.content.note or None if part is parts[-1] else None
            yield table

    def _parts(self, room: int) -> Iterator[list[int]]:
        """The columns of numbers in parts that fit side by side, at least one in each."""
        names, numbers = range(self.content.num_names), range(self.content.num_names, len(self.content.columns))
        free = room - 1 - sum(min(self._width(column), MAX_NAME_WIDTH) + _BORDER for column in names)
        part: list[int] = []
        left = free
        for column in numbers:
            width = self._width(column) + _BORDER
            if part and width > left:
                yield part
                part, left = [], free
            part.append(column)
            left -= width
        yield part

    def _table(self, numbers: Sequence[int]) -> TextTable:
        table = TextTable()
        shown = [*range(self.content.num_names), *numbers]
        for column in shown:
            # On a narrow terminal only names are folded; a number broken in two would be misread.
            is_name = column < self.content.num_names
            justify: JustifyMethod = "left" if column == 0 else "right"
            table.add_column(self.content.columns[column], justify=justify, no_wrap=not is_name)
        for row in self.content.rows:
            cells = (row[column] for column in shown)
            table.add_row(*(Number([cell.text, *filter(None, [cell.detail])], cell.bold, below=True) for cell in cells))
        return table

    def _width(self, column: int) -> int:
        cells = [row[column] for row in self.content.rows]
        texts = [*self.content.columns[column].splitlines(), *(cell.detail for cell in cells)]
        return max(map(len, [*texts, *(_emphasised(cell) for cell in cells)]), default=0)


#: What a column takes besides its content: a line and a blank on each side.
_BORDER = 3


def _emphasised(cell: Cell) -> str:
    return f"**{cell.text}**" if cell.bold else cell.text


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
