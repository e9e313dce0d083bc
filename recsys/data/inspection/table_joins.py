"""Whether the ids of the users or items table are those of the interactions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import DataError, DataWarning

#: A table that knows fewer of the ids than this share is suspected to be of other data.
FEW = 0.5


@dataclass(frozen=True, slots=True)
class TableJoin:
    """How many ids of the interactions a table knows, and the other way round.

    Args:
        table: "users" or "items".
        num_ids: distinct ids of the interactions.
        num_matched: those that have a row in the table.
        num_rows: rows of the table, one for each id.
    """

    table: str
    num_ids: int
    num_matched: int
    num_rows: int

    def __str__(self) -> str:
        unused = self.num_rows - self.num_matched
        without = f"; {unused:,} of its {self.num_rows:,} rows have no interaction" if unused else ""
        share = f"{self.num_matched / self.num_ids:.1%}"
        return (
            f"{self.num_matched:,} of {self.num_ids:,} {self.table} have a row in the {self.table} table "
            f"({share}){without}"
        )


def join(table: str, table_ids: pa.StringArray, ids: pa.StringArray) -> TableJoin:
    """Compare the ids of a table with those of the interactions.

    Args:
        table: "users" or "items".
        table_ids: distinct ids of that table.
        ids: distinct ids of the interactions, at least one.

    Raises:
        DataError: no id is in both.

    Warns:
        DataWarning: few ids are in both, or more would be if they were written in the same way.
    """
    known = pc.is_in(ids, value_set=table_ids)
    result = TableJoin(table, len(ids), pc.sum(known).as_py() or 0, len(table_ids))
    missing = ids.filter(pc.invert(known))
    if len(missing) == 0:
        return result
    spelling = other_spelling(missing, table_ids)
    here, there = missing[0].as_py(), table_ids[0].as_py() if len(table_ids) else None
    if result.num_matched == 0:
        raise DataError(
            f"The {table} table has a row for none of the {len(ids):,} {table} of the interactions: "
            f"ids there are such as {here!r}, ids in the table such as {there!r}. "
            + (
                f"{spelling.capitalized()}. {spelling.remedy()}"
                if spelling is not None
                else f"Name the right column with data.columns, or leave data.{table} out."
            )
        )
    if spelling is not None:
        warnings.warn(
            f"{result}. {spelling.capitalized()}, such as {spelling.example[0]!r} and {spelling.example[1]!r}. "
            f"{spelling.remedy()}",
            DataWarning,
            stacklevel=2,
        )
    elif result.num_matched < FEW * result.num_ids:
        warnings.warn(
            f"{result}. The first without one is {here!r}: check that the table is of the same data.",
            DataWarning,
            stacklevel=2,
        )
    return result


@dataclass(frozen=True, slots=True)
class Spelling:
    """A way of writing ids in which more of them agree.

    Args:
        what: what they differ in.
        num_more: ids that agree then.
        example: an id of the interactions, and that of the table.
        by_spaces: whether they differ by white space.
    """

    what: str
    num_more: int
    example: tuple[str, str]
    by_spaces: bool

    def capitalized(self) -> str:
        """A clause with a capital letter."""
        return f"Without {self.what} {self.num_more:,} more would match"

    def remedy(self) -> str:
        """A sentence on what to do."""
        return f"Write the ids in one way{', or set preparation.strip_ids=true' if self.by_spaces else ''}."


_SPELLINGS: tuple[tuple[str, Callable[[pa.StringArray], pa.StringArray]], ...] = (
    ("white space around ids", pc.utf8_trim_whitespace),
    (
        "'.0' at the end of ids (whole numbers that became fractions)",
        lambda ids: _replaced(ids, r"^(-?\d+)\.0+$", r"\1"),
    ),
    ("leading zeros", lambda ids: _replaced(ids, r"^0+(\d)", r"\1")),
)


def other_spelling(missing: pa.StringArray, there: pa.StringArray) -> Spelling | None:
    """The first way of writing in which some of the ``missing`` ids agree with ids of the table."""
    for what, normalize in _SPELLINGS:
        mine, theirs = normalize(missing), normalize(there)
        position = pc.index_in(mine, value_set=theirs)
        found = pc.is_valid(position)
        num_more = pc.sum(found).as_py() or 0
        if num_more:
            first = pc.index(found, True).as_py()
            example = (missing[first].as_py(), there[position[first].as_py()].as_py())
            return Spelling(what, num_more, example, what.startswith("white"))
    return None


def _replaced(ids: pa.StringArray, pattern: str, replacement: str) -> pa.StringArray:
    return pc.replace_substring_regex(ids, pattern, replacement)
