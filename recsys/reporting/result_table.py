"""A table of results that can be printed to a terminal and written as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Args:
        text: what it says.
        detail: what is said after it: below it on a terminal, beside it in Markdown.
        bold: whether ``text`` is emphasised.
    """

    text: str
    detail: str = ""
    bold: bool = False


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table, its title and what must be known to read it.

    Args:
        title: heading.
        columns: names of the columns, in two lines where the terminal should be spared; the first holds names, the
            others numbers.
        rows: as many cells in each as there are columns.
        note: a sentence or two below the table.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""

    def for_terminal(self) -> Table:
        """A table in ASCII characters, narrow because details are put below."""
        table = Table(
            title=self.title, caption=self.note or None, box=box.MARKDOWN, title_justify="left", caption_justify="left"
        )
        for place, name in enumerate(self.columns):
            # Only names may be folded where a terminal is narrow; a number in two parts would be misread.
            table.add_column(name, justify="left" if place == 0 else "right", overflow="fold", no_wrap=place > 0)
        for row in self.rows:
            cells = []
            for cell in row:
                text = Text(cell.text, style="bold" if cell.bold else "")
                cells.append(text.append(f"\n{cell.detail}", style="dim not bold") if cell.detail else text)
            table.add_row(*cells)
        return table

    def markdown(self) -> str:
        """The same table in Markdown, below a heading of the second level."""
        lines = [f"## {self.title}", "", _line(self.columns), _line(["---", *["---:"] * (len(self.columns) - 1)])]
        for row in self.rows:
            lines.append(_line([" ".join(part for part in (_emphasised(cell), cell.detail) if part) for cell in row]))
        return "\n".join([*lines, *(["", self.note] if self.note else []), ""])


def _emphasised(cell: Cell) -> str:
    return f"**{cell.text}**" if cell.bold else cell.text


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
