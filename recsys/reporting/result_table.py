"""A table of results that can be printed to a terminal and written as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table with a title and a note.

    Args:
        title: heading.
        columns: headings of the columns, which may have line breaks to be narrow; the first column holds names, the
            others numbers.
        rows: rows of as many cells as there are columns.
        note: explanation below the table.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""

    def for_terminal(self) -> TextTable:
        """A table in ASCII characters, with details on lines of their own."""
        table = TextTable(title=self.title, caption=self.note or None)
        for place, name in enumerate(self.columns):
            # On a narrow terminal only names are folded; a number broken in two would be misread.
            table.add_column(name, justify="left" if place == 0 else "right", overflow="fold", no_wrap=place > 0)
        for row in self.rows:
            table.add_row(
                *(Number([cell.text, *([cell.detail] if cell.detail else [])], cell.bold, below=True) for cell in row)
            )
        return table

    def markdown(self) -> str:
        """The table in Markdown, below a second-level heading."""
        lines = [f"## {self.title}", "", _line(self.columns), _line(["---", *["---:"] * (len(self.columns) - 1)])]
        for row in self.rows:
            lines.append(_line([" ".join(part for part in (_emphasised(cell), cell.detail) if part) for cell in row]))
        return "\n".join([*lines, *(["", self.note] if self.note else []), ""])


def _emphasised(cell: Cell) -> str:
    return f"**{cell.text}**" if cell.bold else cell.text


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
