"""Prints what preparation found in raw data: their columns, which rows and ids joined, what each rule did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich import box
from rich.console import Console

from recsys.cli.console import console
from recsys.cli.text_table import TextTable
from recsys.data.inspection.column_summary import ColumnSummary
from recsys.data.prepared import PreparedDataset
from recsys.data.schema import Schema
from recsys.data.times import format_moment

#: Characters of a row, of its borders, and of a name at most; an example has what is left.
_WIDTH, _BORDERS, _NAME_WIDTH = 80, 16, 20

_HEADINGS: tuple[tuple[str, Literal["left", "right"]], ...] = (
    ("column", "left"),
    ("kind", "left"),
    ("values", "right"),
    ("missing", "right"),
)


def print_preparation(prepared: PreparedDataset, target: Console | None = None) -> None:
    """Print the report of prepared data; to the console of the commands, unless another target is given."""
    target = target or console
    schema = prepared.schema
    for table in dict.fromkeys(column.table for column in schema.columns):
        target.print(columns_table(table, [column for column in schema.columns if column.table == table]))
    target.print(counts_table(schema))
    for line in (*schema.notes, *map(str, schema.joins)):
        target.print(line)
    for rule in schema.rules:
        statement = f" ({rule.statement})" if any(rule.removed.values()) or rule.note else ""
        target.print(f"{rule}{statement}")


def columns_table(title: str, columns: Sequence[ColumnSummary]) -> TextTable:
    """What each column of one raw table holds, one a row; at most 80 characters wide."""
    table = TextTable(title=f"columns of the {title}", box=box.SIMPLE)
    for heading, justify in _HEADINGS:
        table.add_column(heading, justify=justify, no_wrap=True)
    table.add_column("example", no_wrap=True)
    rows = [
        (
            _short(column.name, _NAME_WIDTH),
            column.kind,
            "" if column.num_values is None else f"{column.num_values:,}",
            f"{column.missing:.1%}" if column.missing else "",
        )
        for column in columns
    ]
    widths = [max(len(heading), *(len(row[place]) for row in rows)) for place, (heading, _) in enumerate(_HEADINGS)]
    left = _WIDTH - sum(widths) - _BORDERS
    for row, column in zip(rows, columns, strict=True):
        table.add_row(*row, _short(column.example or "", left))
    return table


def counts_table(schema: Schema) -> TextTable:
    """Sizes and ranges of the prepared data, one a row."""
    table = TextTable(title=schema.name, box=box.SIMPLE, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    rows = {
        "users": f"{schema.num_users:,}",
        "items": f"{schema.num_items:,}",
        "interactions": f"{schema.num_interactions:,}",
        "density": f"{schema.density:.4%}",
    }
    if schema.positive_threshold is not None:
        rows[f"positives (rated {schema.positive_threshold:g} or higher)"] = f"{schema.num_positives:,}"
    if schema.rating is not None:
        rows["ratings"] = f"{schema.rating.min:g} to {schema.rating.max:g}, mean {schema.rating.mean:.2f}"
    if schema.weight is not None:
        rows["weights"] = f"{schema.weight.min:g} to {schema.weight.max:g}, mean {schema.weight.mean:.2f}"
    if schema.timestamp is not None:
        rows["time"] = f"{format_moment(schema.timestamp.first)} to {format_moment(schema.timestamp.last)}"
    for fold, count in (schema.folds or {}).items():
        rows[f"fold {fold}"] = f"{count:,}"
    if schema.num_fixed_negatives is not None:
        rows["fixed negatives a user"] = f"{schema.num_fixed_negatives:,}"
    rows["user features"] = ", ".join(feature.name for feature in schema.user_features) or "none"
    rows["item features"] = ", ".join(feature.name for feature in schema.item_features) or "none"
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
