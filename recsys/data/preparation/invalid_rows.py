"""Invalid rows of the interactions: which there are, how they are told, and whether they are refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.data.columns import ITEM_ID, RATING, TIMESTAMP, USER_ID, WEIGHT
from recsys.data.schema import AppliedRule
from recsys.data.times import format_moment
from recsys.errors import DataError

InvalidRows = Literal["error", "drop"]

#: 1 January 2100 in seconds since 1970: a later timestamp is not in seconds.
LATEST_TIMESTAMP = 4_102_444_800

#: March 1973 in seconds since 1970: an earlier date does not explain a number that is too large to be in seconds.
_EARLIEST_EXPLAINED = 10**8

_FINER_UNITS = {"milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}


@dataclass(frozen=True, slots=True)
class Defect:
    """One way in which rows are invalid.

    Args:
        what: the defect in words, after "rows".
        rows: mask of shape [N].
        required: what a value must be.
        values: the numbers that are out of range, of which a hint tells what they seem to be; None for no hint.
    """

    what: str
    rows: npt.NDArray[np.bool_]
    required: str
    values: npt.NDArray[Any] | None = None


@dataclass(slots=True)
class _Found:
    """All rows with one defect: their number, the first of them with its place, and values of which a hint is made."""

    required: str
    first: str = ""
    first_row: int = 0
    num_rows: int = 0
    values: list[npt.NDArray[Any]] = field(default_factory=list)


class InvalidRowReport:
    """The invalid rows of a table that comes as a whole or in batches."""

    def __init__(self) -> None:
        self._found: dict[str, _Found] = {}
        self.num_rows = 0
        self.num_invalid = 0

    def add(self, table: pa.Table, defects: Sequence[Defect]) -> npt.NDArray[np.bool_] | None:
        """Take in the next N rows.

        Args:
            table: the raw rows.
            defects: what was found in them.

        Returns:
            Which of them are invalid, shape [N]; None where none is.
        """
        for defect in defects:  # those without a row as well, so that they are told in one order
            found = self._found.setdefault(defect.what, _Found(defect.required))
            num_rows = int(defect.rows.sum())
            if num_rows and not found.num_rows:
                row = int(np.argmax(defect.rows))
                found.first, found.first_row = _values_of(table, row), self.num_rows + row
            found.num_rows += num_rows
            found.values += [] if defect.values is None else [defect.values]
        self.num_rows += table.num_rows
        defects = [defect for defect in defects if defect.rows.any()]
        if not defects:
            return None
        invalid = np.logical_or.reduce([defect.rows for defect in defects])
        self.num_invalid += int(invalid.sum())
        return invalid

    def extend(self, later: InvalidRowReport) -> None:
        """Take in the report on the rows that come after."""
        for what, theirs in later._found.items():
            found = self._found.setdefault(what, _Found(theirs.required))
            if theirs.num_rows and not found.num_rows:
                found.first, found.first_row = theirs.first, self.num_rows + theirs.first_row
            found.num_rows += theirs.num_rows
            found.values += theirs.values
        self.num_rows += later.num_rows
        self.num_invalid += later.num_invalid

    def rule(self, invalid_rows: InvalidRows) -> AppliedRule:
        """The rule with its count.

        Args:
            invalid_rows: "error" to refuse invalid rows, "drop" to leave them out.

        Raises:
            DataError: there are no rows, or some are refused, or no valid one is left.
        """
        if self.num_rows == 0:
            raise DataError("The interactions have no rows; at least one is needed. Check the file that was read.")
        if self.num_invalid and invalid_rows == "error":
            raise DataError(
                f"{self._described()} Correct the data, or set preparation.invalid_rows=drop to leave the "
                f"{_rows(self.num_invalid)} out."
            )
        if self.num_invalid == self.num_rows:
            raise DataError(f"{self._described()} No valid row is left. Correct the data.")
        return AppliedRule(
            "invalid rows",
            "rows without an id, without a finite rating or weight, or with a timestamp that is missing, negative or "
            "after 2100 are " + ("left out" if invalid_rows == "drop" else "refused"),
            {"interactions": self.num_invalid},
        )

    def _described(self) -> str:
        """Each defect with its number of rows, the first of them, and what is required."""
        return " ".join(
            f"{found.num_rows:,} of {_rows(self.num_rows)} of the interactions come {what}"
            f"{_range_hint(np.concatenate(found.values)) if found.values else ''}; the first is row "
            f"{found.first_row + 1:,}: {found.first}. {found.required[0].upper()}{found.required[1:]}."
            for what, found in self._found.items()
            if found.num_rows
        )


def _values_of(table: pa.Table, row: int) -> str:
    shown = [name for name in (USER_ID, ITEM_ID, RATING, WEIGHT, TIMESTAMP) if name in table.column_names]
    return ", ".join(f"{name} {table.column(name)[row].as_py()!r}" for name in shown)


def _range_hint(values: npt.NDArray[Any]) -> str:
    """What timestamps that are no credible seconds seem to be: a finer unit, dates far away, or placeholders."""
    typical = float(np.median(values))
    for unit, factor in _FINER_UNITS.items():
        if _EARLIEST_EXPLAINED * factor < typical <= LATEST_TIMESTAMP * factor:
            return f" (these look like {unit}: divide by {factor:,})"
    if typical < 0:
        return " (before 1970 is mostly a placeholder, such as -1 or 1900-01-01, for a time that is not known)"
    date = format_moment(int(min(float(values[0]), 2.0**62)))  # of the row that the message names
    return f" (as seconds, such a one is {date})" if "-" in date else ""


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
